# host/retire (source): the end. Postgres and Redis of the old server are stopped and stay off; what they hold is kept where
# it is, as a last copy of the day of the switch, and would start as a standby, never as a second primary.
# shellcheck shell=bash

postgres_unit="postgresql@$PG_MAJOR-$PG_CLUSTER.service"

present() {
  refuse_live
  off "$postgres_unit"
  off postgresql.service
  off redis-server.service
  ! runuser -u postgres -- pg_isready -q -p "$PG_PORT" ||
    die "no Postgres on the source any more" "one that answers on port $PG_PORT" "see which unit starts it, and stop that one"
  result kept "$PG_DATA"
}

# There is no way back from here by itself; the copies are as they were left.
absent() {
  local unit
  [[ -e $state/retired ]] || return 0
  while read -r unit; do
    systemctl enable --quiet "$unit" 2>/dev/null || true
    systemctl start "$unit"
    changed=yes
  done < <(tac "$state/retired")
  drop_file "$state/retired"
}

# The data live elsewhere if this is a standby, or is down and would start as one.
refuse_live() {
  local role
  if role="$(psql_local -c "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END" 2>/dev/null)"; then
    [[ $role == standby ]] || die "a standby on the source" "the live primary with $DB_NAME" "go through phase switch first"
  else
    [[ -f $PG_DATA/standby.signal ]] || die "a standby on the source" "a Postgres that is down and would start as a primary" "go through phase switch first"
  fi
}

off() { # UNIT: stopped now and at boot; remembered
  local unit=$1
  # Debian's cluster units are enabled by a generator, which says so even of one that nothing starts any more.
  if systemctl is-active --quiet "$unit" || [[ "$(systemctl is-enabled "$unit" 2>/dev/null)" == enabled ]]; then
    grep -qxF "$unit" "$state/retired" 2>/dev/null || echo "$unit" >>"$state/retired"
    systemctl disable --quiet --now "$unit" 2>/dev/null || systemctl stop "$unit"
    changed=yes
  fi
}
