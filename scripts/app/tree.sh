# app/tree (target): the app with its Ruby and Node, its units and what they need of the system. Nothing is started.
# It is the source's own tree; or, where that would not run, the same release installed the official way.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY RATE_MIB; APP_INSTALL (copy, official or auto) APP_REPOSITORY APP_REF;
# SEEN_TREE, which only makes the step run again
. "$scripts/lib/source.sh"
. "$scripts/lib/app.sh"
. "$scripts/app/programs.sh"

version_file=lib/mastodon/version.rb

present() {
  mapfile -t units < <(app_units)
  if any_active "${units[@]}"; then
    log "the app runs here already: its tree is left alone"
    result count 0 version "$MASTODON_VERSION"
    return
  fi
  open_source
  check_source
  refuse_home
  local way
  way="$(install_way)"
  start_afresh "$way"
  case $way in
    copy) bring_app tree-copy.sh 7200 ;;
    official) bring_app tree-official.sh 14400 ;;
  esac
  # A copy gives the home the source's mode; nginx has to pass here all the same (web/site), and that step may not run again.
  chmod o+x "$APP_HOME"
  make_folders
  carry_units
  if [[ $way == copy ]]; then carry_node; fi
  carry_programs
  carry_locales
  make_writable
  check_libraries
  check_programs
  check_version
  result way "$way" version "$MASTODON_VERSION" units "${#units[@]}"
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
  drop_file "$etc/read_key" "$etc/read_hosts" "$etc/read.conf" "$etc/node-carried" "$state/app-way"
  drop_file /etc/apt/sources.list.d/trunkline-node.list /etc/apt/keyrings/trunkline-node.asc
}

# The copy deletes what the source does not have: a home that is somebody's is not taken for it.
refuse_home() {
  [[ ! -f $state/made-home && ! -f $state/app-way ]] || return 0
  local found
  found="$(files_in "$APP_HOME"; [[ $APP_DIR/ == "$APP_HOME"/* ]] || files_in "$APP_DIR")"
  [[ -z $found ]] || die "$APP_HOME on the target to hold nobody's files" "$(wc -l <<<"$found") of them, as ${found%%$'\n'*}" \
    "take an empty server, or move away what lies there (what an earlier move has brought may be deleted): all that the source does not have would be deleted"
}

# Files of a folder but media that wait there (none where they are in a bucket), what every new home has, and what is not carried.
files_in() { # FOLDER
  [[ -d $1 ]] || return 0
  (cd "$1" && find . -xdev \( -path ./.ssh -o -path ./.cache \) -prune -o ! -type d -printf '%P\n') |
    while IFS= read -r file; do
      [[ (-n $MEDIA_DIR && $1/$file == "$MEDIA_DIR"/*) || $file == .bash_history || -e /etc/skel/$file ]] || printf '%s\n' "$1/$file"
    done
}

# By itself (auto) the app is copied where this is the source's release of the system, and installed where it is another.
install_way() {
  local own
  own="$(. /etc/os-release && echo "$ID-${VERSION_ID:-}")"
  if [[ $APP_INSTALL != auto ]]; then
    echo "$APP_INSTALL"
  elif [[ ${SOURCE_RELEASE:-$own} == "$own" ]]; then
    echo copy
  else
    echo official
  fi
}

# Ruby and gems that the other way brought are cleared away first: those of another system look as if they were good.
start_afresh() { # WAY
  if [[ -f $state/made-home && $(cat "$state/app-way" 2>/dev/null || echo copy) != "$1" ]]; then
    log "the app comes here another way than before: its Ruby, gems and modules are brought anew"
    drop_unit app-tree
    rm -rf --one-file-system "$APP_HOME/.rbenv" "$APP_DIR/vendor/bundle" "$APP_DIR/node_modules"
  fi
  put_file "$state/app-way" 0600 root:root <<<"$1"
}

# In a unit, since it takes minutes. It tells how many files it moved, or how many parts it installed.
bring_app() { # SCRIPT SECONDS
  local before=$changed
  [[ -e $APP_HOME ]] || touch "$state/made-home"
  APP_REPOSITORY=${APP_REPOSITORY:-$SOURCE_REPOSITORY} APP_REF=${APP_REF:-$SOURCE_REF}
  settings_for app-tree SOURCE_ADDRESS APP_USER APP_HOME APP_DIR MEDIA_DIR RATE_MIB APP_REPOSITORY APP_REF
  follow_unit app-tree "$2" -- /bin/bash "$scripts/app/$1"
  changed=$before
  local count
  count="$(cat "$run/app-tree.result" 2>/dev/null || echo 0)"
  ((count == 0)) || changed=yes
  result count "$count"
}

# Neither way brings them: they are left out of the copy, and git knows no empty folder.
make_folders() {
  local folder
  for folder in log tmp tmp/cache tmp/pids tmp/sockets; do
    [[ ! -d $APP_DIR/$folder ]] || continue
    install -d -o "$(stat -c %u "$APP_DIR")" -g "$(stat -c %g "$APP_DIR")" "$APP_DIR/$folder"
    changed=yes
  done
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
    [[ $path == /* && ! -e $path ]] || continue
    [[ -z $MEDIA_DIR || ($MEDIA_DIR/ != "$path"/* && $path/ != "$MEDIA_DIR"/*) ]] || continue
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
  # What the source has no more, this host has no more either.
  if [[ -f $state/carried-units ]]; then
    while IFS= read -r file; do drop_file "/etc/systemd/system/$file"; done < <(comm -23 "$state/carried-units" "$folder.list")
  fi
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

# A unit may run a Ruby or Node from a place of its own, which an installation does not know of.
check_programs() {
  local unit path
  for unit in "${units[@]}"; do
    path="$(systemctl show --property ExecStart --value -- "$unit" | sed -n 's/.*path=\([^ ;]*\) .*/\1/p' | head -n 1)"
    [[ -z $path || -x $path ]] || die "$path on the target, which $unit runs" "none" "install it there, or let the unit run another one"
  done
}

# The trees are equal; this tells an upgrade of the source since this run's survey, which may not be through.
check_version() {
  local found
  found="$(sed -n '/def major/,/end/p; /def minor/,/end/p; /def patch/,/end/p' "$APP_DIR/$version_file" | grep -oE '[0-9]+' | head -n 3 | paste -sd .)"
  [[ $MASTODON_VERSION == "$found"* ]] ||
    die "Mastodon $MASTODON_VERSION in $APP_DIR, as the survey found it" "$found" "finish the upgrade on the source, then run \`pulumi up\` again"
}
