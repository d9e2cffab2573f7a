#!/usr/bin/env bash
# npm run rehearse -- OPTIONS: prepares the machine, then runs the rehearsal in namespaces of its own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

case " $* " in
  *" --help "*) ;; # needs nothing but the modules
  *) "$here/prepare.sh" ;;
esac
cd "$here/.."
exec "$here/enter.sh" node --import tsx rehearsal/main.ts "$@"
