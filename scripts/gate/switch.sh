# gate/switch (target): is the app here, and are the data in step, before they move?
# shellcheck shell=bash
. "$scripts/gate/lib.sh"

main() {
  check_standby
  check_redis
  check_space
  local unit
  for unit in $WEB_UNITS $SIDEKIQ_UNITS; do
    systemctl is-active --quiet "$unit" || refuse "$unit to run on this host" "$(systemctl is-active "$unit" || true)" "run \`pulumi up\` with phase shift"
  done
  for unit in pgbouncer haproxy; do
    systemctl is-active --quiet "$unit" || refuse "$unit to run on this host" "$(systemctl is-active "$unit" || true)" "look at \`journalctl -u $unit\`"
  done
  verdict
}
