# While the database is at the other end of the tunnel every statement waits a round trip, and so does the thread that asked:
# at 10 ms the usual ten threads of the web processes would be busy waiting at a few dozen requests a second. So there are more
# of them for that time. Ruby gives its lock away while it waits, so they cost memory and little else.
# shellcheck shell=bash

# more_threads: for the web units, before they start. One that runs already keeps what it has.
more_threads() {
  local unit usual factor pool
  factor="$(thread_factor)"
  ((factor > 1)) || return 0
  for unit in $(unit_names "$WEB_UNITS"); do
    usual="$(web_setting "$unit" MAX_THREADS 5)" pool="$(web_setting "$unit" DB_POOL "$usual")"
    # A pool smaller than the threads would make them fail instead of wait.
    threads_file "$unit" "$((usual * factor))" "$((pool > usual * factor ? pool : usual * factor))"
  done
  systemctl daemon-reload
}

# usual_threads: from the next start on, whenever the admin wants one, the web units are as they were.
usual_threads() {
  local unit before=$changed
  changed=no
  for unit in $(unit_names "$WEB_UNITS"); do drop_file "$(threads_path "$unit")"; done
  [[ $changed == no ]] || systemctl daemon-reload
  [[ $before == no ]] || changed=yes
}

threads_path() { printf '%s' "/etc/systemd/system/$1.d/trunkline-threads.conf"; }

threads_file() { # UNIT THREADS POOL
  log "$1 gets $2 threads a process while its database is $(round_trip) ms away"
  put_file "$(threads_path "$1")" 0644 root:root <<-END
	# Made by Trunkline for as long as the database is on the old server.
	[Service]
	Environment=MAX_THREADS=$2 MIN_THREADS=$2 DB_POOL=$3
	END
}

# A request of some 30 statements takes about 100 ms on its own, so 5 ms of round trip more than double it; five times the threads
# at most, since more of them than the pooler has connections would only queue there.
thread_factor() {
  local factor=$((1 + $(round_trip) / 5))
  echo "$((factor > 5 ? 5 : factor))"
}

# To the source, in whole milliseconds.
round_trip() {
  PYTHONPATH="$scripts/survey:$scripts/lib" PYTHONDONTWRITEBYTECODE=1 python3 -c \
    'import machine, sys; print(round(machine.peer(sys.argv[1])["rttMs"] or 0))' "$SOURCE_ADDRESS:$SOURCE_SSH_PORT"
}

# web_setting UNIT NAME DEFAULT: as the process sees it; the unit's own environment wins over .env.production.
web_setting() {
  local value
  value="$(own_environment "$1" "$2")"
  [[ -n $value ]] || value="$(env_get "$APP_DIR/.env.production" "$2")"
  [[ $value =~ ^[0-9]+$ ]] || value=$3
  echo "$value"
}

# As unit_environment, but without our own file: a second run must not multiply the first one's number.
own_environment() {
  local file
  file="$(threads_path "$1")"
  if [[ -e $file ]]; then
    systemctl cat -- "$1" | awk -v ours="# $file" '/^# \//{ skip = $0 == ours } !skip' | sed -n 's/^Environment=//p' | tr -d '"' | tr ' ' '\n' | sed -n "s/^$2=//p" | tail -n 1
  else
    unit_environment "$1" "$2"
  fi
}
