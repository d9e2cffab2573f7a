# What every step shares. Sourced by `run` and by the workers that run as units.
# shellcheck shell=bash
. "$scripts/ports.sh"
. "$scripts/lib/files.sh"
. "$scripts/lib/units.sh"

etc=/etc/trunkline      # keys and settings, root only
state=/var/lib/trunkline # saved originals, journal, carried files
run=/run/trunkline      # locks and progress, gone at reboot

changed=no   # whether this run changed anything: becomes the outcome
finished=no  # whether the step came to its end
explained=no # whether an error message was already given
traces=yes   # whether what is left on the host stays there
said_so=70   # status of a part that has explained its failure
if_unfinished='' # a command that says what else there is to say of a step that did not come to its end
fields=()    # further fields of the result, as JSON

# Evaluates the settings on stdin. Errors are hidden, since bash would print the line, and it may hold a secret.
read_settings() {
  local text
  text="$(cat)"
  eval "$text" 2>/dev/null || { echo "trunkline: $step: the settings on stdin are not NAME='value' lines" >&2; exit 2; }
  : "${WANT:?no WANT among the settings}" "${SIDE:?no SIDE among the settings}"
}

prepare_state() {
  install -d -m 0700 "$etc" "$state" "$state/saved" "$run"
}

# For the last step of going back to the survey: once nothing saved, no key and no unit is left, the folders go too, these
# scripts among them. That happens at the very end of the run.
leave_no_trace() { traces=no; }

remove_traces() {
  [[ $scripts == /opt/trunkline/scripts ]] || return 0
  find "$etc" "$state" -name '.*.trunkline-new' -delete
  [[ -z "$(find "$etc" "$state" ! -type d; compgen -G '/etc/systemd/system/trunkline-*' || true)" ]] || return 0
  rm -rf --one-file-system "$etc" "$state" "$run" /opt/trunkline
}

log() { printf '%s\n' "$*" >&2; }

# This host as messages name it: new (target 198.18.1.10).
host_label() {
  local address=${SOURCE_ADDRESS:-}
  [[ ${SIDE:-} == target ]] && address=${TARGET_ADDRESS:-}
  printf '%s (%s%s)' "$(uname -n)" "${SIDE:-?}" "${address:+ $address}"
}

# die EXPECTED FOUND REMEDY: ends the step with a message that a tired person can act upon.
die() {
  explained=yes
  log "trunkline: ${step:-a worker} on $(host_label): expected $1; found $2. What to do: $3"
  # In a command substitution the shell around it learns by the status that all is said.
  ((BASH_SUBSHELL == 0)) || exit "$said_so"
  exit 1
}

# Called by traps: a command failed where nobody thought it could.
on_error() {
  [[ $explained == no && $BASH_SUBSHELL == 0 ]] || return 0
  [[ $1 != "$said_so" ]] || { explained=yes; return 0; }
  explained=yes
  log "trunkline: $step on $(host_label): a command failed with status $1 at $2 line $3 (wanted: $WANT); its own message stands above. What to do: run \`pulumi up\` again; if it stays, report it with these lines"
}

on_exit() {
  if [[ $finished == yes ]]; then
    [[ $traces == yes ]] || remove_traces
    local outcome=unchanged IFS=,
    [[ $changed == yes ]] && outcome=changed
    printf '{"outcome":"%s"%s}\n' "$outcome" "${fields[*]:+,${fields[*]}}" >&3
  elif [[ $explained == no ]]; then
    log "trunkline: $step on $(host_label): stopped with status $1 before its end. What to do: run \`pulumi up\` again"
  fi
  [[ $finished == yes || -z $if_unfinished ]] || $if_unfinished
}

# One step at a time on a host: what another run does there ends first, and then this one looks at what it left.
take_lock() {
  local deadline=${LOCK_DEADLINE:-900} end told=no
  end=$((SECONDS + deadline))
  exec 9>>"$run/lock"
  until host_is_free; do
    [[ $told == yes ]] || log "$step: another run is at work on this host, at $(at_work); waiting for it"
    told=yes
    ((SECONDS < end)) ||
      die "what another run does on this host to end within $deadline s" "it is still at $(at_work)" "see who else runs \`pulumi up\`, and \`fuser -v $run/*lock\` on that host"
    sleep 0.2
  done
  printf '%s\n' "$step" >"$run/lock.step"
}

at_work() { cat "$run/lock.step" 2>/dev/null || echo 'a step'; }

# Nobody works here, and nobody follows the unit of another step. This step's own unit may have more than one follower.
host_is_free() {
  local file
  flock --nonblock 9 || return 1
  for file in "$run"/*.followed.lock; do
    [[ -e $file && $file != "$(follow_lock)" ]] || continue
    flock --nonblock "$file" true 9>&- || { flock --unlock 9; return 1; }
  done
}

follow_lock() { printf '%s/%s.followed.lock' "$run" "${step//\//-}"; }

# result NAME VALUE …: fields of the JSON result. Whole numbers, true, false and null stand bare, everything else as a string.
result() {
  while (($#)); do
    if [[ $2 =~ ^(-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?|true|false|null)$ ]]; then
      fields+=("$(json_string "$1"):$2")
    else
      fields+=("$(json_string "$1"):$(json_string "$2")")
    fi
    shift 2
  done
}

# result_json NAME JSON: one field whose value is JSON already, on one line.
result_json() { fields+=("$(json_string "$1"):$2"); }

json_string() {
  local text=$1
  text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//$'\n'/\\n} text=${text//$'\t'/\\t} text=${text//$'\r'/\\r}
  printf '"%s"' "${text//[[:cntrl:]]/ }"
}

# wait_until SECONDS WHAT CMD…: until CMD succeeds; what it last said is the `found` of the error.
wait_until() {
  local seconds=$1 what=$2 end said
  shift 2
  end=$((SECONDS + seconds))
  until said="$("$@" 2>&1 9>&-)"; do
    ((SECONDS < end)) || die "$what within $seconds s" "${said:-no answer from \`$1\`}" "look at that host's journal, then run \`pulumi up\` again"
    sleep 0.2
  done
}

# psql as Postgres' own superuser on this host; SQL on stdin or by -c, unaligned, no headers.
psql_local() {
  local port=$PORT_TARGET_PG
  [[ $SIDE == source ]] && port=$PG_PORT
  runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -p "$port" -d "$DB_NAME" "$@"
}

# env_get FILE NAME: value of a variable in a dotenv file, as Mastodon would read it; empty if it is not set.
env_get() { python3 "$scripts/lib/dotenv.py" get "$1" "$2"; }
