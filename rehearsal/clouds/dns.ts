/** The lab's DNS server: authoritative for the clouds' zones and reverse names; what an API changes is served at once. */
import dgram from "node:dgram";
import net from "node:net";
import * as packet from "dns-packet";
import { answerOf } from "./dnsdata";
import type { DnsRecord, State, Zone } from "./store";

export interface DnsQuery {
  at: number;
  from: string;
  name: string;
  type: string;
}

export interface DnsServer {
  address: string;
  port: number;
  /** Who asked for what, oldest first. */
  queries: DnsQuery[];
  stop(): Promise<void>;
}

/** What Cloudflare serves for "automatic". */
const AUTOMATIC_TTL = 300;
const KEPT_QUERIES = 100_000;

type Reply = {
  rcode: "NOERROR" | "NXDOMAIN" | "REFUSED";
  answers: packet.Answer[];
  authorities: packet.Answer[];
};

function ttlOf(zone: Zone, record: DnsRecord): number {
  const ttl = record.ttl ?? zone.ttl;
  return ttl === 1 ? AUTOMATIC_TTL : ttl;
}

function soa(zone: Zone): packet.Answer {
  const data = {
    mname: zone.nameServers[0] ?? `ns.${zone.name}`,
    rname: `hostmaster.${zone.name}`,
    serial: zone.serial,
    refresh: 10_000,
    retry: 2_400,
    expire: 604_800,
    minimum: Math.min(zone.ttl, 1_800),
  };
  return { type: "SOA", name: zone.name, ttl: zone.ttl, data };
}

/** The address in a reverse name. */
function addressOf(name: string): string | undefined {
  const v4 = /^((\d+\.){4})in-addr\.arpa$/.exec(name)?.[1];
  if (v4) return v4.split(".").slice(0, 4).reverse().join(".");
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  return v6 && (v6.replaceAll(".", "").split("").reverse().join("").match(/.{4}/g) ?? []).join(":");
}

/** The same address in one spelling. */
function canonical(ip: string): string {
  return net.isIPv6(ip) ? new URL(`http://[${ip}]`).hostname : ip;
}

function reverseReply(state: State, name: string, ip: string): Reply {
  const found = Object.entries(state.reverse).find(([address]) => canonical(address) === canonical(ip));
  if (!found) return { rcode: "NXDOMAIN", answers: [], authorities: [] };
  return { rcode: "NOERROR", answers: [{ type: "PTR", name, ttl: 3600, data: found[1] }], authorities: [] };
}

/** The zone that a name lies in. */
function zoneOf(state: State, name: string): Zone | undefined {
  const zones = state.zones.filter((z) => name === z.name || name.endsWith(`.${z.name}`));
  return zones.sort((a, b) => b.name.length - a.name.length)[0];
}

/** A name's records, or where it has none those of the wildcard beside it. */
function recordsAt(zone: Zone, name: string): DnsRecord[] {
  const own = zone.records.filter((r) => r.name === name);
  const wild = name.replace(/^[^.]+\./, "*.");
  return own.length ? own : zone.records.filter((r) => r.name === wild).map((r) => ({ ...r, name }));
}

/** Answers from the zone, following CNAMEs also into other zones, as a resolver does. */
function zoneReply(state: State, zone: Zone, name: string, type: string, hops = 0): Reply {
  if (name === zone.name && type === "SOA")
    return { rcode: "NOERROR", answers: [soa(zone)], authorities: [] };
  if (name === zone.name && type === "NS" && !zone.records.some((r) => r.type === "NS" && r.name === name)) {
    const answers = zone.nameServers.map((data): packet.Answer => ({
      type: "NS",
      name,
      ttl: zone.ttl,
      data,
    }));
    return { rcode: "NOERROR", answers, authorities: [] };
  }
  const here = recordsAt(zone, name);
  const wanted = here.filter(
    (r) => type === "ANY" || r.type === type || (r.type === "CNAME" && type !== "CNAME"),
  );
  const answers = wanted.flatMap((r) => answerOf(r, ttlOf(zone, r)) ?? []);
  const alias = wanted
    .find((r) => r.type === "CNAME" && type !== "CNAME")
    ?.content.replace(/\.$/, "")
    .toLowerCase();
  const next = alias && alias !== name && hops < 8 ? zoneOf(state, alias) : undefined;
  if (alias && next) answers.push(...zoneReply(state, next, alias, type, hops + 1).answers);
  const exists =
    here.length > 0 || name === zone.name || zone.records.some((r) => r.name.endsWith(`.${name}`));
  return { rcode: exists ? "NOERROR" : "NXDOMAIN", answers, authorities: answers.length ? [] : [soa(zone)] };
}

