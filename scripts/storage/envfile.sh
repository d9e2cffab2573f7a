# Changes of the app's variables, all others left as they are to the byte.
# shellcheck shell=bash

# write_env_changes: NAME=value lines on stdin; NAME alone takes it out.
write_env_changes() {
  local path
  path="$(env_target)"
  encode_env_changes "$path"
  put_file "$path" "$(stat -c %a "$path")" "$(stat -c %U:%G "$path")" <"$run/env.part"
  rm -f "$run/env.part"
}

# prove_env_changes: the same lines can be written, which is asked before anything waits for them.
prove_env_changes() {
  local path part
  path="$(env_target)" part="$(part_of "$path")"
  encode_env_changes "$path"
  (umask 077 && cat "$run/env.part" >"$part") || die "$path to be written beside itself" "its folder takes no file, as stands above" \
    "make ${path%/*} writable for root, with room on its disk, then run \`pulumi up\` again; nothing was stopped"
  rm -f "$part" "$run/env.part"
}

env_target() {
  local path
  path="$(readlink -f "$(env_path)")"
  [[ -f $path ]] || die "the app's variables in $(env_path)" "no such file" "see whether they were moved since the survey"
  printf '%s' "$path"
}

# encode_env_changes FILE: what the file becomes by the lines on stdin, into env.part.
encode_env_changes() {
  local said remedy="make another key at the store, without such signs, set mediaAccessKey and \`pulumi config set --secret mediaSecretKey\`, then run \`pulumi up\` again"
  said="$(umask 077 && python3 -B "$scripts/storage/envfile.py" "$1" "$(env_format)" 2>&1 >"$run/env.part")" && return
  rm -f "$run/env.part"
  [[ $WANT == present ]] || remedy="take the line of that variable out of $known/env.before, run \`pulumi up\` again, and set it by hand afterwards"
  die "values that $(env_path) can hold" "$said" "$remedy"
}

# remember_env: the values that the bucket's variables have before the first switch, and the file as it was.
remember_env() {
  is_known env.before && return
  install -d -m 0700 "$known"
  put_file "$known/env.file" 0600 root:root <"$(env_path)"
  python3 "$scripts/storage/envfile.py" "$(env_path)" "$(env_format)" before <<<"$STORAGE_ENV" | put_file "$known/env.before" 0600 root:root
}
