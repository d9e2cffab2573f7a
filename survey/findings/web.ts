import { webDomain } from "../facts";
import { type Check, error, note, risk, size, warning } from "../finding";
import { reached } from "../phase";
import { namesOf } from "../records";

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

export const certificates: Check = ({ source, nowMs }) =>
  (source?.nginx?.certificates ?? []).flatMap((c) => {
    const left = c.notAfterMs === null ? null : Math.floor((c.notAfterMs - nowMs.source) / day);
    if (!c.exists)
      return [
        error(
          "certificate-missing",
          "a certificate is missing",
          `nginx names ${c.cert}`,
          "issue it again on the source",
        ),
      ];
    if (c.matches === false)
      return [
        error(
          "certificate-key",
          "a certificate and its key do not fit",
          `${c.cert} and ${c.key}`,
          "issue it again on the source",
        ),
      ];
    if (left !== null && left < 0)
      return [
        error(
          "certificate-expired",
          "a certificate has expired",
          `${c.cert}, ${-left} days ago`,
          "renew it on the source (certbot renew) first",
        ),
      ];
    if (left !== null && left < 14)
      return [
        warning(
          "certificate-soon",
          "a certificate expires soon",
          `${c.cert}, in ${left} days`,
          "renew it on the source before you begin; after the switch the target has to renew it itself",
        ),
      ];
    return [];
  });

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

export const records: Check = ({ dns, migration: m, source, at, unreachable }) => {
  if (m.dns.provider === "none" || unreachable.source) return null;
  const names = namesOf(m.dns.names, source ? webDomain(source) : "");
  return names.flatMap((name) => {
    const here = dns.filter((r) => r.name === name);
    const alias = here.find((r) => r.type === "CNAME");
    const a = here.find((r) => r.type === "A");
    if (alias)
      return [
        error(
          "dns-cname",
          "a moving name is an alias",
          `${name} is a CNAME to ${alias.values.join(", ")}`,
          "give it an A record of its own, or move the name that it points to (dnsNames)",
        ),
      ];
    if (!a)
      return [
        error(
          "dns-missing",
          "a moving name has no A record",
          `${name} in zone ${m.dns.zone}`,
          "check dnsZone and dnsNames: records are adopted, never made",
        ),
      ];
    if (!reached(at, "switch") && !a.values.includes(m.source.host))
      return [
        risk(
          "dns-elsewhere",
          "a moving name does not point to the source",
          `${name} is ${a.values.join(", ")}, the source is ${m.source.host}`,
          "if something stands in front of the source, that has to be moved by hand; else correct the record",
        ),
      ];
    if (a.values.length > 1)
      return [
        error(
          "dns-several",
          "a moving name has several addresses",
          `${name} is ${a.values.join(", ")}`,
          "leave the source's alone",
        ),
      ];
    return [];
  });
};

export const leftover: Check = ({ dns, migration: m, target }) => {
  const t = m.target;
  const has = t.provider === "existing" ? Boolean(t.ipv6) : t.ipv6;
  const routed =
    !target || t.provider !== "existing" || !t.ipv6 || target.host.addresses.ipv6.includes(t.ipv6);
  return dns
    .filter((r) => r.type === "AAAA" && (!has || !routed))
    .map((r) =>
      error(
        "dns-aaaa",
        "an AAAA record would stay behind",
        `${r.name} is ${r.values.join(", ")}, and the target has ${has ? `no ${t.provider === "existing" ? t.ipv6 : ""} on its interfaces` : "no IPv6 address"}`,
        "give the target one (serverIpv6, targetIpv6), or delete the record a day before: peers that use it would find the old server",
      ),
    );
};

export const proxied: Check = ({ dns }) =>
  dns
    .filter((r) => r.proxied)
    .map((r) =>
      r.ttl !== 1
        ? error(
            "dns-proxied-ttl",
            "a proxied record has a TTL",
            `${r.name} ${r.type} has ${r.ttl} s`,
            "set it to automatic: Cloudflare takes no other for a proxied record, and a change of it would fail",
          )
        : note(
            "dns-proxied",
            "Cloudflare stands before the instance",
            `${r.name} ${r.type} is proxied`,
            "nothing: its TTL stays automatic and the change takes effect at once. Keep Cloudflare's ranges in TRUSTED_PROXY_IP",
          ),
    );

export const slow: Check = ({ dns, at }) =>
  dns
    .filter((r) => !r.proxied && r.ttl > 3600 && !reached(at, "switch"))
    .map((r) =>
      note(
        "dns-ttl",
        "old DNS answers live long",
        `${r.name} ${r.type} has ${r.ttl} s`,
        "stay in prepare for that long: it is lowered there. Whoever still has the old answer is served through the source",
      ),
    );