function reply(state: State, name: string, type: string): Reply {
  const zone = zoneOf(state, name);
  if (zone) return zoneReply(state, zone, name, type);
  const ip = addressOf(name);
  return ip ? reverseReply(state, name, ip) : { rcode: "REFUSED", answers: [], authorities: [] };
}

const RCODE = { NOERROR: 0, NXDOMAIN: 3, REFUSED: 5 };

function answer(state: State, query: packet.DecodedPacket): packet.Packet {
  const question = query.questions?.[0];
  const name = (question?.name ?? "").toLowerCase();
  const { rcode, answers, authorities } = reply(state, name, question?.type ?? "");
  const asked = query.flags ?? 0;
  // "Recursion available" is a courtesy: the lab's hosts use this server as their resolver.
  const flags =
    packet.AUTHORITATIVE_ANSWER |
    (asked & packet.RECURSION_DESIRED) |
    packet.RECURSION_AVAILABLE |
    RCODE[rcode];
  return { type: "response", id: query.id, flags, questions: query.questions, answers, authorities };
}

/** Serves the zones of the state on UDP and TCP. */
export async function serveDns(state: State, address: string, port = 53): Promise<DnsServer> {
  const queries: DnsQuery[] = [];
  const handle = (message: Buffer, from: string): { response: packet.Packet; limit: number } => {
    const query = packet.decode(message);
    const { name = "", type = "" } = query.questions?.[0] ?? {};
    queries.push({ at: Date.now(), from, name: name.toLowerCase(), type });
    if (queries.length > KEPT_QUERIES) queries.splice(0, KEPT_QUERIES / 10);
    const edns = query.additionals?.find((a) => a.type === "OPT") as { udpPayloadSize?: number } | undefined;
    return { response: answer(state, query), limit: edns?.udpPayloadSize ?? 512 };
  };
  const udp = dgram.createSocket(net.isIPv6(address) ? "udp6" : "udp4");
  udp.on("message", (message, from) => {
    try {
      const { response, limit } = handle(message, from.address);
      const full = packet.encode(response);
      const cut = {
        ...response,
        answers: [],
        authorities: [],
        flags: (response.flags ?? 0) | packet.TRUNCATED_RESPONSE,
      };
      udp.send(full.length <= limit ? full : packet.encode(cut), from.port, from.address);
    } catch {
      // Not DNS: a server stays silent.
    }
  });
  const tcp = net.createServer((socket) =>
    serveStream(socket, (message) => handle(message, socket.remoteAddress ?? "")),
  );
  const bound = await new Promise<number>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(port, address, () => resolve((tcp.address() as net.AddressInfo).port));
  });
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(bound, address, resolve);
  });
  return {
    address,
    port: bound,
    queries,
    async stop() {
      await new Promise<void>((resolve) => udp.close(resolve));
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
    },
  };
}

/** Queries over TCP: two bytes of length before each message. */
function serveStream(socket: net.Socket, handle: (message: Buffer) => { response: packet.Packet }): void {
  let buffered = Buffer.alloc(0);
  socket.setTimeout(10_000, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (data: Buffer) => {
    buffered = Buffer.concat([buffered, data]);
    while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
      const end = 2 + buffered.readUInt16BE(0);
      const message = buffered.subarray(2, end);
      buffered = buffered.subarray(end);
      try {
        socket.write(packet.streamEncode(handle(message).response));
      } catch {
        socket.destroy();
      }
    }
  });
}
