# app/stop (source): web, streaming and Sidekiq are stopped and masked, so that nobody starts them beside the target's.
# shellcheck shell=bash
. "$scripts/lib/app.sh"

kept=$state/saved/units # UNIT ACTIVE, as they were

present() {
  mapfile -t units < <(app_units)
  remember
  local unit left=()
  for unit in "${units[@]}"; do
    is_masked "$unit" && ! systemctl is-active --quiet -- "$unit" && continue
    give_time "$unit"
    left+=("$unit")
  done
  if ((${#left[@]})); then
    changed=yes
    systemctl stop -- "${left[@]}"
    for unit in "${left[@]}"; do mask "$unit"; done
  fi
  systemctl daemon-reload
  ! any_active "${units[@]}" ||
    die "all units of Mastodon on the source to be stopped" "$(systemctl is-active -- "${units[@]}" | xargs) of ${units[*]}" "see what starts them again there"
  release_connections
  result units "${#units[@]}"
}

# In the order of the setting: web and streaming first, so that the site serves as soon as it may.
absent() {
  [[ -f $kept ]] || return 0
  local unit active
  while read -r unit active; do
    restore_original "/etc/systemd/system/$unit"
  done <"$kept"
  systemctl daemon-reload
  while read -r unit active; do
    [[ $active == active ]] || continue
    systemctl is-active --quiet -- "$unit" || { systemctl start -- "$unit"; changed=yes; }
  done <"$kept"
  await_app
  drop_file "$kept"
}

# A pooler of the source's own keeps connections for a while after its last client; the switchover takes them for somebody
# who still writes.
release_connections() {
  psql_local -v user="$DB_USER" -f - <<-'END' >/dev/null 2>&1 || true
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	  WHERE datname = current_database() AND usename = :'user' AND backend_type = 'client backend' AND state = 'idle';
	END
}

# Which of them ran before the first one was stopped.
remember() {
  [[ -f $kept ]] && return
  local unit
  for unit in "${units[@]}"; do
    echo "$unit $(systemctl is-active -- "$unit" || true)"
  done | put_file "$kept" 0600 root:root
}

is_masked() { [[ "$(readlink "/etc/systemd/system/$1")" == /dev/null ]]; }

# `systemctl mask` refuses where the unit's own file lies in /etc, as Mastodon's do: the file is saved, and the link put in its place.
mask() {
  save_original "/etc/systemd/system/$1"
  ln -sfn /dev/null "/etc/systemd/system/$1.part"
  mv -T "/etc/systemd/system/$1.part" "/etc/systemd/system/$1"
}

# Mastodon's units give 15 s, and Sidekiq needs 25 to hand back the jobs at work: a kill before that loses them.
give_time() {
  [[ " $SIDEKIQ_UNITS " == *" ${1%.service} "* || " $SIDEKIQ_UNITS " == *" $1 "* ]] || return 0
  local folder="/run/systemd/system/$1.d"
  install -d "$folder"
  printf '[Service]\nTimeoutStopSec=90\n' >"$folder/50-trunkline.conf"
  systemctl daemon-reload
}
