# The app on this host: its units, its ports, its health.
# shellcheck shell=bash

# unit_names WORDS: full names of the units that a setting names, one a line.
unit_names() {
  local unit
  for unit in $1; do
    [[ $unit == *.* ]] || unit+=.service
    echo "$unit"
  done
}

app_units() { unit_names "$WEB_UNITS $STREAMING_UNITS $SIDEKIQ_UNITS"; }

# Whether one of the units runs.
any_active() { systemctl is-active --quiet -- "$@"; }

# Of a step between sidekiq/quiet and sidekiq/run. One that runs again later finds a Sidekiq at work, as Redis knows them.
tell_no_sidekiq() {
  ! python3 "$scripts/sidekiq/processes.py" "$APP_DIR/.env.production" 2>/dev/null | grep ' working ' >/dev/null || return 0
  # shellcheck disable=SC2016 # no command
  log 'No Sidekiq works on either server between sidekiq/quiet and sidekiq/run: jobs wait in Redis until then. If this takes long to mend, `pulumi up` with phase replicate starts the one on the source again'
}

# unit_environment UNIT NAME: a variable that the unit file itself sets; it wins over .env.production.
unit_environment() {
  systemctl show --property Environment --value -- "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | tail -n 1
}

# Where puma listens: 127.0.0.1:3000, or unix:/path.
web_address() {
  [[ -z ${COMPOSE_WEB:-} ]] || { echo "$COMPOSE_WEB"; return; }
  local unit=${WEB_UNITS%% *} socket port
  socket="$(unit_environment "$unit" SOCKET)" port="$(unit_environment "$unit" PORT)"
  if [[ -n $socket ]]; then echo "unix:$socket"; else echo "127.0.0.1:${port:-3000}"; fi
}

# Where the streaming processes listen, one a line; a template's instance is its port, unless its variables say another.
streaming_addresses() {
  [[ -z ${COMPOSE_STREAMING:-} ]] || { tr ' ' '\n' <<<"$COMPOSE_STREAMING"; return; }
  local unit port found=''
  for unit in $STREAMING_UNITS; do
    port="$(unit_environment "$unit" PORT)"
    [[ -n $port || ! ${unit%.service} =~ @([0-9]+)$ ]] || port=${BASH_REMATCH[1]}
    [[ -z $port ]] || found+="127.0.0.1:$port"$'\n'
  done
  printf '%s' "${found:-127.0.0.1:4000$'\n'}" | sort -u
}

# ask_app ADDRESS PATH: HTTP status, as nginx would ask it.
ask_app() {
  local where=("http://$1$2")
  [[ $1 == unix:* ]] && where=(--unix-socket "${1#unix:}" "http://localhost$2")
  curl --silent --noproxy '*' --max-time 20 --output /dev/null --write-out '%{http_code}' \
    --header "Host: $WEB_DOMAIN" --header 'X-Forwarded-Proto: https' --header 'X-Forwarded-For: 127.0.0.1' "${where[@]}" || true
}

answers() { # ADDRESS PATH STATUS…: whether the app answers so; says what it answered
  local address=$1 path=$2 status
  shift 2
  status="$(ask_app "$address" "$path")"
  echo "$path at $address answered $status"
  [[ " $* " == *" $status "* ]]
}

# The app serves: its processes answer, and a read that needs the database succeeds (one that no limit of requests counts).
await_app() {
  local address
  address="$(web_address)"
  wait_until 120 "the web process at $address to answer /health" answers "$address" /health 200
  wait_until 60 "the web process to read from the database" answers "$address" "/.well-known/webfinger?resource=acct:$DOMAIN@$DOMAIN" 200 404
  [[ -n $STREAMING_UNITS ]] || return 0
  while read -r address; do
    wait_until 60 "the streaming process at $address to answer" answers "$address" /api/v1/streaming/health 200
  done < <(streaming_addresses)
}

# start_units UNIT…: enables and starts; a unit that fails says so with its journal.
start_units() {
  local unit
  for unit; do
    systemctl is-enabled --quiet -- "$unit" 2>/dev/null || { systemctl enable --quiet -- "$unit" 2>/dev/null || true; changed=yes; }
    systemctl is-active --quiet -- "$unit" && continue
    changed=yes
    systemctl reset-failed -- "$unit" 2>/dev/null || true
    systemctl start -- "$unit" ||
      die "$unit to start" "$(unit_property "$unit" Result), and in its journal: $(unit_journal "$unit" 10)" "mend what it names, then run \`pulumi up\` again"
  done
}

# stop_units UNIT…: stops and disables.
stop_units() {
  local unit
  for unit; do
    if systemctl is-active --quiet -- "$unit"; then
      systemctl stop -- "$unit"
      changed=yes
    fi
    if systemctl is-enabled --quiet -- "$unit" 2>/dev/null; then
      systemctl disable --quiet -- "$unit" 2>/dev/null
      changed=yes
    fi
  done
}
