# What the backup's steps share.
# shellcheck shell=bash

stanza=mastodon
repo=/var/lib/pgbackrest # readable by the system user postgres, who runs it
backup_conf=/etc/pgbackrest.conf

# Without PAM, whose lines would be the last in a unit's journal, where its error is looked for.
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

backrest() { as_postgres pgbackrest --stanza="$stanza" --log-level-console=warn --log-level-stderr=off "$@"; }

# Backups that are complete, newest last: LABEL TYPE BYTES.
backups() {
  backrest info --output=json | python3 -c '
import json, sys
for stanza in json.load(sys.stdin):
    for backup in stanza.get("backup", []):
        if not backup.get("error"):
            print(backup["label"], backup["type"], backup["info"]["size"])'
}
