# storage/switch (app): the app writes to the bucket and reads from it. No process writes to the disk after another one has written to
# the bucket: Sidekiq is drained and waits; a second web process takes the writes; when the last write to the disk is in the bucket, it
# takes everything, the first one is restarted and takes it back, and Sidekiq goes on. Streaming neither reads nor writes media.
# Absent is the same the other way, but the reads go first: an old link finds a file in the bucket too, a link to the media host finds
# none on the disk. What was uploaded to the bucket is on the disk before the second process goes.
# shellcheck shell=bash
# Extra settings: STORAGE_ENV DRAIN_SECONDS
. "$scripts/storage/shared.sh"
. "$scripts/storage/follower.sh"
. "$scripts/storage/rolling.sh"
. "$scripts/storage/envfile.sh"
. "$scripts/storage/workers.sh"
. "$scripts/storage/old-links.sh"

miss=/etc/nginx/trunkline/media-miss.conf

present() {
  need_tools
  if uses_bucket && ! is_known switching; then
    # Switched here before, or on the server that the app came from.
    is_known switched || date +%s | mark_known switched
    result since "$(date -u -d "@$(cat "$known/switched")" +%FT%TZ)"
    return
  fi
  ready
  remember_env
  echo forward | mark_known switching
  recover_web
  try_web
  flush_follower "${FLUSH_SECONDS:-3600}"
  hold_workers
  write_env_changes <<<"$STORAGE_ENV"
  roll_web into_bucket
  follow_links 302
  workers_up
  clear_cache
  drop_file "$known/switching"
  changed=yes
  result since "$(date -u -d "@$(cat "$known/switched")" +%FT%TZ)"
}

absent() {
  if ! uses_bucket && ! is_known switching; then drop_file "$known/switched"; return; fi
  need_tools
  has_disk || die "the disk copy in ${MEDIA_DIR:-the media folder} to go back to" "it is not there" "media stay in the bucket; see docs on leaving a store"
  [[ -s $known/env.before ]] || die "the variables from before the switch in $known/env.before" "no such file" "they were switched elsewhere: put S3_ENABLED=false into $(env_path) by hand and restart Mastodon"
  prove_env_changes <"$known/env.before"
  echo back | mark_known switching
  recover_web
  try_web
  # The most of it while everyone is served, the rest when no more is written to the bucket.
  storage_python back.py all
  hold_workers
  write_env_changes <"$known/env.before"
  roll_web onto_disk
  workers_up
  clear_cache
  drop_file "$known/switching" "$known/env.before" "$known/env.file"
  changed=yes
}

ready() {
  is_known copied || die "the bulk copy to be through" "no trace of it in $known" "this step comes after storage/copy: run \`pulumi up\` again"
  is_known checked || die "media to have been fetched through $MEDIA_HOST" "no trace of it in $known" "this step comes after storage/check: run \`pulumi up\` again"
  prove_env_changes <<<"$STORAGE_ENV"
}

# While all writes go to the bucket and none is under way to the disk, the last ones are copied, and that was all.
into_bucket() {
  route writes
  flush_follower "${FLUSH_SECONDS:-3600}"
  is_known switched || date +%s | mark_known switched
  route all
}

# Nobody is shown a link to the media host any more before the first file is written to the disk alone.
onto_disk() {
  follow_links disk
  route reads
  route all
  storage_python back.py changed
  drop_file "$known/switched"
}

# follow_links disk|302: where an old link leads, and what the media host says to what the bucket has not got.
follow_links() {
  if [[ -f $links ]]; then write_links "$1"; fi
  if [[ -f $miss ]]; then
    if [[ $1 == disk ]]; then echo 'error_page 403 404 = @disk;'; else echo '# Every file is in the bucket.'; fi | put_file "$miss" 0644 root:root
  fi
  load_nginx
}

# Pages that were rendered with the old addresses are thrown away.
clear_cache() {
  wait_until 120 "tootctl cache clear to succeed" tootctl cache clear # a busy Redis lets it down now and then
}
