import { renewals, webDomain } from "../facts";
import { type Check, error, type Finding, note, risk, size, warning } from "../finding";
import { reached } from "../phase";
import type { Certificate } from "../raw";

const day = 86_400_000;
const MiB = 1024 ** 2;

export const site: Check = ({ source }) =>
  source?.nginx &&
  !source.nginx.sites.length &&
  error(
    "nginx-site",
    "no site of nginx serves the instance",
    `no server_name ${webDomain(source)} in nginx's files`,
    "nginx has to be what people reach on the source; another web server is not supported",
  );

export const running: Check = ({ source }) =>
  source?.nginx &&
  !source.nginx.active &&
  error("nginx-down", "nginx on the source is not running", "its unit is not active", "start it");

export const certificates: Check = ({ source, asked }) =>
  source?.nginx?.certificates.flatMap((c) => broken(c) ?? old(c, asked.source.toMs) ?? []);

function broken(c: Certificate): Finding | undefined {
  const remedy = "issue it again on the source";
  if (!c.exists)
    return error("certificate-missing", "a certificate is missing", `nginx names ${c.cert}`, remedy);
  if (c.matches !== false) return undefined;
  return error("certificate-key", "a certificate and its key do not fit", `${c.cert} and ${c.key}`, remedy);
}

function old(c: Certificate, nowMs: number): Finding | undefined {
  const left = c.notAfterMs === null ? Infinity : Math.floor((c.notAfterMs - nowMs) / day);
  if (left < 0)
    return error(
      "certificate-expired",
      "a certificate has expired",
      `${c.cert}, ${-left} days ago`,
      "renew it on the source (certbot renew) first",
    );
  if (left >= 14) return undefined;
  return warning(
    "certificate-soon",
    "a certificate expires soon",
    `${c.cert}, in ${left} days`,
    "renew it on the source before you begin; after the switch the target has to renew it itself",
  );
}

export const covered: Check = ({ source }) => {
  const list = source?.nginx?.certificates ?? [];
  const name = source ? webDomain(source) : "";
  const covers = (n: string) =>
    n === name || (n.startsWith("*.") && name.split(".").slice(1).join(".") === n.slice(2));
  return source?.nginx?.sites.length && name && !list.some((c) => c.names.some(covers))
    ? error(
        "certificate-name",
        "no certificate covers the web domain",
        `${name}; there is ${list.flatMap((c) => c.names).join(", ") || "none"}`,
        "issue one on the source that does",
      )
    : null;
};

export const body: Check = ({ source }) =>
  source?.nginx?.sites.length &&
  (source.nginx.bodyBytes ?? MiB) < 40 * MiB &&
  source.nginx.bodyBytes !== 0 &&
  warning(
    "body-size",
    "nginx on the source takes only small uploads",
    `client_max_body_size is ${size(source.nginx.bodyBytes ?? MiB)}`,
    "Mastodon's own is 99m; the target's site has that",
  );

/** What Debian's and Ubuntu's nginx.conf say. A stream is two connections of nginx's: the client's and the app's. */
const usualConnections = 768;

export const workers: Check = ({ source, target, at }) => {
  const { connections, files } = source?.nginx?.workers ?? {};
  const there = target?.nginx?.workers;
  const lacks = (here: number | null | undefined, then: number | null | undefined, usual: number) =>
    (here ?? 0) > Math.max(then ?? 0, usual);
  const lacking = [
    lacks(connections, there?.connections, usualConnections) && `worker_connections ${connections}`,
    lacks(files, there?.files, usualConnections) && `worker_rlimit_nofile ${files}`,
  ].filter((line) => line);
  return (
    lacking.length > 0 &&
    !reached(at, "retire") &&
    warning(
      "nginx-workers",
      "not carried: how many connections nginx may hold",
      `${lacking.join(" and ")} on the source`,
      `in prepare say the same in /etc/nginx/nginx.conf on the target (worker_connections in its events block; there ${there?.connections ?? usualConnections} stand) and reload nginx: each open page holds two for its stream, and beyond that nobody gets in`,
    )
  );
};

