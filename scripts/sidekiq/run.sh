# sidekiq/run (target): Sidekiq works here, and nowhere else: its scheduler must run once.
# shellcheck shell=bash
# Extra settings: DRAIN_SECONDS
. "$scripts/lib/app.sh"
. "$scripts/sidekiq/units.sh"

present() {
  local others unit
  if_unfinished=tell_no_sidekiq
  others="$(python3 "$scripts/sidekiq/processes.py" "$APP_DIR/.env.production" | grep -vE "^$(uname -n | sed 's/[.]/\\./g'):" | grep ' working ' || true)"
  [[ -z $others ]] || die "no other Sidekiq to take jobs" "$others" "stop it there; two schedulers would do everything twice"
  patient_stop
  for unit in $SIDEKIQ_UNITS; do
    systemctl is-enabled --quiet "$unit" || { systemctl enable --quiet "$unit"; changed=yes; }
    systemctl is-active --quiet "$unit" || { systemctl start "$unit"; changed=yes; }
  done
  wait_until 120 "Sidekiq on this host to register with Redis" at_work
  result processes "$(own_processes | wc -l)"
}

absent() {
  local units
  units="$(running_sidekiqs)"
  [[ -n $units ]] || return 0
  quiet_and_drain "${DRAIN_SECONDS:-60}"
  # shellcheck disable=SC2086 # one word a unit
  systemctl disable --quiet --now $units
  changed=yes
}

at_work() { [[ -n "$(own_processes)" ]]; }
