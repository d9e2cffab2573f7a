# The unit that keeps the bucket in step with the disk.
# shellcheck shell=bash

flush_request=$run/storage-flush
flush_answer=$run/storage-flushed

start_follower() {
  keep_unit storage-follow <<-END
	[Unit]
	Description=Trunkline: media follow into the bucket
	After=network-online.target postgresql.service
	RequiresMountsFor=$(unit_path "$(realpath -- "$MEDIA_DIR")")
	[Service]
	ExecStartPre=/usr/bin/install -d -m 0700 $run
	ExecStart=/usr/bin/python3 -B $scripts/storage/follow.py $store_json
	Restart=always
	RestartSec=3
	Nice=5
	[Install]
	WantedBy=multi-user.target
	END
  # What the key is may have changed, and the unit reads it when it starts.
  if [[ -e $run/storage.follower && ! $store_json -nt $run/storage.follower ]]; then return; fi
  systemctl restart trunkline-storage-follow.service
  touch "$run/storage.follower"
}

# unit_path PATH: as one word of a unit file.
unit_path() { printf '"%s"' "$(sed 's/[\\"]/\\&/g; s/%/%%/g' <<<"$1")"; }

stop_follower() {
  drop_unit storage-follow
  drop_file "$run/storage.step" "$flush_request" "$flush_answer"
}

follower_watches() { [[ -s $known/mark ]] || { tail -n 1 "$run/storage-follow.progress" 2>/dev/null || echo "the follower says nothing"; return 1; }; }

# flush_follower SECONDS: until everything that was written to the disk before this call is in the bucket.
flush_follower() {
  local token
  token="$(date +%s%N)-$$"
  echo "$token" >"$flush_request.part" && mv "$flush_request.part" "$flush_request"
  wait_until "$1" "the files that changed to be in the bucket" flushed "$token"
}

flushed() {
  [[ "$(cat "$flush_answer" 2>/dev/null)" == "$1" ]] || { tail -n 1 "$run/storage-follow.progress" 2>/dev/null || echo "the follower says nothing"; return 1; }
}
