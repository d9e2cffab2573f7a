# gate/switch (target): is the app here, and are the data in step, before they move?
# shellcheck shell=bash
. "$scripts/gate/lib.sh"

main() {
  check_standby
  check_redis
  check_space
  # shellcheck disable=SC2086 # a list
  check_running $WEB_UNITS $SIDEKIQ_UNITS
  check_running pgbouncer.service haproxy.service
  verdict
}
