# access/grant (source): two keys for the target, in the login user's authorized_keys: one that can only forward named
# ports, one that can only read named things through access/serve.py.
# shellcheck shell=bash
# Extra settings: TUNNEL_PUBLIC_KEY READ_PUBLIC_KEY; STRAYED, which only makes the step run again

tunnel_mark=trunkline-tunnel
read_mark=trunkline-read

present() {
  # Before anything is written: a failure within a line's text would go unseen.
  local tunnel_key read_key
  tunnel_key="$(bare_key "$TUNNEL_PUBLIC_KEY")"
  read_key="$(bare_key "$READ_PUBLIC_KEY")"
  write_roots
  write_keys
  # A later sshd may say no although the lines are there.
  [[ "$(sshd_forwards)" =~ ^(yes|all|local)$ ]] ||
    die "sshd on the source to allow TCP forwarding for $SOURCE_SSH_USER" "AllowTcpForwarding $(sshd_forwards)" \
      "set AllowTcpForwarding yes for that user in sshd_config, and no DisableForwarding, and reload ssh"
  # It would listen on every address, although the tunnel asks for loopback and its key is granted no more.
  [[ "$(sshd_says gatewayports)" != yes ]] ||
    die "sshd on the source to keep forwarded ports on its loopback for $SOURCE_SSH_USER" "GatewayPorts yes" \
      "set GatewayPorts no (or clientspecified) for that user in sshd_config and reload ssh: else the target's Postgres and Redis would be open to everyone at the source's address"
  result keys 2
}

absent() {
  local file
  file="$(keys_file)"
  if [[ -f $file ]] && grep -qE " ($tunnel_mark|$read_mark)\$" "$file"; then
    without_keys "$file" | put_file "$file" "$(stat -c %a "$file")" "$(stat -c %U:%G "$file")"
  fi
  [[ -f $state/made-keys-file && ! -s $file ]] && rm -f "$file"
  drop_file "$etc/serve.roots" "$state/made-keys-file"
  leave_no_trace
}

# The file that sshd reads keys of the login user from; its first one, where it names several.
keys_file() {
  local home pattern
  home="$(getent passwd "$SOURCE_SSH_USER" | cut -d: -f6)"
  [[ -n $home ]] || die "the login user $SOURCE_SSH_USER on the source" "no such user" "set sourceUser to the user that logs in"
  pattern="$(sshd_says authorizedkeysfile)"
  pattern="${pattern%% *}" pattern="${pattern:-.ssh/authorized_keys}"
  pattern="${pattern//%h/$home}" pattern="${pattern//%u/$SOURCE_SSH_USER}"
  [[ $pattern == /* ]] || pattern="$home/$pattern"
  realpath -m "$pattern"
}

# What holds for the login user as the target comes in; Match blocks may tell other addresses something else.
sshd_says() {
  local from="user=$SOURCE_SSH_USER,host=localhost,addr=${TARGET_ADDRESS:-127.0.0.1}"
  "$(command -v sshd || echo /usr/sbin/sshd)" -T -C "$from" 2>/dev/null |
    awk -v key="$1" '$1 == key { $1 = ""; sub(/^ /, ""); print; exit }'
}

# DisableForwarding makes nothing of AllowTcpForwarding, and is told apart from it.
sshd_forwards() {
  if [[ "$(sshd_says disableforwarding)" == yes ]]; then echo no; else sshd_says allowtcpforwarding; fi
}

without_keys() { grep -vE " ($tunnel_mark|$read_mark)\$" "$1" || true; }

write_keys() {
  local file owner group mode=600
  file="$(keys_file)"
  owner="$SOURCE_SSH_USER" group="$(id -gn "$owner")"
  [[ -d $(dirname "$file") ]] || install -d -m 0700 -o "$owner" -g "$group" "$(dirname "$file")"
  if [[ -f $file ]]; then
    owner="$(stat -c %U "$file")" group="$(stat -c %G "$file")" mode="$(stat -c %a "$file")"
  else
    touch "$state/made-keys-file"
  fi
  {
    if [[ -f $file ]]; then without_keys "$file" | awk 1; fi
    tunnel_line
    read_line
  } | put_file "$file" "$mode" "$owner:$group"
}

tunnel_line() {
  local options="restrict,port-forwarding" port
  for port in "$PG_PORT" "$REDIS_PORT" "$PORT_AGENT" "$PORT_SOURCE_MEDIA"; do options+=",permitopen=\"127.0.0.1:$port\""; done
  for port in "$PORT_BACK_PG" "$PORT_BACK_REDIS"; do options+=",permitlisten=\"127.0.0.1:$port\""; done
  # A command that does nothing and ends with its connection. There has to be one: without a session sshd leaves Nagle's
  # algorithm on, and everything small that comes back through a busy tunnel waits for a round trip more.
  echo "$options,command=\"exec tail --pid=\$PPID -f /dev/null\" $tunnel_key $tunnel_mark"
}

read_line() {
  local become=''
  [[ $SOURCE_SSH_USER == root ]] || become='sudo -n '
  # sudo drops the environment, so what was asked for goes on as an argument.
  echo "restrict,command=\"${become}python3 -I $scripts/access/serve.py \\\"\$SSH_ORIGINAL_COMMAND\\\"\" $read_key $read_mark"
}

# Type and key without comment, and nothing else: an option hidden in a key must not get into the file.
bare_key() {
  [[ $1 =~ ^(ssh-ed25519|ecdsa-sha2-nistp[0-9]+|ssh-rsa)\ ([A-Za-z0-9+/=]+)(\ .*)?[[:space:]]*$ ]] ||
    die "a public key in OpenSSH's form" "something else" "this is a fault in the program: report it"
  echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
}

# What the read key may see, by name; access/serve.py knows no other place.
write_roots() {
  printf '%s\t%s\n' home "$APP_HOME" app "$APP_DIR" media "$MEDIA_DIR" env "$APP_DIR/.env.production" \
    cert "$TLS_CERT" key "$TLS_KEY" site "$NGINX_SITE" node "$(node_path)" saved "$state/saved/files" \
    web "$WEB_UNITS" streaming "$STREAMING_UNITS" names "${WEB_NAMES:-$WEB_DOMAIN}" renewals "${RENEWALS:-}" \
    units "$WEB_UNITS $SIDEKIQ_UNITS $STREAMING_UNITS" | put_file "$etc/serve.roots" 0600 root:root
}

# Node as the streaming units call it, else as root's path finds it.
node_path() {
  local unit path=''
  for unit in $STREAMING_UNITS; do
    path="$(systemctl show --property ExecStart --value -- "$unit" | sed -n 's/.*path=\([^ ;]*node\) .*/\1/p' | head -n 1)"
    [[ -n $path ]] && break
  done
  realpath "${path:-$(command -v node || echo /usr/bin/node)}"
}
