# Changes of the app's variables, all others left as they are to the byte.
# shellcheck shell=bash

# write_env_changes: NAME=value lines on stdin; NAME alone takes it out.
write_env_changes() {
  local path
  path="$(readlink -f "$(env_path)")"
  [[ -f $path ]] || die "the app's variables in $(env_path)" "no such file" "see whether they were moved since the survey"
  (umask 077 && python3 "$scripts/storage/envfile.py" "$path" "$(env_format)" >"$run/env.part") ||
    die "values that the app's file of variables can hold" "its own words stand above" "see STORAGE_ENV"
  put_file "$path" "$(stat -c %a "$path")" "$(stat -c %U:%G "$path")" <"$run/env.part"
  rm -f "$run/env.part"
}

# remember_env: the values that the bucket's variables have before the first switch, and the file as it was.
remember_env() {
  is_known env.before && return
  install -d -m 0700 "$known"
  put_file "$known/env.file" 0600 root:root <"$(env_path)"
  python3 "$scripts/storage/envfile.py" "$(env_path)" "$(env_format)" before <<<"$STORAGE_ENV" | put_file "$known/env.before" 0600 root:root
}
