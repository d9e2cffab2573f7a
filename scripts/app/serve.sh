# app/serve (target): web and streaming run here, and a read goes through pooler and tunnel to wherever the database is.
# shellcheck shell=bash
. "$scripts/lib/app.sh"
. "$scripts/app/env.sh"
. "$scripts/app/threads.sh"

present() {
  mapfile -t units < <(unit_names "$WEB_UNITS $STREAMING_UNITS")
  adopt_login
  any_active "${units[@]}" || more_threads
  start_units "${units[@]}"
  await_app
  result units "${#units[@]}" web "$(web_address)"
}

absent() {
  mapfile -t units < <(unit_names "$WEB_UNITS $STREAMING_UNITS")
  stop_units "${units[@]}"
  usual_threads
}

# The app logs in to the pooler as the pooler's step said. Once it runs here its file is its admin's, and is left alone.
adopt_login() {
  [[ -f $pooler_login ]] ||
    die "the pooler's login in $pooler_login" "no such file" "this step comes after pooler/up: run \`pulumi up\` again"
  any_active "${units[@]}" || write_env
}
