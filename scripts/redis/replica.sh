# redis/replica (target): this Redis follows the source's, with the same login, so that the switch is a change of roles.
# shellcheck shell=bash
# Extra settings: CARRY_REDIS

conf=/etc/redis/redis.conf
saved=$state/redis.source-backlog
asleep=$state/redis.asleep # this Redis was not in use before

present() {
  save_original "$conf"
  systemctl is-enabled --quiet redis-server || { touch "$asleep"; systemctl enable --quiet redis-server; changed=yes; }
  systemctl is-active --quiet redis-server || { systemctl start redis-server; changed=yes; }
  same_databases
  if [[ ${CARRY_REDIS:-yes} == no ]]; then govern alone; else govern present; fi
}

absent() {
  is_saved "$conf" || return 0
  if systemctl is-active --quiet redis-server; then govern absent; fi
  if [[ -e $asleep ]]; then systemctl disable --quiet --now redis-server; fi
  restore_original "$conf"
  systemctl try-restart redis-server
  drop_file "$asleep"
}

# govern WANT: replica.py does it and says what it found. The login reaches it on stdin.
govern() {
  local said status=0 parts
  said="$(python3 "$scripts/redis/access.py" "$state/source.env" | python3 -c '
import json, sys
names = ("want", "port", "sourcePort", "saved")
print(json.dumps({**json.load(sys.stdin), **dict(zip(names, sys.argv[1:]))}))' "$1" "$PORT_TARGET_REDIS" "$PORT_REDIS" "$saved" |
    python3 "$scripts/redis/replica.py")" || status=$?
  if ((status == 3)); then
    IFS=$'\x1f' read -r -a parts <<<"$said"
    die "${parts[@]}"
  fi
  ((status == 0))
  [[ $said != changed* ]] || changed=yes
  said=${said#* }
  fields+=("${said:1:-1}")
}

# More databases than the package's 16 need a restart, so they are set before anything is carried.
same_databases() {
  local wanted
  wanted="$(python3 "$scripts/redis/access.py" "$state/source.env" | sed -n 's/.*"database": \([0-9]*\).*/\1/p')"
  ((wanted < 16)) || grep -qE "^databases $((wanted + 1))\$" "$conf" || {
    sed -i -E "s/^databases .*/databases $((wanted + 1))/" "$conf"
    systemctl restart redis-server
    changed=yes
  }
}
