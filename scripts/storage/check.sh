# storage/check (app): URLs of real rows of every class, as Mastodon will write them, are fetched through the media host and compared with
# the disk; what must not be seen is tried too. Stops with the reason, before anything leads people there.
# shellcheck shell=bash
. "$scripts/storage/shared.sh"
. "$scripts/storage/follower.sh"

present() {
  need_tools
  if ! uses_bucket && has_disk; then flush_follower "${FLUSH_SECONDS:-3600}"; fi
  rm -f "$run/storage-check.json"
  storage_python check.py "$run/storage-check.json" ||
    die "media to come through $MEDIA_HOST as they are on the disk" "what stands above" "mend it at the bucket or the media host, then run \`pulumi up\` again"
  is_known checked || mark_known checked <"$run/storage-check.json"
  result_json checked "$(cat "$run/storage-check.json")"
}

absent() { drop_file "$known/checked" "$run/storage-check.json"; }
