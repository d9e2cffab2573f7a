# The target's .env.production, made from the source's.
# shellcheck shell=bash

carried=$state/source.env
env_file=$APP_DIR/.env.production
pooler_login=$etc/app.pgpass # made by the pooler's step

# Writes what belongs to the host: where Postgres and Redis are, as whom, and who may stand before the web process.
write_env() {
  local mode
  mode="$(stat -c %a "$env_file" 2>/dev/null || echo 640)"
  (umask 077 && EDIT_PREPARED="$(speaks_prepared)" EDIT_PROXIES="$(proxy_addresses)" EDIT_DATABASE="$DB_NAME" POOLER=$PORT_POOLER REDIS=$PORT_REDIS_PROXY \
    python3 "$scripts/app/rewrite_env.py" "$carried" "$pooler_login" >"$run/target.env")
  put_file "$env_file" "$mode" "$APP_USER:$(id -gn "$APP_USER")" <"$run/target.env"
  rm -f "$run/target.env"
}

# PgBouncer keeps prepared statements apart since 1.21, and by default since 1.24.
speaks_prepared() {
  local version
  version="$(pgbouncer --version | sed -n 's/^PgBouncer \([0-9.]*\).*/\1/p')"
  if dpkg --compare-versions "${version:-0}" ge 1.24; then echo yes; else echo no; fi
}

# The addresses that the source's requests come from.
proxy_addresses() { getent ahosts "$SOURCE_ADDRESS" | awk '{ print $1 }' | sort -u | xargs; }