export const notCarried: Check = ({ source, at }) =>
  !reached(at, "shift") &&
  !!source?.nginx?.notCarried.length &&
  risk(
    "nginx-not-carried",
    "parts of the instance's nginx sites do not go along",
    source.nginx.notCarried.join("; "),
    "they lead out of the app, or hold for all sites of this server: make them in the target's nginx by hand in prepare, or do without them. A home page beside the app goes dark at shift: give it a name and a site of its own first",
  );

export const leftBehind: Check = ({ source, at }) =>
  !reached(at, "shift") &&
  !!source?.nginx?.alsoLead.length &&
  risk(
    "site-left-behind",
    "another site leads to this Mastodon too, and does not move",
    source.nginx.alsoLead.join(", "),
    "from shift on it answers 502, since the app is stopped here. Let people use the instance's own names (streams without STREAMING_API_BASE_URL), or put its proxy_pass to https://the web domain; if nobody needs it, remove it or accept this",
  );

export const between: Check = ({ source, at }) =>
  !reached(at, "shift") &&
  !!source?.nginx?.between.length &&
  warning(
    "nginx-between",
    "not carried: what stands between nginx and the app",
    source.nginx.between.join("; "),
    "the target's nginx asks the app itself. If that is what you want, nothing; else set it up on the target once the app serves there, and lead the site through it. If that address is the app's own, say so in its unit (Environment=PORT=)",
  );

export const others: Check = ({ source }) =>
  !!source?.nginx?.others.length &&
  note(
    "other-sites",
    "the source serves other sites too",
    source.nginx.others.join(", "),
    "nothing: nginx goes on serving them from here. What they keep in Mastodon's Postgres cluster or Redis moves all the same (database-shared, redis-databases). Move them before you give the server back",
  );

export const renewal: Check = ({ source, at }) => {
  const ending = source?.nginx?.certificates.filter((c) => c.notAfterMs !== null) ?? [];
  if (!source || reached(at, "retire")) return null;
  const along = renewals(source);
  return ending.flatMap((c) =>
    !along.includes(c.lineage ?? "")
      ? unrenewed(c, source.nginx?.names ?? [])
      : reached(at, "settle")
        ? []
        : renewed(c),
  );
};

function renewed(c: Certificate): Finding {
  return note(
    "certificate-renewal",
    "certbot goes on renewing a certificate on the target",
    `${c.cert} ends on ${endOf(c)}; on the source certbot renews it (${c.renewal})`,
    "nothing: its settings and account come along, and work from settle on; hooks of your own do not",
  );
}

function unrenewed(c: Certificate, served: string[]): Finding {
  return warning(
    "certificate-end",
    "nobody renews a certificate on the target",
    `${c.cert} (${c.names.join(", ")}) ends on ${endOf(c)}; on the source ${c.renewal ? `certbot renews it (${c.renewal})` : "certbot does not know it"}`,
    `before that day, and once DNS points to the target, there: ${byHand(c, served)}; or let what renews it on the source (acme.sh, a panel) do so there`,
  );
}

/** For the names that the target serves; a name that is proven by DNS may be any. */
function byHand({ names, renewal: way }: Certificate, served: string[]): string {
  const all = (list: string[]) => list.map((name) => `-d '${name}'`).join(" ");
  const certbot = "apt-get install certbot python3-certbot-nginx";
  if (!way?.includes("dns-") && !names.some((n) => n.startsWith("*.")))
    return `\`${certbot} && certbot --nginx ${all(names.filter((n) => served.includes(n)))}\``;
  const plugin = way?.match(/dns-[\w-]+$/)?.[0] ?? "dns-PROVIDER";
  return `\`${certbot} python3-certbot-${plugin} && certbot -i nginx -a ${plugin} ${all(names)}\`, with the plugin's credentials from the source`;
}

const endOf = (c: Certificate) => new Date(c.notAfterMs ?? 0).toISOString().slice(0, 10);
