# backup/prove (target): a backup that was never restored is a hope. The newest one is restored beside the live database,
# up to a named moment of today, started, compared and removed again.
# shellcheck shell=bash

. "$scripts/backup/shared.sh"

present() {
  local label
  label="$(backups | tail -n 1 | cut -d' ' -f1)"
  [[ -n $label ]] || die "a backup" "none" "run \`pulumi up\` again, which makes one first"
  if [[ "$(cat "$state/backup.proved" 2>/dev/null)" != "$label" ]]; then
    follow_unit backup-prove 86400 -- bash "$scripts/backup/restore.sh" "$PG_MAJOR" "$DB_NAME" "$PORT_TARGET_PG" "$run/backup-prove.progress"
    put_file "$state/backup.proved" 0600 root:root <<<"$label"
  fi
  result backup "$label" compared "$(cat "$state/backup.compared" 2>/dev/null || true)"
}

absent() {
  drop_unit backup-prove
  drop_file "$state/backup.proved" "$state/backup.compared"
}
