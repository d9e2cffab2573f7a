# dns/wait (target): the zone's own name servers answer with the target's addresses. Where the zone has no provider that
# Trunkline knows, it says what to change by hand, and waits until it sees it.
# shellcheck shell=bash
# Extra settings: RECORDS (lines: NAME TYPE ADDRESS), BEFORE (the same as it was), DNS_BY_HAND

present() { settled_as "$RECORDS" "the target's address"; }

# Records with a provider come back by themselves. By hand they have to be back before the target goes: until then it serves.
absent() {
  [[ $DNS_BY_HAND == yes ]] || return 0
  if still_leads "$RECORDS"; then settled_as "${BEFORE:-}" "the source's address again"; fi
}

settled_as() { # RECORDS WHAT
  local seconds=180
  if [[ $DNS_BY_HAND == yes ]]; then
    seconds=3600
    right "$1" >/dev/null || log "dns: change these records now, at whoever serves the zone, and leave nothing else for these names:"$'\n'"$1"
  fi
  # A moment is enough for an API; a person gets an hour, and may run \`pulumi up\` again.
  wait_until "$seconds" "the zone's name servers to answer with $2" right "$1"
  result records "$(grep -c . <<<"$1" || true)"
}

# Whether a name still leads where one of these records says.
still_leads() {
  local name type address
  while read -r name type address; do
    [[ -n $name && "$(python3 "$scripts/dns/lookup.py" "$name" "$type" 2>/dev/null)" == "$address" ]] && return 0
  done <<<"$1"
  return 1
}

# Succeeds when every record is as wanted; says what is not.
right() {
  local name type address found bad=no
  while read -r name type address; do
    [[ -n $name ]] || continue
    found="$(python3 "$scripts/dns/lookup.py" "$name" "$type" 2>&1 || true)"
    [[ $found == "$address" ]] || { echo "$name $type is ${found//$'\n'/, }, not $address; "; bad=yes; }
  done <<<"$1"
  [[ $bad == no ]]
}
