# sidekiq/quiet (source): Sidekiq takes no new jobs, finishes what it has, and stops; what waits in Redis waits there
# until the target's Sidekiq takes it. A file that is uploaded from now on is on the target, and so must be who processes it.
# shellcheck shell=bash
# Extra settings: DRAIN_SECONDS
. "$scripts/sidekiq/units.sh"

was=$state/sidekiq.was

present() {
  local units
  units="$(running_sidekiqs)"
  if [[ -n $units ]]; then
    # Written once: what ran before Trunkline touched anything is what comes back.
    [[ -s $was ]] || put_file "$was" 0600 root:root <<<"$units"
    patient_stop
    quiet_and_drain "$DRAIN_SECONDS"
    # shellcheck disable=SC2086 # one word a unit
    systemctl stop $units
    changed=yes
  fi
  result stopped "$(wc -w <"$was" 2>/dev/null || echo 0)"
}

absent() {
  local unit
  [[ -f $was ]] || return 0
  while read -r unit; do
    systemctl is-active --quiet "$unit" || { systemctl start "$unit"; changed=yes; }
  done <"$was"
  wait_until 90 "Sidekiq on this host to register with Redis" at_work
  usual_stop
  drop_file "$was"
}

at_work() { own_processes | grep -q ' working '; }
