# feeds/build (target): home feeds are built anew from the database. Only where Redis was not carried.
# shellcheck shell=bash

done_mark=$state/feeds.built

present() {
  [[ -f $done_mark ]] && return
  # shellcheck disable=SC2016 # its own arguments, not ours
  follow_unit feeds 86400 -- runuser -u "$APP_USER" -- bash -c \
    'cd "$1" && RAILS_ENV=production PATH="$2/.rbenv/shims:$2/.rbenv/bin:$PATH" exec bin/tootctl feeds build --all' _ "$APP_DIR" "$APP_HOME"
  put_file "$done_mark" 0600 root:root </dev/null
}

absent() { drop_file "$done_mark"; }
