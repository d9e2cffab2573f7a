# What the storage steps share: where they keep what they know, how they reach the bucket, whether the app uses it already.
# shellcheck shell=bash
# Settings: STORE BUCKET ENDPOINT REGION PATH_STYLE ACCESS_KEY SECRET_KEY PERMISSION OBJECT_ACL PUBLIC_URL MEDIA_HOST MEDIA_CDN
# CACHE RATE_MIB SAMPLE KEEP_LOCAL STORAGE_ENV (lines NAME=value)
. "$scripts/lib/app.sh"
. "$scripts/lib/layout.sh"

known=$state/storage           # what is known of the way: mark, copied, checked, announced, switched, verified, cleaned
store_conf=$etc/storage.conf   # rclone's settings
store_json=$etc/storage.json   # the same for Python, with the facts that its parts need

# Writes what rclone and Python need; both hold the key, and only root reads them.
write_store() {
  install -d -m 0700 "$known"
  rclone_settings | put_file "$store_conf" 0600 root:root
  python_settings | put_file "$store_json" 0600 root:root
}

rclone_settings() {
  local provider=Other
  case $STORE in s3) provider=AWS ;; r2) provider=Cloudflare ;; esac
  cat <<-END
	[store]
	type = s3
	provider = $provider
	access_key_id = $ACCESS_KEY
	secret_access_key = $SECRET_KEY
	region = $REGION
	endpoint = $ENDPOINT
	force_path_style = $([[ $PATH_STYLE == yes ]] && echo true || echo false)
	no_check_bucket = true
	env_auth = false
	END
}

python_settings() {
  local name words=() parts=()
  mapfile -t words < <(psql_words)
  local PSQL_DIR=${COMPOSE_DIR:-/} PSQL
  PSQL="$(printf '%s\n' "${words[@]}")"
  for name in STORE BUCKET ENDPOINT REGION PATH_STYLE ACCESS_KEY SECRET_KEY PERMISSION OBJECT_ACL PUBLIC_URL MEDIA_HOST MEDIA_CDN \
    CACHE RATE_MIB SAMPLE MEDIA_DIR WEB_DOMAIN APP_UID APP_GID PSQL PSQL_DIR; do
    parts+=("$(json_string "$name"):$(json_string "${!name:-}")")
  done
  (IFS=, && echo "{${parts[*]}}")
}

# storage_python FILE ARG…: a part of the steps in Python, in this folder.
storage_python() { python3 -B "$scripts/storage/$1" "$store_json" "${@:2}" 9>&-; }

# uses_bucket: the app's own settings name this bucket: media are there, whoever switched.
uses_bucket() { [[ "$(app_env S3_ENABLED)" == true && "$(app_env S3_BUCKET)" == "$BUCKET" ]]; }

has_disk() { [[ -n ${MEDIA_DIR:-} && -d $MEDIA_DIR ]]; }

mark_known() { install -d -m 0700 "$known" && put_file "$known/$1" 0600 root:root; }
is_known() { [[ -e $known/$1 ]]; }

need_tools() {
  [[ -f $store_conf && -f $store_json ]] || die "the bucket's settings in $store_conf" "no such file" "this step comes after storage/tools: run \`pulumi up\` again"
}
