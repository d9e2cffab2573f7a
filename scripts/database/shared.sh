# What the database's steps share on both hosts.
# shellcheck shell=bash

block_begin='# trunkline begin: made by Trunkline, and removed by it'
block_end='# trunkline end'

passfile() { printf '%s/.trunkline.pgpass' "$(getent passwd postgres | cut -d: -f6)"; }

# The password of trunkline_repl, for the server itself: never in a conninfo, which ps and pg_stat_wal_receiver show.
write_passfile() {
  local escaped=${REPL_PASSWORD//\\/\\\\}
  put_file "$(passfile)" 0600 postgres:postgres <<<"*:*:*:trunkline_repl:${escaped//:/\\:}"
}

# put_block FILE: the lines on stdin at the top of FILE, where they go before any `reject`; owner and mode stay.
put_block() {
  local block
  block="$(cat)"
  { printf '%s\n%s\n%s\n' "$block_begin" "$block" "$block_end"; without_block "$1"; } |
    put_file "$1" "$(stat -c %a "$1")" "$(stat -c %U:%G "$1")"
}

# The admin may have edited the file meanwhile: only our lines go.
drop_block() {
  file_changed=no
  [[ -f $1 ]] || return 0
  without_block "$1" | put_file "$1" "$(stat -c %a "$1")" "$(stat -c %U:%G "$1")"
  rm -f "$state/saved/files$1"
}

without_block() {
  awk -v begin="$block_begin" -v end="$block_end" '$0 == begin { skip = 1 } !skip; $0 == end { skip = 0 }' "$1"
}

# A name in pg_hba.conf may hold anything between double quotes.
hba_name() { printf '"%s"' "${1//\"/\"\"}"; }

# read_since FILE: `t` if Postgres has read its configuration since FILE was written, which it knows to the second.
read_since() {
  psql_local -v file="$1" <<<"SELECT pg_conf_load_time() > (pg_stat_file(:'file')).modification + interval '1 second'"
}

# reload_hba FILE: with a fault in it Postgres would keep the old rules and only say so in its log.
reload_hba() {
  local fault
  fault="$(psql_local -c "SELECT line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL LIMIT 1")"
  [[ -z $fault ]] || die "a pg_hba.conf that Postgres can read" "$1 line $fault" "mend that line, then run \`pulumi up\` again"
  psql_local -c 'SELECT pg_reload_conf()' >/dev/null
}
