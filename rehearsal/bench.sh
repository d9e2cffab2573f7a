#!/usr/bin/env bash
# npm run bench -- OPTIONS: prepares the machine, then measures. Each part runs in a lab of its own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

case " $* " in
  *" --help "*) ;; # needs nothing but the modules
  *) "$here/prepare.sh" ;;
esac
cd "$here/.."
exec node --import tsx rehearsal/bench/main.ts "$@"
