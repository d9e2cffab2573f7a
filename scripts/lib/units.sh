# Work that outlasts a connection runs as a systemd unit; a step starts it or finds it, and follows it.
# shellcheck shell=bash

# settings_for NAME VARIABLE…: hands settings to a unit through a file that only root can read.
settings_for() {
  local name=$1 variable
  shift
  for variable; do printf '%s=%q\n' "$variable" "${!variable}"; done | put_file "$run/$name.settings" 0600 root:root
}

unit_property() { systemctl show --property "$2" --value -- "$1" 2>/dev/null || true; }

# One word: none, running, done, failed.
unit_state() {
  # Asked for at once: between two questions a unit can move on, and the pair would be one that never was.
  case "$(systemctl show --property ActiveState,SubState --value -- "$1" 2>/dev/null | tr '\n' /)" in
    activating/* | active/running/ | active/start* | deactivating/* | reloading/*) echo running ;;
    active/exited/) echo 'done' ;;
    failed/*) echo failed ;;
    *) echo none ;;
  esac
}

unit_journal() { # UNIT LINES: the tail of what its last start said
  local id since look said='' end=$((SECONDS + 3))
  id="$(unit_property "$1" InvocationID)" since="$(unit_property "$1" InactiveExitTimestamp)"
  # A unit's last words may reach the journal a moment after systemd knows that it failed, but before the journal knows it.
  [[ $(unit_state "$1") != failed ]] || timeout 10 journalctl --sync 2>/dev/null || true
  while [[ $(unit_state "$1") == failed ]] && ((SECONDS < end)) && ! told_of_failure "$1" "$id"; do sleep 0.05; done
  # What it said itself, without the sessions that it opened; else what there is of it, as when its program was not found.
  # Of a unit that was gone in a moment the journal does not learn which of its starts it was.
  for look in "_TRANSPORT=stdout ${id:+_SYSTEMD_INVOCATION_ID=$id}" "_TRANSPORT=stdout" "${id:+_SYSTEMD_INVOCATION_ID=$id}" ""; do
    # shellcheck disable=SC2086 # words, of which there may be none
    said="$(journalctl --quiet --no-pager -o cat -n "$2" $look ${since:+--since="$since"} -u "$1" 2>/dev/null || true)"
    [[ -z $said ]] || break
  done
  printf '%s\n' "$said"
}

told_of_failure() { # UNIT INVOCATION
  local told
  told="$(journalctl --quiet --no-pager -o cat _PID=1 "UNIT=$1" ${2:+"INVOCATION_ID=$2"} 2>/dev/null)"
  [[ $told == *'Failed with result'* ]]
}

# follow_unit NAME DEADLINE -- CMD…: runs CMD as unit trunkline-NAME, or attaches to it if it runs or ended well already.
# CMD tells its progress in $run/NAME.progress (last line counts), and what came of it, if it has to, in $run/NAME.result: whoever
# comes after it ended finds it there. Meanwhile a second `up` can follow too; other steps wait.
follow_unit() {
  local name=$1 deadline=$2 unit="trunkline-$1.service"
  shift 2
  [[ $1 == -- ]] && shift
  case "$(unit_state "$unit")" in
    running) log "$name: already running as $unit; following it" ;;
    'done') log "$name: $unit had ended while nobody watched" ;;
    failed) log "$name: an earlier run failed: $(unit_journal "$unit" 1)"; start_unit "$name" "$@" ;;
    none) start_unit "$name" "$@" ;;
  esac
  exec 7>>"$(follow_lock)"
  flock --shared 7
  flock --unlock 9
  watch_unit "$name" "$deadline"
  take_lock
  exec 7>&-
  unit_ended "$name"
  changed=yes
}

start_unit() {
  local name=$1 unit="trunkline-$1.service"
  shift
  systemctl reset-failed "$unit" 2>/dev/null || true
  rm -f "$run/$name.progress" "$run/$name.result"
  systemd-run --quiet --unit="$unit" --property=RemainAfterExit=yes --property=KillMode=mixed \
    --description="Trunkline: $name" -- "$@" 9>&-
}

# Returns when the unit is no longer running. At the deadline the unit goes on: it may be followed again.
watch_unit() {
  local name=$1 deadline=$2 unit="trunkline-$1.service" end=$((SECONDS + $2)) next=$SECONDS line last=''
  while [[ $(unit_state "$unit") == running ]]; do
    if ((SECONDS >= next)); then
      line="$(tail -n 1 "$run/$name.progress" 2>/dev/null || true)"
      [[ $line == "$last" ]] || log "$name: ${line:0:500}"
      last=$line next=$((SECONDS + 5))
    fi
    ((SECONDS < end)) || die "$unit to end within $deadline s" "it still runs; last: ${last:-nothing}" "run \`pulumi up\` again to follow it further"
    sleep 0.3
  done
}

# Takes note of how the unit ended and clears it away, so that the step can run it again when it has to.
unit_ended() {
  local name=$1 unit="trunkline-$1.service"
  case "$(unit_state "$unit")" in
    'done') systemctl stop "$unit" ;;
    none) log "$name: another run took note of its end" ;;
    *)
      log "$name: the end of its journal:"$'\n'"$(unit_journal "$unit" 15)"
      die "$unit to end well" "$(unit_property "$unit" Result): $(unit_journal "$unit" 1)" "mend what it names, then run \`pulumi up\` again"
      ;;
  esac
}

# drop_unit NAME: stops a unit of ours, whatever it does, and forgets it.
drop_unit() {
  local name=$1 unit="trunkline-$1.service" file="/etc/systemd/system/trunkline-$1.service"
  [[ $(unit_state "$unit") == none && ! -e $file ]] && return
  systemctl disable --quiet --now "$unit" 2>/dev/null || systemctl stop "$unit" 2>/dev/null || true
  systemctl reset-failed "$unit" 2>/dev/null || true
  drop_file "$file" "$run/$name.progress" "$run/$name.settings"
  systemctl daemon-reload
  changed=yes
}

# keep_unit NAME: the unit file on stdin, enabled and running; restarted if its text changed.
keep_unit() {
  local name=$1 unit="trunkline-$1.service"
  put_file "/etc/systemd/system/$unit" 0644 root:root
  if [[ $file_changed == yes ]]; then
    systemctl daemon-reload
    systemctl enable --quiet "$unit"
    systemctl restart "$unit"
  elif [[ $(unit_state "$unit") != running ]]; then
    systemctl enable --quiet "$unit"
    systemctl restart "$unit"
    changed=yes
  fi
}
