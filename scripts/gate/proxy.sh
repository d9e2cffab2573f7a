# gate/proxy (source): could web/proxy do its work? It comes after sidekiq/quiet, and what it would stumble over has to be known before.
# shellcheck shell=bash
# Extra settings: PREVIEW (yes: the run that is to come carries certificates and site first)
. "$scripts/gate/lib.sh"
. "$scripts/web/proxy.sh"

main() {
  local web
  mapfile -t files < <(site_files)
  mapfile -t web < <(unit_names "$WEB_UNITS")
  if ((${#files[@]} == 0)); then
    refuse "a TLS server for $WEB_DOMAIN in nginx's files on the source" "none" "see what was renamed there since the survey"
  # Where they are proxies already there is nothing to try.
  elif ! is_saved "${files[0]}"; then
    try_text
    try_answers
  fi
  verdict
}

# nginx reads the proxies where they will be, in a view of the file system that only this trial has.
try_text() {
  local i said head=yes mounts=() folder=$run/proxy.trial view
  rm -rf "$folder"
  install -d -m 0700 "$folder"
  trust=$folder/trust.pem
  site_trust >"$trust"
  for i in "${!files[@]}"; do
    said="$(site_script "${files[i]}" 2>&1 >"$folder/$i")" ||
      { refuse "a TLS server of the instance in ${files[i]} on the source" "$said" "give it a server block with the instance's names and certificates"; return 0; }
    mounts+=("$folder/$i" "${files[i]}")
    head=no
  done
  # shellcheck disable=SC2016 # its own arguments
  view=(unshare --mount bash -euc 'until [[ $1 == -- ]]; do mount --bind "$1" "$2"; shift 2; done; shift; "$@"' _ "${mounts[@]}" --)
  # A container may give no view of its own, or mount nothing in it: that says nothing of the proxies.
  if ! said="$("${view[@]}" true 2>&1)"; then
    log "gate/proxy: nginx can't try the proxies on this host, which gives it no view of its own: $(tail -n 1 <<<"$said")"
    rm -rf "$folder"
    return
  fi
  said="$("${view[@]}" nginx -t 2>&1)" ||
    refuse "nginx on the source to accept its sites as proxies" "$(tail -n 5 <<<"$said")" "mend what it names on that host: the line numbers are those of the file as it would be"
  rm -rf "$folder"
}

try_answers() {
  local said say=refuse
  said="$(own_site_answers)" || {
    # It may be about to start, after a boot for instance.
    if [[ $said =~ 50[234]\ *$ ]] || ! systemctl is-active --quiet nginx; then say=refuse_yet; fi
    "$say" "the source's own site to answer at $(site_address)" "$said" "see what listens there, and that host's \`journalctl -u nginx\`"
  }
  said="$(proven_by_chain "$TLS_CERT" 2>&1)" ||
    refuse "$TLS_CERT on the source to lead up to an authority that is known" "$(tail -n 2 <<<"$said")" "append its issuer's certificates, up to the root, to that file"
  said="$(target_answers "$TARGET_ADDRESS")" || will_have_renewed ||
    refuse_yet "the source to reach the target's site at $TARGET_ADDRESS" "$said" "see that port 443 of the target is open for the source, then run \`pulumi up\` again"
}

# The target's copy of a certificate may be older than the source's, and have expired since.
will_have_renewed() {
  [[ ${PREVIEW:-no} == yes ]] && target_answers "$TARGET_ADDRESS" --insecure >/dev/null && proven_by_chain "$TLS_CERT" >/dev/null 2>&1
}
