# A restart of the web process that nobody notices: a second one with the new settings takes over until the first one is back.
# Wherever it is cut off, the next run puts nginx back first and begins anew.
# shellcheck shell=bash
. "$scripts/lib/web.sh"

next_unit=trunkline-next-web.service
routed=$state/storage.routed # nginx's files that lead to the second process, a path a line
led=no                       # whether this run has led anything to it
routing=$run/storage.routing # marks that it began in this boot: it goes as the second process does

# Puts back what a run that was cut off has left, with the first process serving whatever its settings are now.
recover_web() {
  [[ -f $routed ]] || { next_web_down; return 0; }
  log "$step: an earlier run was cut off while the web process was exchanged: putting nginx back first"
  web_up
  route_back
  next_web_down
}

# try_web: a second process can serve beside the first, and nginx takes what it will be told; asked before anything waits for it.
try_web() {
  local what said
  for what in writes reads all; do
    lead "$what"
    said="$(nginx -t 2>&1)" || not_led "nginx to accept the site with the second web process in it" "$said"
  done
  unlead
  next_web_up
  next_web_down
}

# roll_web CMD…: CMD leads to the second process what it likes, and everything in the end, before the first one is restarted.
roll_web() {
  next_web_up
  "$@"
  web_restart
  route_back
  next_web_down
}

next_web_up() {
  if in_compose; then next_web_in_compose; else next_web_unit; fi
  wait_until 180 "a second web process on port $PORT_NEXT_WEB to answer" answers "127.0.0.1:$PORT_NEXT_WEB" /health 200
  wait_until 60 "the second web process to read from the database" answers "127.0.0.1:$PORT_NEXT_WEB" "/.well-known/webfinger?resource=acct:$DOMAIN@$DOMAIN" 200 404
}

# The web's own unit with another port. Its variables come from .env.production when it starts.
next_web_unit() {
  local unit=${WEB_UNITS%% *} file=/run/systemd/system/$next_unit
  systemctl stop "$next_unit" 2>/dev/null || true
  {
    systemctl cat -- "$unit"
    printf '\n[Service]\nEnvironment=PORT=%s\nUnsetEnvironment=SOCKET\nRuntimeDirectoryPreserve=yes\nTimeoutStopSec=90\n' "$PORT_NEXT_WEB"
    # Two full-size processes have to fit into memory.
    enough_memory "$unit" || printf 'Environment=WEB_CONCURRENCY=1\n'
  } | grep -v '^# /' >"$run/next.unit"
  install -D -m 0644 "$run/next.unit" "$file"
  systemctl daemon-reload
  systemctl start "$next_unit"
}

enough_memory() {
  local free used
  free="$(awk '/^MemAvailable:/ { print $2 * 1024 }' /proc/meminfo)"
  used="$(unit_property "$1" MemoryCurrent)"
  [[ ! $used =~ ^[0-9]+$ ]] || ((free > used + used / 2))
}

next_web_in_compose() {
  local service=${WEB_UNITS%% *} inner
  inner="$(app_env PORT)"
  remove_container
  compose_must run -d --no-deps --name trunkline-next-web -p "127.0.0.1:$PORT_NEXT_WEB:${inner:-3000}" "$service"
}

next_web_down() {
  if in_compose; then
    remove_container
  elif [[ -e /run/systemd/system/$next_unit ]]; then
    systemctl stop "$next_unit" 2>/dev/null || true
    rm -f "/run/systemd/system/$next_unit"
    systemctl daemon-reload
    systemctl reset-failed "$next_unit" 2>/dev/null || true
  fi
}

# The container engine that Compose stands on, whichever it is.
remove_container() {
  local engine=docker
  if [[ $COMPOSE_CLI == *podman* ]]; then engine=podman; fi
  "$engine" stop -t 90 trunkline-next-web >/dev/null 2>&1 || true
  "$engine" rm -f trunkline-next-web >/dev/null 2>&1 || true
}

