#!/usr/bin/env bash
# npm run rehearse -- OPTIONS: prepares the machine, then runs the rehearsal in namespaces of its own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

cd "$here/.."
"$here/prepare.sh" modules
case " $* " in
  *" --help "* | *--fault[\ =]"list "* | *--source[\ =]"list "*) # only talks: needs nothing but the modules, nor root
    exec node --import tsx rehearsal/main.ts "$@"
    ;;
esac
node --import tsx rehearsal/options.ts "$@" # what is wrong with them is told before the minutes of preparation
"$here/prepare.sh"
exec "$here/enter.sh" node --import tsx rehearsal/main.ts "$@"
