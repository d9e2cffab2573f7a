# app/secrets (target): the source's .env.production with only the host's own variables changed, and every other one proven equal.
# shellcheck shell=bash
# Extra settings: READ_PRIVATE_KEY SOURCE_HOST_KEY HASH_SALT; SEEN_ENV, which only makes the step run again
. "$scripts/lib/source.sh"
. "$scripts/lib/app.sh"
. "$scripts/app/env.sh"

present() {
  mapfile -t units < <(app_units)
  if any_active "${units[@]}"; then
    log "the app runs here already: its .env.production is left alone"
    return
  fi
  open_source
  check_source
  (umask 077 && source_read read env >"$run/source.env")
  [[ -s $run/source.env ]] || die "the source's $env_file" "an empty file" "look at that file on the source"
  put_file "$carried" 0600 root:root <"$run/source.env"
  rm -f "$run/source.env"
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
