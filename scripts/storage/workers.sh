# Sidekiq on this host, drained before it stops, and the same processes again afterwards.
# shellcheck shell=bash
. "$scripts/sidekiq/units.sh"

workers_was=$known/sidekiq.was
held_env=$known/env.held # the app's variables as they were when Sidekiq was stopped
web_was=''               # the web process that had read them

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

# hold_workers: workers_down, and whatever fails from here on also says what becomes of Sidekiq.
hold_workers() {
  held_here=yes
  [[ ! -s $workers_was ]] || held_here=no
  put_file "$held_env" 0600 root:root <"$(env_path)"
  web_was="$(web_process)"
  trap 'status=$?; free_workers; on_exit "$status"' EXIT
  workers_down
}

# Until nginx leads the first request to a second web process nothing was written to another place, and all goes on as it was. Later
# Sidekiq must not: it would write to another place than a web process that is not exchanged yet. Nor may one that an earlier run has
# stopped, of which nobody knows how far it came.
free_workers() {
  if [[ $finished == no && -s $workers_was ]]; then
    if [[ $held_here == yes && $led == no ]] && (put_env_back && drop_lead && next_web_down && renew_web && restart_workers); then
      log "trunkline: $step on $(host_label): the app's variables are as they were, and Sidekiq works again"
    else
      log "trunkline: $step on $(host_label): Sidekiq waits, and its jobs with it, until the exchange is through. What to do: run \`pulumi up\` again, which goes on from here and starts it in the end"
    fi
  fi
  rm -f "$held_env"
}

put_env_back() {
  local path
  path="$(env_target)" || return
  cmp -s "$held_env" "$path" || put_file "$path" "$(stat -c %a "$path")" "$(stat -c %U:%G "$path")" <"$held_env"
}

# A web process that died meanwhile, for lack of memory for instance, has come back with the variables that are gone again.
renew_web() { [[ "$(web_process)" == "$web_was" ]] || web_restart; }

# A container keeps the variables that it was made with, however often it is started.
web_process() { in_compose || systemctl show --property MainPID --value -- "${WEB_UNITS%% *}"; }

# One that was only told to take no more jobs would not begin again by being started.
restart_workers() {
  in_compose || xargs -r systemctl stop -- <"$workers_was"
  workers_up
}

workers_up() {
  local unit
  [[ -s $workers_was ]] || return 0
  if in_compose; then
    # shellcheck disable=SC2086 # one word a service
    compose_must up -d --no-deps --force-recreate $SIDEKIQ_UNITS
    wait_until 90 "Sidekiq to register with Redis" compose_workers_work
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
  for service in $SIDEKIQ_UNITS; do compose kill -s TSTP "$service" </dev/null >/dev/null 2>&1 || true; done
  end=$((SECONDS + ${DRAIN_SECONDS:-60}))
  until compose_drained >/dev/null; do
    ((SECONDS < end)) || { log "sidekiq: after ${DRAIN_SECONDS:-60} s still at work: $(compose_drained || true) they are pushed back when it stops"; break; }
    sleep 0.5
  done
  # shellcheck disable=SC2086 # one word a service
  compose_must stop -t 90 $SIDEKIQ_UNITS
}

# What scripts/sidekiq/processes.py tells, asked where Redis runs: its network is for the project's containers alone.
processes_script="local all = {}
for _, name in ipairs(redis.call('SMEMBERS', 'processes')) do
  local told = redis.call('HMGET', name, 'quiet', 'busy')
  if told[2] then all[#all + 1] = name .. (told[1] == 'true' and ' quiet ' or ' working ') .. told[2] end
end
return all"

compose_processes() {
  local words=()
  [[ -z "$(app_env REDIS_DB)" ]] || words+=(-n "$(app_env REDIS_DB)")
  # shellcheck disable=SC2016 # the shell inside expands it
  # The password goes through the environment of the process inside, not through its arguments.
  app_env REDIS_PASSWORD | compose exec -T "${REDIS_SERVICE:-redis}" \
    sh -c 'REDISCLI_AUTH="$(cat)"; [ -z "$REDISCLI_AUTH" ] || export REDISCLI_AUTH; exec redis-cli "$@"' _ "${words[@]}" EVAL "$processes_script" 0
}

compose_drained() {
  local left
  left="$(compose_processes)" || return 1
  left="$(grep -v -e ' quiet 0$' -e '^$' <<<"$left" || true)"
  [[ -z $left ]] || { tr '\n' ';' <<<"$left"; return 1; }
}

compose_workers_work() { compose_processes | grep ' working ' >/dev/null; }
