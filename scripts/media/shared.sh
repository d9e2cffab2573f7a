# What the media steps share: where they are in time, and their units.
# shellcheck shell=bash
. "$scripts/lib/source.sh"
. "$scripts/lib/app.sh"

mark_file=$state/media.mark       # the source's clock when the last complete bulk copy began
shifted_file=$state/media.shifted # the source's clock when uploads began to come here
fallback=/etc/nginx/trunkline/media-source.conf

# Media in object storage stay where they are.
has_media() { [[ -n $MEDIA_DIR ]]; }

# worker_settings NAME MARK_FILE: settings of a worker, kept where they outlive a reboot.
worker_settings() {
  local -A values=([NAME]=$1 [MEDIA_DIR]=$MEDIA_DIR [MARK]="$(cat "$2")" [PG]=$PORT_TARGET_PG [DB_NAME]=$DB_NAME [RATE_MIB]=${RATE_MIB:-0})
  local name parts=()
  for name in "${!values[@]}"; do parts+=("$(json_string "$name"):$(json_string "${values[$name]}")"); done
  (IFS=, && echo "{${parts[*]}}") | put_file "$state/$1.json" 0600 root:root
}

# start_worker NAME MODE MARK_FILE: a worker that goes on until it is done or told to stop, also after a reboot.
start_worker() {
  worker_settings "$1" "$3"
  [[ $file_changed == no ]] || systemctl stop "trunkline-$1.service" 2>/dev/null || true
  keep_unit "$1" <<-END
	[Unit]
	Description=Trunkline: $1
	After=network-online.target postgresql.service
	[Service]
	ExecStartPre=/usr/bin/install -d -m 0700 $run
	ExecStart=/usr/bin/python3 $scripts/media/worker.py $2 $state/$1.json
	Restart=on-failure
	RestartSec=5
	Nice=10
	IOSchedulingClass=idle
	[Install]
	WantedBy=multi-user.target
	END
}

# push_back: what was uploaded here since the shift goes to the source now.
push_back() {
  local before=$changed
  worker_settings media-push "$shifted_file"
  python3 "$scripts/media/worker.py" push "$state/media-push.json" 9>&-
  rm -f "$state/media-push.json" "$run/media-push.keys"
  changed=$before
}

drop_worker() {
  drop_unit "$1"
  drop_file "$state/$1.json"
}

source_clock() { source_read clock; }
