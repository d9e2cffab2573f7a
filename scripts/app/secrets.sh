# app/secrets (target): the source's .env.production with only the host's own variables changed, and every other one proven equal.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY HASH_SALT
. "$scripts/lib/source.sh"
. "$scripts/lib/app.sh"

carried=$state/source.env
env_file=$APP_DIR/.env.production

present() {
  open_source
  check_source
  source_read read env | put_file "$carried" 0600 root:root
  [[ -s $carried ]] || die "the source's $env_file" "an empty file" "look at that file on the source"
  write_env
  shield_units
  compare_secrets
}

absent() {
  mapfile -t units < <(app_units)
  ! any_active "${units[@]}" || die "no unit of the app to run on the target" "one still runs" "go back further first: the app serves here"
  local unit
  for unit in "${units[@]}"; do drop_file "/etc/systemd/system/$unit.d/trunkline-env.conf"; done
  systemctl daemon-reload
  drop_file "$env_file" "$carried"
}

# What belongs to the host: where Postgres and Redis are, and who may stand before the web process.
write_env() {
  local mode
  mode="$(stat -c %a "$env_file" 2>/dev/null || echo 640)"
  EDIT_PREPARED="$(speaks_prepared)" EDIT_PROXIES="$(proxy_addresses)" POOLER=$PORT_POOLER REDIS=$PORT_REDIS_PROXY \
    python3 "$scripts/app/rewrite_env.py" "$carried" "$env_file" >"$run/env.new"
  put_file "$env_file" "$mode" "$APP_USER:$(id -gn "$APP_USER")" <"$run/env.new"
  rm -f "$run/env.new"
}

# PgBouncer keeps prepared statements apart since 1.21, and by default since 1.24.
speaks_prepared() {
  local version
  version="$(pgbouncer --version | sed -n 's/^PgBouncer \([0-9.]*\).*/\1/p')"
  if dpkg --compare-versions "${version:-0}" ge 1.24; then echo yes; else echo no; fi
}

# The addresses that the source's requests come from.
proxy_addresses() { getent ahosts "$SOURCE_ADDRESS" | awk '{ print $1 }' | sort -u | xargs; }

# A variable set by a unit wins over the file, so the host's own ones must not be set there.
shield_units() {
  local unit names before=$changed reload=no
  mapfile -t names < <(python3 "$scripts/app/rewrite_env.py" --names)
  for unit in $(app_units); do
    if systemctl show --property Environment --property EnvironmentFiles -- "$unit" | grep -qE "^EnvironmentFiles=.|[= ]($(IFS='|'; echo "${names[*]}"))="; then
      put_file "/etc/systemd/system/$unit.d/trunkline-env.conf" 0644 root:root <<<"# Made by Trunkline: on this host .env.production names database and Redis"$'\n'"[Service]"$'\n'"UnsetEnvironment=${names[*]}"
      [[ $file_changed == no ]] || reload=yes
    fi
  done
  [[ $reload == no ]] || systemctl daemon-reload
}

# Both sides hash with the same salt; names may be told, values may not.
compare_secrets() {
  source_read fingerprint <<<"$HASH_SALT" >"$run/theirs.json"
  local answer
  answer="$(python3 "$scripts/app/compare_env.py" "$env_file" "$run/theirs.json" <<<"$HASH_SALT")" ||
    die "every variable on the target to equal the source's" "$answer" "run \`pulumi up\` again; if .env.production on the source is being edited, wait for its end"
  rm -f "$run/theirs.json"
  result_json secrets "$answer"
}
