# gate/shift (target): is everything here that the app needs, before people are sent to it?
# shellcheck shell=bash
. "$scripts/gate/lib.sh"
. "$scripts/lib/web.sh"

main() {
  check_standby
  check_redis
  check_space
  local code
  code="$(curl --silent --insecure --max-time 10 --output /dev/null --write-out '%{http_code}' --request POST \
    --resolve "$WEB_DOMAIN:443:127.0.0.1" "https://$WEB_DOMAIN/inbox" || true)"
  [[ $code =~ ^(5..|401|202)$ ]] || { [[ $code == 403 ]] && has_rules; } ||
    refuse "this host's nginx to answer POST /inbox by 5xx or 401" "$code: other servers would drop what they deliver" "see on this host \`nginx -t\`, \`journalctl -u nginx\` and what else there serves $WEB_DOMAIN, then run \`pulumi up\` again"
  verdict
}
