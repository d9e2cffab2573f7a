# What the target keeps for the way back, and nobody else needs: it goes at retire, with the tunnels.
# shellcheck shell=bash
. "$scripts/database/shared.sh"

# Whether the data live here: the tunnels go at retire only then. On the way back they have left by now.
is_primary() { [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" == t ]]; }

leave_source() {
  local guard=/etc/systemd/system/trunkline-switchover.service.d
  # The relay would knock at a tunnel that is gone, for ever.
  drop_unit relay
  drop_unit switchover-boot
  drop_file "$guard/recover.conf" "$state/started-trunkline-relay"
  rmdir --ignore-fail-on-non-empty "$guard" 2>/dev/null || true
  drop_file "$etc/switchover.json" "$etc/read_key" "$etc/read_hosts" "$etc/read.conf" "$(passfile)"
  drop_replicator
}

# Who replicated once. Its admin may have come to use it for something else.
drop_replicator() {
  local said
  [[ -n "$(psql_local -c "SELECT 1 FROM pg_roles WHERE rolname = 'trunkline_repl'")" ]] || return 0
  if said="$(psql_local -c 'DROP ROLE trunkline_repl' 2>&1)"; then changed=yes; else log "tunnel/up: the role trunkline_repl stays: $said"; fi
}
