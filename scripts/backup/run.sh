# backup/run (target): backups of the database with pgBackRest. WAL is archived as it is written, a full backup is made
# now, and a timer makes one every night (the full one on Sundays).
# shellcheck shell=bash

. "$scripts/backup/shared.sh"

present() {
  [[ "$(psql_local -c 'SELECT NOT pg_is_in_recovery()')" == t ]] || die "the primary here, to back it up" "a standby" "go to phase switch first"
  command -v pgbackrest >/dev/null || die "pgBackRest" "none" "apt-get install pgbackrest, then run \`pulumi up\` again"
  save_original "$backup_conf"
  install -d -m 0750 -o postgres -g postgres "$repo" /var/log/pgbackrest
  backrest_conf | put_file "$backup_conf" 0640 postgres:postgres
  [[ "$(psql_local -c 'SHOW archive_mode')" != off ]] ||
    die "archive_mode on, which a standby is given from the start" "off" "set it in postgresql.conf there and restart Postgres at a quiet time"
  backrest stanza-create
  archive
  wait_until 90 "a WAL segment to arrive in the archive" backrest check --archive-timeout=20
  nightly
  if [[ -z "$(backups)" ]]; then
    follow_unit backup 86400 -- setpriv --reuid=postgres --regid=postgres --init-groups -- pgbackrest --stanza="$stanza" --type=full --log-level-console=info backup
  fi
  result backup "$(backups | tail -n 1)" repository "$repo"
}

# What was backed up stays; it is the admin's.
absent() {
  drop_unit backup
  if [[ -e /etc/systemd/system/trunkline-backup-nightly.timer ]]; then
    systemctl disable --quiet --now trunkline-backup-nightly.timer
    drop_file /etc/systemd/system/trunkline-backup-nightly.{timer,service}
    systemctl daemon-reload
  fi
  if psql_local -c 'SELECT 1' >/dev/null 2>&1 && [[ "$(psql_local -c 'SHOW archive_command')" == *pgbackrest* ]]; then
    psql_local -c 'ALTER SYSTEM RESET archive_command'
    psql_local -c 'SELECT pg_reload_conf()' >/dev/null
    changed=yes
  fi
  restore_original "$backup_conf"
}

backrest_conf() {
  cat <<-END
	# Made by Trunkline.
	[global]
	repo1-path=$repo
	repo1-retention-full=2
	start-fast=y
	compress-type=lz4
	process-max=2
	# Rather a gap in the archive than a full disk: the service comes first.
	archive-push-queue-max=4GiB

	[$stanza]
	pg1-path=$(psql_local -c 'SHOW data_directory')
	pg1-port=$PORT_TARGET_PG
	pg1-socket-path=/var/run/postgresql
	END
}

# By reload: archive_mode has been on since this was a standby.
archive() {
  local command="pgbackrest --stanza=$stanza archive-push %p"
  [[ "$(psql_local -c 'SHOW archive_command')" != "$command" ]] || return 0
  psql_local -c "ALTER SYSTEM SET archive_command = '$command'"
  psql_local -c 'SELECT pg_reload_conf()' >/dev/null
  changed=yes
}

nightly() {
  put_file /etc/systemd/system/trunkline-backup-nightly.service 0644 root:root <<-END
	[Unit]
	Description=Backup of Mastodon's database
	[Service]
	Type=oneshot
	User=postgres
	# Nothing to do while the data are elsewhere.
	ExecCondition=/bin/sh -c 'test "\$\$(psql -XAtqp $PORT_TARGET_PG -d postgres -c "SELECT NOT pg_is_in_recovery()")" = t'
	ExecStart=/bin/sh -c 'test "\$\$(date +%%u)" = 7 && type=full || type=incr; exec pgbackrest --stanza=$stanza --type=\$\$type backup'
	END
  local service_changed=$file_changed
  put_file /etc/systemd/system/trunkline-backup-nightly.timer 0644 root:root <<-END
	[Unit]
	Description=Backup of Mastodon's database, every night
	[Timer]
	OnCalendar=*-*-* 02:30
	RandomizedDelaySec=30min
	Persistent=true
	[Install]
	WantedBy=timers.target
	END
  [[ $file_changed$service_changed == nono ]] || systemctl daemon-reload
  systemctl is-active --quiet trunkline-backup-nightly.timer || { systemctl enable --quiet --now trunkline-backup-nightly.timer; changed=yes; }
}
