# host/retire (source): the end. Postgres and Redis of the old server are stopped and stay off; what they hold is kept where
# it is, as a last copy of the day of the switch, and would start as a standby, never as a second primary. Other clusters on
# this server run on; what else is in this one and in this Redis stops with them.
# shellcheck shell=bash

# As the first survey found them at work.
postgres_unit="${PG_UNIT:-postgresql@$PG_MAJOR-$PG_CLUSTER.service}"
redis_unit="${REDIS_UNIT:-redis-server.service}"
start_conf=/etc/postgresql/$PG_MAJOR/$PG_CLUSTER/start.conf # which of Debian's clusters start at boot

present() {
  refuse_live
  if [[ -n $PG_CLUSTER && -f $start_conf ]] && grep -q '^auto' "$start_conf"; then
    save_original "$start_conf"
    sed 's/^auto/manual/' "$start_conf" | put_file "$start_conf" 0644 postgres:postgres
  fi
  off "$postgres_unit"
  off "$redis_unit"
  ! runuser -u postgres -- pg_isready -q -p "$PG_PORT" ||
    die "no Postgres on the source any more" "one that answers on port $PG_PORT" "see which unit starts it, and stop that one"
  ! redis_answers || die "no Redis on the source any more" "one that answers on port $REDIS_PORT" "see what starts it (a container?), stop that, and run \`pulumi up\` again"
  leave_renewals
  result kept "$PG_DATA"
}

# They are renewed on the target by now; other sites of this server may have the rest of certbot.
leave_renewals() {
  local name
  for name in ${RENEWALS:-}; do
    [[ ! -e /etc/letsencrypt/renewal/$name.conf ]] ||
      log "host/retire: certbot on this server still tries to renew $name, in vain: \`certbot delete --cert-name $name\` ends that"
  done
}

redis_answers() { ((${REDIS_PORT:-0})) && (exec 3<>"/dev/tcp/127.0.0.1/$REDIS_PORT") 2>/dev/null; }

# There is no way back from here by itself; the copies are as they were left.
absent() {
  local unit
  restore_original "$start_conf"
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
