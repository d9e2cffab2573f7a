# How the target reads from the source: one restricted key, one pinned host, and the few verbs of access/serve.py.
# shellcheck shell=bash

read_config=$etc/read.conf

# Lays out key, pin and ssh settings for this and for the units. Needs READ_PRIVATE_KEY and SOURCE_HOST_KEY.
open_source() {
  put_file "$etc/read_key" 0600 root:root <<<"$READ_PRIVATE_KEY"
  put_file "$etc/read_hosts" 0600 root:root <<<"source $SOURCE_HOST_KEY"
  put_file "$read_config" 0600 root:root <<-END
	Host source
	  HostName $SOURCE_ADDRESS
	  Port $SOURCE_SSH_PORT
	  User $SOURCE_SSH_USER
	  HostKeyAlias source
	  UserKnownHostsFile $etc/read_hosts
	  GlobalKnownHostsFile /dev/null
	  StrictHostKeyChecking yes
	  IdentityFile $etc/read_key
	  IdentitiesOnly yes
	  IdentityAgent none
	  BatchMode yes
	  ConnectTimeout 15
	  ServerAliveInterval 5
	  ServerAliveCountMax 3
	  Ciphers ^aes128-gcm@openssh.com
	END
  # The key is renewed without a trace: it is how the step works, not what it is for.
  changed=no
}

# source_read VERB …: what access/serve.py on the source answers.
source_read() { ssh -F "$read_config" source "$@" 9>&-; }

# source_rsync ARG …: rsync from the source; a path is `source:ROOT/…` with ROOT one of access/serve.py's.
source_rsync() { rsync --rsh="ssh -F $read_config" --numeric-ids --timeout=120 "$@" 9>&-; }

# Fails with a remedy when the source does not let the read key in.
check_source() {
  local said
  said="$(source_read clock 2>&1)" && return
  die "the source $SOURCE_ADDRESS to answer the read key as $SOURCE_SSH_USER on port $SOURCE_SSH_PORT" "${said:-no answer}" \
    "check that sshd on the source is reachable from here and that access/grant has run there, then run \`pulumi up\` again"
}
