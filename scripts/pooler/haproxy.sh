# HAProxy's files: one for each side; haproxy.cfg is a link to that of the side where Redis' primary is.
# shellcheck shell=bash

haproxy_files() {
  haproxy_changed=no
  save_original "$haproxy/haproxy.cfg"
  haproxy_cfg '' ' disabled' | put haproxy "$haproxy/trunkline.source.cfg" 0644 root:root
  haproxy_cfg ' disabled' '' | put haproxy "$haproxy/trunkline.target.cfg" 0644 root:root
  # Redis may still be where Postgres no longer is, if a switchover was cut off in between: then the link knows better.
  [[ "$(readlink "$haproxy/haproxy.cfg")" == trunkline.* ]] || link_to haproxy "trunkline.$side.cfg" "$haproxy/haproxy.cfg"
}

haproxy_cfg() { # SOURCE TARGET: ` disabled` or nothing
  cat <<-END
	# Made by Trunkline: Redis for the app.
	global
	  chroot /var/lib/haproxy
	  stats socket $REDIS_PROXY_ADMIN mode 660 level admin
	  user haproxy
	  group haproxy
	  maxconn 4000

	defaults
	  mode tcp
	  maxconn 4000
	  timeout connect 5s
	  retries 60
	  # In the switchover who comes waits, for as long as for a server that starts again.
	  timeout queue 60s
	  # Who gives up waiting has asked somebody else by then: what they sent is not carried out too.
	  option abortonclose
	  # BRPOP and subscriptions are silent for hours.
	  timeout client 24h
	  timeout server 24h
	  option clitcpka
	  option srvtcpka

	listen redis
	  bind 127.0.0.1:$PORT_REDIS_PROXY
	  server source 127.0.0.1:$PORT_REDIS$1
	  server target 127.0.0.1:$PORT_TARGET_REDIS$2
	END
}
