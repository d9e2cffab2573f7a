import { otherNames, webDomain } from "../facts";
import { type Check, error, type Finding, note, risk, type Seen, warning } from "../finding";
import { reached } from "../phase";
import { namesOf } from "../records";

export const records: Check = (seen) => {
  const { migration: m, source, unreachable } = seen;
  if (m.dns.provider === "none" || unreachable.source) return null;
  const names = namesOf(m.dns.names, source ? webDomain(source) : "");
  return names.flatMap(
    (name) => alias(seen, name) ?? absent(seen, name) ?? elsewhere(seen, name) ?? several(seen, name) ?? [],
  );
};

const valuesOf = ({ dns }: Seen, name: string, type: string) =>
  dns.filter((r) => r.name === name && r.type === type).flatMap((r) => r.values);

function alias(seen: Seen, name: string): Finding | undefined {
  const values = valuesOf(seen, name, "CNAME");
  if (!values.length) return undefined;
  return error(
    "dns-cname",
    "a moving name is an alias",
    `${name} is a CNAME to ${values.join(", ")}`,
    "give it an A record of its own, or move the name that it points to (dnsNames)",
  );
}

function absent(seen: Seen, name: string): Finding | undefined {
  if (valuesOf(seen, name, "A").length) return undefined;
  return error(
    "dns-missing",
    "a moving name has no A record",
    `${name} in zone ${seen.migration.dns.zone}`,
    "check dnsZone and dnsNames: records are adopted, never made",
  );
}

function elsewhere(seen: Seen, name: string): Finding | undefined {
  const values = valuesOf(seen, name, "A");
  const address = seen.migration.source.host;
  if (reached(seen.at, "switch") || values.includes(address)) return undefined;
  return risk(
    "dns-elsewhere",
    "a moving name does not point to the source",
    `${name} is ${values.join(", ")}, the source is ${address}`,
    "if something stands in front of the source, that has to be moved by hand; else correct the record",
  );
}

function several(seen: Seen, name: string): Finding | undefined {
  const values = valuesOf(seen, name, "A");
  if (values.length < 2) return undefined;
  return error(
    "dns-several",
    "a moving name has several addresses",
    `${name} is ${values.join(", ")}`,
    "leave the source's alone",
  );
}

export const leftover: Check = ({ dns, migration: m, target }) => {
  const t = m.target;
  if (t.provider === "none") return null;
  const given = t.provider === "existing" ? t.ipv6 : "";
  const lacking = given && target && !target.host.addresses.ipv6.includes(given);
  if (t.ipv6 && !lacking) return null;
  const why = lacking ? `no ${given} on its interfaces` : "no IPv6 address";
  return dns
    .filter((r) => r.type === "AAAA")
    .map((r) =>
      error(
        "dns-aaaa",
        "an AAAA record would stay behind",
        `${r.name} is ${r.values.join(", ")}, and the target has ${why}`,
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

/** Without an API of the zone all that can be seen is what the world sees. */
export const hidden: Check = (seen) => {
  const { migration: m, source, dns, at } = seen;
  if (m.dns.provider !== "none" || !source || reached(at, "switch")) return null;
  const far = dns.filter((r) => r.type === "A" && r.values.length && !r.values.includes(m.source.host));
  return (
    far.length > 0 &&
    risk(
      "dns-hidden",
      "a moving name does not show the source's address",
      `${far.map((r) => `${r.name} is ${r.values.join(", ")}`).join("; ")}, the source is ${m.source.host}`,
      "if a CDN stands in front of the source, give it the target as its origin yourself after the switch: it can't be seen from here, and is not waited for",
    )
  );
};

export const otherZone: Check = ({ source, dns, migration: m, at }) => {
  if (!source || m.dns.provider === "none" || m.dns.names.length || reached(at, "switch")) return null;
  const outside = otherNames(source).filter(
    (n) => n !== m.dns.zone && !n.endsWith(`.${m.dns.zone}`) && !dns.some((r) => r.name === n),
  );
  return (
    outside.length > 0 &&
    warning(
      "dns-other-zone",
      "names of the instance are in another zone",
      `${outside.join(", ")} is not in ${m.dns.zone}`,
      "its site moves along; change its A and AAAA records by hand after the switch, while the source still hands on",
    )
  );
};

/** As where the source has a second or a floating address. */
export const staying: Check = ({ staying: records, migration: m, at }) =>
  records.length > 0 &&
  m.dns.provider !== "none" &&
  !reached(at, "switch") &&
  warning(
    "dns-stays",
    "names that the instance's sites serve do not move",
    `${records.map((r) => `${r.name} is ${r.values.join(", ")}`).join("; ")}; the source is ${m.source.host}`,
    "only what points to sourceHost is changed. If that is another address of the source (a second one, a floating one), name them in dnsNames with the web domain once they point to sourceHost, or change them by hand after the switch, while the source still hands on; if it is another server, nothing",
  );
