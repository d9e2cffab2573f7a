# Sidekiq's units on a host: which run, and how they are stopped without losing a job.
# shellcheck shell=bash

# Mastodon's own units give Sidekiq 15 s to stop, and Sidekiq takes 25 s to push back what it has not finished: systemd
# would kill it, and the jobs at work would be lost.
stop_seconds=90

sidekiq_files() {
  local unit
  for unit in $SIDEKIQ_UNITS; do echo "/etc/systemd/system/${unit%.service}.service.d/50-trunkline.conf"; done
}

patient_stop() {
  local file
  for file in $(sidekiq_files); do put_file "$file" 0644 root:root <<<$'[Service]\n'"TimeoutStopSec=$stop_seconds"; done
  systemctl daemon-reload
}

usual_stop() {
  local file
  for file in $(sidekiq_files); do
    drop_file "$file"
    rmdir --ignore-fail-on-non-empty "$(dirname "$file")" 2>/dev/null || true
  done
  systemctl daemon-reload
}

running_sidekiqs() {
  local unit
  for unit in $SIDEKIQ_UNITS; do systemctl is-active --quiet "$unit" && echo "$unit"; done
  return 0
}

# The processes of Sidekiq that say they run on this host, as Redis knows them.
own_processes() {
  python3 "$scripts/sidekiq/processes.py" "$APP_DIR/.env.production" | grep -E "^$(uname -n | sed 's/[.]/\\./g'):" || true
}

# Succeeds when every process of this host has said that it takes no more jobs and has none at work; says what is left.
drained() {
  local left
  left="$(own_processes | grep -v ' quiet 0$' || true)"
  [[ -z $left ]] || { echo "$left" | tr '\n' ';'; return 1; }
}

# quiet_and_drain SECONDS: TSTP to every running unit, then until no job is at work. Jobs that run longer are pushed back at the stop.
quiet_and_drain() {
  local unit end=$((SECONDS + $1))
  for unit in $(running_sidekiqs); do systemctl kill --signal=TSTP --kill-who=main "$unit"; done
  until drained >/dev/null; do
    ((SECONDS < end)) || { log "sidekiq: after $1 s still at work: $(drained || true) they are pushed back when it stops"; return 0; }
    sleep 0.3
  done
}
