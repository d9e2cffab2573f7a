# storage/tools (app): rclone is here, the bucket's settings lie where only root reads them, and the key may do what it must.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/storage/envfile.sh"

present() {
  # A secret that the switch could not give to the app is of no use: told of here, days before.
  encode_env_changes /dev/null <<<"$STORAGE_ENV"
  rm -f "$run/env.part"
  command -v rclone >/dev/null || install_rclone
  write_store
  local said
  # What the key lacks is named at once; the files stay for the next run.
  said="$(storage_python probe.py 2>&1)" || die "the key of the bucket $BUCKET to do what Mastodon and the copy need" \
    "${said:-no answer}" "mend what it names at the store, then run \`pulumi up\` again"
  result rights "$said" rclone "$(rclone version | sed -n '1s/rclone v//p')"
}

# What the app uses stays in its own settings; these are ours.
absent() {
  ! uses_bucket || die "the app not to use the bucket any more" "S3_ENABLED=true in $(env_path)" "go back through storage/switch first"
  drop_file "$store_conf" "$store_json"
  if [[ -d $known ]]; then rm -rf "$known"; changed=yes; fi
  if [[ -f $state/storage.rclone ]]; then
    DEBIAN_FRONTEND=noninteractive apt-get -qq purge rclone >/dev/null 9>&- || true
    drop_file "$state/storage.rclone"
  fi
  leave_no_trace
}

install_rclone() {
  log "storage/tools: installing rclone"
  {
    apt-get -qq -o DPkg::Lock::Timeout=120 update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install --no-install-recommends rclone
  } >/dev/null 9>&- || die "rclone to be installable" "apt-get failed, its words stand above" "install rclone on this host by hand, then run \`pulumi up\` again"
  put_file "$state/storage.rclone" 0600 root:root </dev/null
}
