# Where the parts of Mastodon are on this host: units of systemd (LAYOUT=systemd), or services of Docker Compose (compose).
# shellcheck shell=bash
# Settings for compose: COMPOSE_DIR COMPOSE_FILES (a path a line) COMPOSE_CLI (`docker compose`, in words) COMPOSE_PROJECT
# COMPOSE_ENV_FORMAT (compose or verbatim) COMPOSE_WEB COMPOSE_STREAMING (where this host reaches them) DB_SERVICE;
# WEB_UNITS, SIDEKIQ_UNITS and STREAMING_UNITS are then names of services, and MEDIA_DIR is the host's own path.

in_compose() { [[ ${LAYOUT:-systemd} == compose ]]; }

# The file of variables that Rails and streaming read.
env_path() { if in_compose; then echo "$COMPOSE_DIR/.env.production"; else echo "$APP_DIR/.env.production"; fi; }

# Who reads that file makes something else of quotes, `$` and `#` (scripts/lib/dotenv.py); the survey tells which Compose it is.
env_format() { if in_compose; then echo "${COMPOSE_ENV_FORMAT:-verbatim}"; else echo dotenv; fi; }

# app_env NAME: a variable as the app sees it.
app_env() { python3 "$scripts/lib/dotenv.py" get "$(env_path)" "$1" "$(env_format)"; }

# compose_words: the command line of Compose for this project, a word a line.
compose_words() {
  local file
  # shellcheck disable=SC2086 # `docker compose` is two words
  printf '%s\n' $COMPOSE_CLI
  while read -r file; do [[ -z $file ]] || printf '%s\n' -f "$file"; done <<<"${COMPOSE_FILES:-}"
  [[ -z ${COMPOSE_PROJECT:-} ]] || printf '%s\n' -p "$COMPOSE_PROJECT"
}

compose() {
  local words
  mapfile -t words < <(compose_words)
  (cd "$COMPOSE_DIR" && "${words[@]}" "$@" 9>&-)
}

# compose_must ARG…: tells what Compose said only if it fails.
compose_must() {
  local said
  said="$(compose "$@" </dev/null 2>&1)" || die "Docker Compose to carry out \`$*\`" "$(tail -n 5 <<<"$said")" "mend what it names, then run \`pulumi up\` again"
}

# psql_words: psql on Mastodon's database with its usual options, a word a line; SQL goes to stdin or after -c.
psql_words() {
  if in_compose; then
    compose_words
    printf '%s\n' exec -T "${DB_SERVICE:-db}" psql -XAtq -v ON_ERROR_STOP=1 -U "$DB_USER" -d "$DB_NAME"
  else
    local port=$PORT_TARGET_PG
    [[ $SIDE == source ]] && port=$PG_PORT
    printf '%s\n' runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -p "$port" -d "$DB_NAME"
  fi
}

# tootctl_words ARG…: a word a line.
tootctl_words() {
  if in_compose; then
    compose_words
    printf '%s\n' exec -T "${WEB_UNITS%% *}" tootctl "$@"
  else
    # shellcheck disable=SC2016 # its own arguments, not ours
    printf '%s\n' runuser -u "$APP_USER" -- bash -c \
      'cd "$1" && export RAILS_ENV=production PATH="$2/.rbenv/shims:$2/.rbenv/bin:$PATH" && shift 2 && exec bin/tootctl "$@"' _ "$APP_DIR" "$APP_HOME" "$@"
  fi
}

tootctl() {
  local words
  mapfile -t words < <(tootctl_words "$@")
  (cd "${COMPOSE_DIR:-/}" && "${words[@]}" 9>&-)
}
