# app/tree (target): the source's own app tree, Ruby and Node, its units and the libraries that they need. Nothing is started.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY RATE_MIB
. "$scripts/lib/source.sh"
. "$scripts/lib/app.sh"

version_file=lib/mastodon/version.rb

present() {
  mapfile -t units < <(app_units)
  if any_active "${units[@]}"; then
    log "the app runs here already: its tree is left alone"
    result files 0 version "$MASTODON_VERSION"
    return
  fi
  open_source
  check_source
  carry_files
  carry_units
  carry_node
  carry_locales
  make_writable
  check_libraries
  check_version
  result version "$MASTODON_VERSION" units "${#units[@]}"
}

# Only what this step brought: the units, and the home if it made it. Media are another step's, and it went first.
absent() {
  mapfile -t units < <(app_units)
  ! any_active "${units[@]}" || die "no unit of the app to run on the target" "$(systemctl is-active -- "${units[@]}" | xargs)" "go back further first: the app serves here"
  local file
  if [[ -f $state/carried-units ]]; then
    while IFS= read -r file; do
      drop_file "/etc/systemd/system/$file"
      rmdir --ignore-fail-on-non-empty "$(dirname "/etc/systemd/system/$file")" 2>/dev/null || true
    done <"$state/carried-units"
    drop_file "$state/carried-units"
    systemctl daemon-reload
  fi
  drop_unit app-tree
  if [[ -f $state/made-home ]]; then
    rm -rf --one-file-system "$APP_HOME"
    [[ $APP_DIR/ == "$APP_HOME"/* ]] || rm -rf --one-file-system "$APP_DIR"
    drop_file "$state/made-home"
  fi
  drop_file "$etc/read_key" "$etc/read_hosts" "$etc/read.conf" "$etc/node-carried"
}

# rsync in a unit: a first copy takes minutes. It tells how many files it moved.
carry_files() {
  local before=$changed
  [[ -e $APP_HOME ]] || touch "$state/made-home"
  settings_for app-tree SOURCE_ADDRESS APP_HOME APP_DIR MEDIA_DIR RATE_MIB
  rm -f "$run/app-tree.count"
  follow_unit app-tree 7200 -- /bin/bash "$scripts/app/tree-copy.sh"
  changed=$before
  local count
  count="$(cat "$run/app-tree.count" 2>/dev/null || echo 0)"
  ((count == 0)) || changed=yes
  result files "$count"
}

# Node belongs to the streaming processes. It is carried only where the target has none at its place.
carry_node() {
  [[ -n $STREAMING_UNITS ]] || return 0
  local node
  node="$(node_of_units)"
  [[ ! -e $node || "$(cat "$etc/node-carried" 2>/dev/null)" == "$node" ]] || return 0
  install -d "$(dirname "$node")"
  source_rsync --archive source:node "$node"
  echo "$node" >"$etc/node-carried"
  "$node" --version >/dev/null 2>&1 ||
    die "the source's Node to run on the target" "$(ldd "$node" 2>&1 | grep 'not found' | xargs)" "install Node of the source's major on the target"
}

# As the streaming units call it: /usr/bin/node, /usr/local/bin/node, or one that came with the home.
node_of_units() {
  local unit path
  for unit in $STREAMING_UNITS; do
    path="$(systemctl show --property ExecStart --value -- "$unit" | sed -n 's/.*path=\([^ ;]*\/node\) .*/\1/p' | head -n 1)"
    [[ -n $path ]] && { echo "$path"; return; }
  done
  echo /usr/bin/node
}

# A unit does not start where a folder is missing that it may write to. That of the media is made with them.
make_writable() {
  local path
  for path in $(systemctl show --property ReadWritePaths --value -- "${units[@]}" | tr ' ' '\n' | sort -u); do
    [[ $path == /* && ! -e $path && $MEDIA_DIR/ != "$path"/* && $path/ != "$MEDIA_DIR"/* ]] || continue
    install -d -o "$APP_UID" -g "$APP_GID" "$path"
    changed=yes
  done
}

carry_units() {
  local folder file
  folder="$(mktemp -d "$run/units.XXXXXX")"
  source_read units | tar -x -C "$folder" --no-same-owner
  (cd "$folder" && find . -type f -printf '%P\n' | sort) >"$folder.list"
  [[ -s $folder.list ]] || die "the app's unit files from the source" "none" "check that ${units[*]} are on the source"
  while IFS= read -r file; do
    put_file "/etc/systemd/system/$file" 0644 root:root <"$folder/$file"
  done <"$folder.list"
  mv "$folder.list" "$state/carried-units"
  rm -rf "$folder"
  systemctl daemon-reload
}

# The standby needs the locale that the source's database was made with.
carry_locales() {
  local name have made=no
  have="$(locale -a)"
  while read -r name; do
    if [[ $name != *.utf8 ]] || grep -qxF "$name" <<<"$have"; then continue; fi
    name="${name%.utf8}.UTF-8"
    grep -qxF "$name UTF-8" /etc/locale.gen || echo "$name UTF-8" >>/etc/locale.gen
    made=yes
  done < <(source_read locales)
  [[ $made == no ]] && return
  locale-gen >/dev/null
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
  [[ -z $packages ]] || DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y --no-install-recommends install $packages </dev/null 9>&- || true
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

# rsync made the trees equal; this tells an upgrade of the source since the survey, which a move must not carry unseen.
check_version() {
  local found
  found="$(sed -n '/def major/,/end/p; /def minor/,/end/p; /def patch/,/end/p' "$APP_DIR/$version_file" | grep -oE '[0-9]+' | head -n 3 | paste -sd .)"
  [[ $MASTODON_VERSION == "$found"* ]] ||
    die "Mastodon $MASTODON_VERSION in $APP_DIR, as the survey found it" "$found" "finish the upgrade on the source first, and do not upgrade during a move; then take the facts anew"
}
