# What the app's tree needs of the system around it: programs that it calls, libraries that its parts are linked to.
# shellcheck shell=bash
. "$scripts/lib/packages.sh"

# Mastodon makes pictures and films by programs of the system: each, and the package that has it.
called="ffmpeg:ffmpeg ffprobe:ffmpeg identify:imagemagick vips:libvips-tools file:file"

# Those that the source has and this host lacks. What the source does without, the target does without too.
carry_programs() {
  local pair lacking=() packages=()
  for pair in $called; do command -v "${pair%:*}" >/dev/null || lacking+=("${pair%:*}"); done
  ((${#lacking[@]})) || return 0
  mapfile -t lacking < <(source_read programs "${lacking[@]}")
  for pair in $called; do [[ " ${lacking[*]} " != *" ${pair%:*} "* ]] || packages+=("${pair#*:}"); done
  ((${#packages[@]})) || return 0
  log "programs that the app calls on the source and that are missing here: ${lacking[*]}"
  apt update || true
  apt install "${packages[@]}" ||
    die "apt to install ${packages[*]}" "a failure; its message stands above" "mend apt on the target (sources, network), then run \`pulumi up\` again"
  changed=yes
}

# Programs and extensions of the tree name the libraries they need; what is missing is installed as the source has it.
check_libraries() {
  local names packages
  names="$(missing_libraries; preloaded_libraries)"
  [[ -n $names ]] || return 0
  # shellcheck disable=SC2086 # a list of names
  packages="$(source_read packages $names | xargs)"
  log "missing libraries: ${names//$'\n'/ }; on the source they come from ${packages:-no package}"
  # shellcheck disable=SC2086
  [[ -z $packages ]] || apt install --no-install-recommends $packages || true
  [[ -z $packages ]] || changed=yes
  names="$(missing_libraries)"
  [[ -z $names ]] || die "all libraries that the app's programs need on the target" "missing: ${names//$'\n'/ }" "install the packages that hold them (on the source: ${packages:-unknown})"
}

# jemalloc, mostly. Without it the app runs all the same, with more memory and a warning at each start.
preloaded_libraries() {
  local name
  for name in $(systemctl show --property Environment --value -- "${units[@]}" | tr ' ' '\n' | sed -n 's/^LD_PRELOAD=//p' | sort -u); do
    [[ -e $name ]] || ldconfig -p | grep -qE "^\s*${name##*/} " || echo "${name##*/}"
  done
}

missing_libraries() {
  local folder
  for folder in "$APP_HOME/.rbenv/versions" "$APP_DIR/vendor" "$APP_DIR/node_modules"; do
    [[ -d $folder ]] && find "$folder" -type f \( -name '*.so' -o -path '*/versions/*/bin/ruby' -o -name '*.node' \) -print0
  done | runuser -u "$APP_USER" -- xargs -0 -r -n 200 ldd 2>/dev/null |
    awk '/=> not found/ { print $1 }' | grep -v musl | sort -u || true
}
