# web/proxy (source): the instance's sites hand everything on to the target, for those whose DNS still points here; and a small
# server on loopback gives the target the files that it has not got yet.
# shellcheck shell=bash
. "$scripts/lib/app.sh"
. "$scripts/lib/web.sh"

mark='Made by Trunkline: the source as proxy'

kept=$state/proxy.files                  # files that were turned into proxies
trust=$etc/target-trust.pem              # what the proxies know the target's certificate by
late=/etc/nginx/trunkline/late-media.conf # what /system/ does with a file that is still on the target
pushed=$run/media.pushed                  # how many files the target's last pass brought (access/serve.py)

present() {
  local file head=yes reload=no here
  if_unfinished=tell_no_sidekiq
  mapfile -t files < <(site_files)
  ((${#files[@]})) || die "a TLS server for $WEB_DOMAIN in nginx's files on the source" "none" "see what was renamed there since the survey"
  wait_until 30 "the target $TARGET_ADDRESS to answer for $WEB_DOMAIN with a good certificate" target_answers "$TARGET_ADDRESS"
  write_trust
  printf '%s\n' "${files[@]}" | put_file "$kept" 0600 root:root
  for file in "${files[@]}"; do
    save_original "$file"
    proxy_text "$file" >"$run/site.new"
    put_file "$file" "$(stat -c %a "$file")" "$(stat -c %U:%G "$file")" <"$run/site.new"
    [[ $file_changed == no ]] || reload=yes
    head=no
  done
  rm -f "$run/site.new"
  # Also after a run that was cut off before nginx had read them.
  if [[ $reload == yes ]] || ! target_answers "$(site_address)" >/dev/null; then load_nginx restore_all; fi
  here="$(site_address)"
  wait_until 30 "a request to the source at $here to come out at the target" target_answers "$here"
  wait_until 15 "the source's files to be served to the target on port $PORT_SOURCE_MEDIA" media_answers
  result files "${files[*]}"
}

absent() {
  mapfile -t files < <(if [[ -s $kept ]]; then cat "$kept"; else readlink -f "$NGINX_SITE"; fi)
  # Their list goes last: while it is there, nginx may not have read the sites as they were.
  [[ -s $kept ]] || is_saved "${files[0]}" || return 0
  local web
  mapfile -t web < <(unit_names "$WEB_UNITS")
  # At the end of a move there is no app here any more, and nothing to come.
  if [[ -n $MEDIA_DIR ]] && any_active "${web[@]}" && write_late_site; then
    load_nginx
    await_own_site
    # A pass that was under way already may have missed what came last.
    wait_until 120 "a pass of the target's media worker that brings no more files" brought_none "$(date +%s%3N)"
    wait_until 120 "another such pass" brought_none "$(date +%s%3N)"
  fi
  restore_all
  load_nginx
  drop_file "$trust" "$late" "$pushed" "$kept"
  rmdir /etc/nginx/trunkline 2>/dev/null || true
  await_own_site
}

# Sidekiq is started after this step: a site that is itself again and can't be asked must not keep it from that. One that still
# hands on to the target must.
await_own_site() {
  local said end=$((SECONDS + 30))
  until said="$(own_site_answers)"; do
    if ((SECONDS >= end)); then
      [[ $said != *": target"* ]] ||
        die "the source's own site to answer again within 30 s" "$said" "look at that host's \`journalctl -u nginx\`, then run \`pulumi up\` again"
      log "web/proxy: the source's own site is in place, but gives no good answer: $said. See that host's \`journalctl -u nginx\`"
      return
    fi
    sleep 0.2
  done
}

# write_late_site: the instance's own site, but that a file which was uploaded to the target a moment ago is read from there.
# A site in which that has no place is put back without it: links to the last pictures are broken for a second or two then.
write_late_site() {
  local file original
  late_location | put_file "$late" 0644 root:root
  for file in "${files[@]}"; do
    original=$state/saved/files$file
    if [[ $file == "${files[0]}" ]]; then
      { site_script --head && python3 "$scripts/storage/include.py" add "$original" "$WEB_DOMAIN" "$late"; } >"$run/site.new" || return 1
    else
      cat "$original" >"$run/site.new" || return 1
    fi
    put_file "$file" "$(stat -c %a "$file")" "$(stat -c %U:%G "$file")" <"$run/site.new"
  done
  rm -f "$run/site.new"
  nginx -t 2>/dev/null
}

late_location() {
  cat <<-END
	# Made by Trunkline: what was uploaded to the new server is on its way back.
	location ^~ /system/ {
$(media_from_disk 404 @trunkline_late)
	}
	location @trunkline_late {
	  proxy_pass https://trunkline_kept;
	  proxy_ssl_name $WEB_DOMAIN;
	  proxy_ssl_server_name on;
	  proxy_ssl_verify on;
	  proxy_ssl_verify_depth 5;
	  proxy_ssl_trusted_certificate "$trust";
	  proxy_set_header Host $WEB_DOMAIN;
	}
	END
}

brought_none() { # SINCE: milliseconds of this server's clock
  local at='' count=''
  [[ ! -s $pushed ]] || read -r at count <"$pushed"
  echo "the last pass that was told of was at ${at:-no time}, and brought ${count:-no} files"
  [[ $count == 0 ]] && ((at > $1))
}

# The files in which the instance's own TLS servers stand, as they were before us; the web domain's first.
site_files() { site_script --files; }

restore_all() {
  local file
  for file in "${files[@]}"; do restore_original "$file"; done
}

target_answers() { # ADDRESS [CURL OPTION…]
  local said
  said="$(ask_site "$1" /.trunkline "${@:2}")"
  echo "/.trunkline at $1 answered: $said"
  [[ $said == "target 200"* ]]
}

# Proxy or not is told by the same path: only the target knows it. At the end of a move there is no app behind the site any more.
own_site_answers() {
  local said
  said="$(ask_site "$(site_address)" /.trunkline)"
  echo "/.trunkline answered: $said"
  if [[ $said == target* || $said =~ 000\ *$ ]]; then return 1; fi
  ! any_active "${web[@]}" || [[ ! $said =~ (502|503|504)\ *$ ]]
}

media_answers() {
  local status
  status="$(curl --silent --noproxy '*' --max-time 5 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$PORT_SOURCE_MEDIA/system/")" || true
  echo "http://127.0.0.1:$PORT_SOURCE_MEDIA/system/ answered $status"
  [[ $status == 403 || $status == 404 ]] # a folder: its list is not for anyone
}

# The target serves the source's own certificate: what the system trusts, and this chain.
write_trust() {
  site_trust | put_file "$trust" 0644 root:root
}

proxy_text() { # FILE
  site_script "$1" ||
    die "a TLS server of the instance in $1" "none that could be read" "it has to have a server block with its own names and certificates"
}

site_script() {
  PROXY_MARK=$mark PROXY_DOMAIN=$WEB_DOMAIN PROXY_NAMES="${WEB_NAMES:-$WEB_DOMAIN}" PROXY_TARGET=$TARGET_ADDRESS PROXY_TRUST=$trust \
    PROXY_APP=$APP_DIR PROXY_MEDIA=${MEDIA_DIR:-/nonexistent} PROXY_MEDIA_PORT=$PORT_SOURCE_MEDIA PROXY_SAVED=$state/saved/files PROXY_HEAD=${head:-yes} \
    python3 "$scripts/web/proxy.py" "$1"
}
