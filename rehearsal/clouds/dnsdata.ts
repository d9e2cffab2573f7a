/** What the DNS APIs check in a record's content, and what its text says on the wire. */
import net from "node:net";
import type { Answer } from "dns-packet";
import type { DnsRecord } from "./store";

const NAME = /^([a-z0-9_*]([a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9-]+\.?$/i;

/** Why this content is none for the type, if so. */
export function checkContent(type: string, content: string): string | undefined {
  if (type === "A" && !net.isIPv4(content))
    return `Content for A record must be a valid IPv4 address, got "${content}"`;
  if (type === "AAAA" && !net.isIPv6(content))
    return `Content for AAAA record must be a valid IPv6 address, got "${content}"`;
  if (["CNAME", "NS", "PTR"].includes(type) && !NAME.test(content))
    return `Content for ${type} record must be a host name, got "${content}"`;
  return undefined;
}

function bare(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}

/** Quoted strings, joined by blanks, or plain text cut where DNS wants it. */
function texts(content: string): string[] {
  const quoted = [...content.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) =>
    (m[1] ?? "").replace(/\\(.)/g, "$1"),
  );
  return quoted.length ? quoted : (content.match(/.{1,255}/gs) ?? [""]);
}

/** One record as an answer; undefined for the types that the stand-in's DNS server does not serve. */
export function answerOf(record: DnsRecord, ttl: number): Answer | undefined {
  const { name, content } = record;
  switch (record.type) {
    case "A":
    case "AAAA":
      return { type: record.type, name, ttl, data: content };
    case "CNAME":
    case "NS":
    case "PTR":
      return { type: record.type, name, ttl, data: bare(content) };
    case "TXT":
      return { type: "TXT", name, ttl, data: texts(content) };
    case "MX": {
      const [preference, exchange] = content.includes(" ")
        ? content.split(/\s+/)
        : [String(record.priority ?? 10), content];
      return {
        type: "MX",
        name,
        ttl,
        data: { preference: Number(preference), exchange: bare(exchange ?? "") },
      };
    }
    default:
      return undefined;
  }
}
