# app/prove (target): the carried keys fit the carried data: an encrypted row of the standby opens with them, and the push keys are a pair.
# shellcheck shell=bash
# Extra settings: SEEN_ENV, which only makes the step run again

env_file=$APP_DIR/.env.production

present() {
  local rows answer
  rows="$run/encrypted.rows"
  (umask 077 && encrypted_rows >"$rows")
  answer="$(node "$scripts/app/prove.js" "$rows" < <(secrets_for_proof))" ||
    die "the secrets in $env_file to fit the database" "${answer:-no answer}" "the source's own file and database do not fit each other: see which keys its processes really run with (unit environment), and put those into its .env.production"
  rm -f "$rows"
  result_json proof "$answer"
}

absent() { :; }

# One value of each encrypted column, by name, as JSON lines; columns that this release lacks are left out.
encrypted_rows() {
  local column
  for column in users.otp_secret keypairs.private_key; do
    [[ "$(psql_local -c "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '${column%.*}' AND column_name = '${column#*.}')")" == t ]] || continue
    psql_local -c "SELECT json_build_object('column', '$column', 'value', ${column#*.}) FROM public.${column%.*} WHERE ${column#*.} LIKE '{%' ORDER BY id DESC LIMIT 3"
  done
}

# The keys go in on stdin as JSON, so that no other process can see them.
secrets_for_proof() { python3 "$scripts/lib/dotenv.py" json "$env_file"; }
