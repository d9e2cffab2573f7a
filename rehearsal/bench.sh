#!/usr/bin/env bash
# npm run bench -- OPTIONS: prepares the machine, then measures. Each part runs in a lab of its own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

cd "$here/.."
"$here/prepare.sh" modules
case " $* " in
  *" --help "*) ;; # needs nothing but the modules
  *)
    node --import tsx rehearsal/bench/options.ts "$@" # what is wrong with them is told before the minutes of preparation
    "$here/prepare.sh"
    ;;
esac
exec node --import tsx rehearsal/bench/main.ts "$@"
