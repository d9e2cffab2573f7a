# dns/wait (target): the zone's own name servers answer with the target's addresses. Where the zone has no provider that
# Trunkline knows, it says what to change by hand, and waits until it sees it.
# shellcheck shell=bash
# Extra settings: RECORDS (lines: NAME TYPE ADDRESS), DNS_BY_HAND

present() {
  local seconds=180
  if [[ $DNS_BY_HAND == yes ]]; then
    seconds=3600
    right >/dev/null || log "dns: change these records now, at whoever serves the zone, and leave nothing else for these names:"$'\n'"$RECORDS"
  fi
  # A moment is enough for an API; a person gets an hour, and may run \`pulumi up\` again.
  wait_until "$seconds" "the zone's name servers to answer with the target's address" right
  result records "$(grep -c . <<<"$RECORDS" || true)"
}

# The source's addresses come back with the records; whoever asks meanwhile reaches the instance either way.
absent() { :; }

# Succeeds when every record is as wanted; says what is not.
right() {
  local name type address found bad=no
  while read -r name type address; do
    [[ -n $name ]] || continue
    found="$(python3 "$scripts/dns/lookup.py" "$name" "$type" 2>&1 || true)"
    [[ $found == "$address" ]] || { echo "$name $type is ${found//$'\n'/, }, not $address; "; bad=yes; }
  done <<<"$RECORDS"
  [[ $bad == no ]]
}