# A reboot must not leave nginx with a process that is gone, until somebody wakes up: its files are put back before it starts.
mind_reboot() {
  local before=$changed
  touch "$routing"
  keep_unit storage-reboot <<-END
	[Unit]
	Description=Trunkline: nginx leads to the first web process again
	Before=nginx.service
	ConditionPathExists=$routed
	ConditionPathExists=!$routing
	[Service]
	Type=oneshot
	ExecStart=/bin/bash $scripts/storage/reboot.sh
	[Install]
	WantedBy=multi-user.target
	END
  changed=$before
}

# route writes|reads|all: nginx leads these to the second process; returns when nothing of them is under way in the first.
route() {
  local before=()
  mapfile -t before < <(nginx_workers)
  lead "$1"
  led=yes
  load_nginx route_files_back
  await_drained "${before[@]}"
}

# lead writes|reads|all: nginx's files say so; it has not read them yet.
lead() {
  local file files said end=''
  # A site that leads to two processes names the first one's upstream no more.
  [[ -f $routed ]] || python3 "$scripts/storage/route.py" files "$(web_address)" "$PORT_NEXT_WEB" >"$routed.part"
  [[ ! -s $routed.part ]] || mv "$routed.part" "$routed"
  [[ -s $routed ]] || die "nginx to name the web process at $(web_address)" "no site with it" "see how nginx reaches the app on this host"
  mapfile -t files <"$routed"
  mind_reboot
  for file in "${files[@]}"; do save_original "$file"; done
  for file in "${files[@]}"; do
    said="$(python3 "$scripts/storage/route.py" "$1" "$(web_address)" "$PORT_NEXT_WEB" "$state/saved/files$file" "$end" "${files[@]/#/$state/saved/files}" 2>&1 >"$run/route.part")" ||
      not_led "$file to be a file that can lead to two web processes" "$said"
    put_file "$file" "$(stat -c %a "$file")" "$(stat -c %U:%G "$file")" <"$run/route.part"
    end+=_
  done
  rm -f "$run/route.part"
}

# not_led WHAT FOUND: nginx goes on with what it has.
not_led() {
  [[ $led == yes ]] || unlead
  die "$1" "$2" "change how this host's nginx names $(web_address) there, then run \`pulumi up\` again"
}

unlead() { route_files_back && forget_route; }

# drop_lead: the same where a run ends within `lead`, of a full disk for instance.
drop_lead() { [[ ! -f $routed ]] || unlead; }

route_back() {
  local before
  mapfile -t before < <(nginx_workers)
  route_files_back
  load_nginx
  await_drained "${before[@]}"
  forget_route
}

forget_route() {
  drop_unit storage-reboot
  rm -f "$routed" "$routed.part" "$routing"
}

route_files_back() {
  local file
  while read -r file; do restore_original "$file"; done <"$routed"
}

# Until the nginx processes from before the reload have answered all that was asked of them; websockets may stay with them.
await_drained() {
  local end=$((SECONDS + 180)) left
  until left="$(python3 "$scripts/storage/drained.py" "$(streaming_addresses | xargs)" "$@")"; do
    ((SECONDS < end)) || { log "$step: after 180 s there still are requests under way: $left; going on"; return 0; }
    sleep 0.2
  done
}

web_restart() {
  local unit
  if in_compose; then
    # shellcheck disable=SC2086 # one word a service
    compose_must up -d --no-deps --force-recreate $WEB_UNITS
  else
    for unit in $WEB_UNITS; do systemctl restart -- "$unit"; done
  fi
  await_web
}

# The first process serves, whatever became of it.
web_up() {
  local unit
  # shellcheck disable=SC2086 # one word a service
  # One that serves must not be made anew for variables that have changed: what reads is led to it.
  if in_compose; then compose_must up -d --no-deps --no-recreate $WEB_UNITS; else for unit in $WEB_UNITS; do systemctl start -- "$unit"; done; fi
  await_web
}

await_web() {
  wait_until 180 "the web process at $(web_address) to answer" answers "$(web_address)" /health 200
  wait_until 60 "the web process to read from the database" answers "$(web_address)" "/.well-known/webfinger?resource=acct:$DOMAIN@$DOMAIN" 200 404
}
