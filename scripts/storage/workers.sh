# Sidekiq on this host, drained before it stops, and the same processes again afterwards.
# shellcheck shell=bash
. "$scripts/sidekiq/units.sh"

workers_was=$known/sidekiq.was

workers_down() {
  if in_compose; then compose_workers_down; return; fi
  local units
  units="$(running_sidekiqs)"
  [[ -n $units ]] || return 0
  # Written once: what ran before is what comes back.
  [[ -s $workers_was ]] || put_file "$workers_was" 0600 root:root <<<"$units"
  patient_stop
  quiet_and_drain "${DRAIN_SECONDS:-60}"
  # shellcheck disable=SC2086 # one word a unit
  systemctl stop $units
}

workers_up() {
  local unit
  [[ -s $workers_was ]] || return 0
  if in_compose; then
    # shellcheck disable=SC2086 # one word a service
    compose up -d --no-deps --force-recreate $SIDEKIQ_UNITS >/dev/null 2>&1
  else
    while read -r unit; do systemctl start -- "$unit"; done <"$workers_was"
    wait_until 90 "Sidekiq on this host to register with Redis" workers_work
    usual_stop
  fi
  rm -f "$workers_was"
}

workers_work() { own_processes | grep -q ' working '; }

compose_workers_down() {
  local service end
  [[ -s $workers_was ]] || put_file "$workers_was" 0600 root:root <<<"$SIDEKIQ_UNITS"
  for service in $SIDEKIQ_UNITS; do compose kill -s TSTP "$service" >/dev/null 2>&1 || true; done
  end=$((SECONDS + ${DRAIN_SECONDS:-60}))
  until compose_drained >/dev/null; do
    ((SECONDS < end)) || { log "sidekiq: after ${DRAIN_SECONDS:-60} s still at work: $(compose_drained || true) they are pushed back when it stops"; break; }
    sleep 0.5
  done
  # shellcheck disable=SC2086 # one word a service
  compose stop -t 90 $SIDEKIQ_UNITS >/dev/null 2>&1
}

# Redis is asked where it runs: its network is for the project's containers alone.
compose_redis() {
  local password words=()
  password="$(app_env REDIS_PASSWORD)"
  [[ -z "$(app_env REDIS_DB)" ]] || words+=(-n "$(app_env REDIS_DB)")
  # shellcheck disable=SC2016 # the shell inside expands it
  # The password goes through the environment of the process inside, not through its arguments.
  printf '%s' "$password" | compose exec -T "${REDIS_SERVICE:-redis}" sh -c 'REDISCLI_AUTH="$(cat)"; [ -z "$REDISCLI_AUTH" ] || export REDISCLI_AUTH; exec redis-cli "$@"' _ "${words[@]}" "$@"
}

compose_drained() {
  local process left=''
  while read -r process; do
    [[ -n $process ]] || continue
    case "$(compose_redis HMGET "$process" quiet busy </dev/null | tr '\n' ' ')" in "true 0 " | " " | "  ") ;; *) left+="$process;" ;; esac
  done < <(compose_redis SMEMBERS processes)
  [[ -z $left ]] || { echo "$left"; return 1; }
}
