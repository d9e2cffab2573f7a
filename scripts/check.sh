#!/usr/bin/env bash
# Checks everything that runs on the servers: shellcheck for the shell, compilation for Python.
set -euo pipefail
cd "$(dirname "$0")"
mapfile -t shell < <(find . -name '*.sh'; echo ./run)
mapfile -t python < <(find . -name '*.py')
# Files are sourced into one shell and share its variables, which shellcheck cannot follow; `set -u` finds the unset ones.
shellcheck --exclude=SC2034,SC2154 --external-sources --shell=bash "${shell[@]}"
for file in "${python[@]}"; do
  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], feature_version=(3, 9))' "$file"
done
