# media/share (target): the media can be read back from the source, through the tunnel and with a password, so that going
# back takes along what was uploaded while this host served.
# shellcheck shell=bash
# Extra settings: SHARE_PASSWORD

present() {
  put_file "$etc/share.secrets" 0600 root:root <<<"trunkline:$SHARE_PASSWORD"
  put_file "$etc/share.conf" 0600 root:root <<END
port = $PORT_SHARE
address = 127.0.0.1
use chroot = yes
read only = yes
list = no
uid = root
gid = root
[media]
  path = $MEDIA_DIR
  auth users = trunkline
  secrets file = $etc/share.secrets
END
  keep_unit media-share <<END
[Unit]
Description=Trunkline: media, readable from the old server
[Service]
ExecStart=/usr/bin/rsync --daemon --no-detach --config=$etc/share.conf
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
END
}

absent() {
  drop_unit media-share
  drop_file "$etc/share.conf" "$etc/share.secrets"
}
