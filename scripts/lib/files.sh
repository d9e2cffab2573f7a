# Files of the host: saved before they are changed, written whole or not at all, put back as they were.
# shellcheck shell=bash

# part_of PATH: where its next content is written. Always the same name, so that what a killed run leaves is cleared away by
# the next; hidden, since nginx and others read every file of a folder that is not.
part_of() { printf '%s' "${1%/*}/.${1##*/}.trunkline-new"; }

# save_original PATH: remembers PATH as it is before the first change, or that there was none. A symbolic link is saved as one.
save_original() {
  local path=$1 saved="$state/saved/files$1" none="$state/saved/none$1"
  [[ -e $saved || -L $saved || -e $none ]] && return
  if [[ -e $path || -L $path ]]; then
    install -d -m 0700 "$(dirname "$saved")"
    cp -a --no-dereference "$path" "$saved.part"
    mv -T "$saved.part" "$saved"
  else
    install -D -m 0600 /dev/null "$none"
  fi
}

# restore_original PATH: puts back what save_original saw; does nothing if nothing was saved.
restore_original() {
  local path=$1 saved="$state/saved/files$1" none="$state/saved/none$1"
  if [[ -e $saved || -L $saved ]]; then
    rm -f "$(part_of "$path")"
    cp -a --no-dereference "$saved" "$(part_of "$path")"
    mv -T "$(part_of "$path")" "$path"
    rm -f "$saved" "$saved.part"
    changed=yes
  elif [[ -e $none ]]; then
    rm -f "$path" "$none"
    changed=yes
  fi
}

# is_saved PATH: whether an original of PATH waits to be put back.
is_saved() { [[ -e $state/saved/files$1 || -L $state/saved/files$1 || -e $state/saved/none$1 ]]; }

# put_file PATH MODE OWNER: content on stdin, written whole; file_changed says whether it differed.
put_file() {
  local path=$1 mode=$2 owner=$3 part
  file_changed=no
  install -d "$(dirname "$path")"
  part="$(part_of "$path")"
  rm -f "$part"
  (umask 077 && cat >"$part") || die "$path to be written" "$(df -h --output=avail "$(dirname "$path")" | tail -n 1 | xargs) free on its disk" \
    "make room there, then run \`pulumi up\` again"
  chown "$owner" "$part"
  chmod "$mode" "$part"
  if [[ -f $path && ! -L $path ]] && cmp -s "$part" "$path" &&
    [[ $(stat -c '%a %U:%G' "$part") == "$(stat -c '%a %U:%G' "$path")" ]]; then
    rm -f "$part"
  else
    mv -T "$part" "$path"
    file_changed=yes changed=yes
  fi
}

# drop_file PATH…: removes files that are ours alone.
drop_file() {
  local path
  for path in "$@"; do
    rm -f "$(part_of "$path")"
    [[ -e $path || -L $path ]] || continue
    rm -f "$path"
    changed=yes
  done
}
