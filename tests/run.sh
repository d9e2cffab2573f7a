#!/usr/bin/env bash
# All tests, from the cheapest rung to the dearest; closes with one line `N passed, N failed, N skipped`.
# `npm test -- unit program` runs only the groups named.
set -euo pipefail
cd "$(dirname "$0")/.."

usual=(check unit bench mastodon clouds stores judge report lab scripts program migrations faults)
known=("${usual[@]}" faults-long)
groups=("$@")
((${#groups[@]})) || groups=("${usual[@]}")
for group in "${groups[@]}"; do
  printf '%s\n' "${known[@]}" | grep --quiet --line-regexp --fixed-strings --regexp="$group" ||
    { echo "there is no group '$group'; there are: ${known[*]}" >&2; exit 2; }
done

rehearsal/prepare.sh
rehearsal/prepare.sh testing

passed=0 failed=0 skipped=0
last_passed=0 last_failed=0 last_skipped=0 # of the last run of the runner
runs=0 again=()
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

count() { # FILE WORD: the number in the closing line `ℹ WORD N` of node's runner
  awk -v word="$2" 'NF == 3 && $2 == word { n = $3 } END { print n + 0 }' "$1"
}

run_check() {
  if npm run --silent check; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# A lab shares two cores with whatever else the machine does; a file that failed there gets a second try when all the others are
# through, and it is told.
run_group() {
  local group=$1 files file
  case $group in
    lab | mastodon | clouds | stores | judge | scripts | program | migrations | faults | faults-long)
      mapfile -t files < <(find "tests/$group" -name '*.test.ts' 2>/dev/null | sort)
      ((${#files[@]})) || { echo "no tests in tests/$group" >&2; failed=$((failed + 1)); return; }
      for file in "${files[@]}"; do
        run_files "$group" "$file" && continue
        printf '\n== %s failed; once more at the end\n' "$file"
        passed=$((passed - last_passed)) failed=$((failed - last_failed)) skipped=$((skipped - last_skipped))
        again+=("$file")
      done
      ;;
    *)
      mapfile -t files < <(find "tests/$group" -name '*.test.ts' 2>/dev/null | sort)
      run_files "$group" "${files[@]}" || true
      ;;
  esac
}

run_files() {
  local said="$results/$((++runs)) $1" status=0 flags=(--test-concurrency=1 --test-reporter=spec)
  # What a lab leaves open must not hold up the end; elsewhere the flag would only lose the last lines.
  case $1 in unit | bench | report) ;; *) flags+=(--test-force-exit) ;; esac
  shift
  # Each group runs in namespaces of its own; its files one after another, since they share two cores.
  rehearsal/enter.sh node --import tsx --test "${flags[@]}" "$@" | tee "$said" || status=$?
  local p f s
  p=$(count "$said" pass) f=$(count "$said" fail) s=$(count "$said" skipped)
  ((status == 0 || f > 0)) || f=1 # the runner itself died
  ((p + f > 0)) || f=1            # a group that tests nothing is not green
  last_passed=$p last_failed=$f last_skipped=$s
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  ((f == 0)) || awk '/^✖ failing tests:/ { on = 1 } on && n++ < 80' "$said" >"$said.failed"
  ((f == 0))
}

for group in "${groups[@]}"; do
  printf '\n== %s (%s)\n' "$group" "$(date +%T)"
  if [[ $group == check ]]; then run_check; else run_group "$group"; fi
done

for file in "${again[@]}"; do
  printf '\n== %s once more (%s)\n' "$file" "$(date +%T)"
  run_files "$(basename "$(dirname "$file")")" "$file" || true
done

# Once more at the end, where one looks first: also what was green at its second try.
for said in "$results"/*.failed; do
  if [[ -s $said ]]; then printf '\n== what failed (%s)\n%s\n' "$(basename "$said" .failed)" "$(cat "$said")"; fi
done

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
