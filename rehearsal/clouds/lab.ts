/** What a stand-in cloud asks of the lab: servers that boot, addresses, packet filters. */
import type { FirewallRule, Server, State, Store } from "./store";
import type { CloudConfig } from "./cloudinit";
import type { StoreSide } from "./storeside";

/** A server as the cloud hands it to the lab. */
export interface NewServer {
  name: string;
  ipv4?: string;
  ipv6?: string;
  /** The image's own name, such as "debian-12". */
  image: string;
  /** Root's keys: those of the cloud's key ring and those of the user data. */
  publicKeys: string[];
  cloudConfig: CloudConfig;
}

/** The lab, as far as a cloud needs it. */
export interface CloudLab {
  /** Boots a server; resolves when it was switched on, as a cloud's API does. */
  bootServer(server: NewServer): Promise<void>;
  /** Switches a server off and throws its disk away. */
  deleteServer(name: string): Promise<void>;
  /** Lets only these connections in; undefined: no firewall at all. */
  setFirewall?(server: { name: string; ipv4?: string }, rules: FirewallRule[] | undefined): Promise<void>;
}

/** A lab without hosts, for tests of the API alone. */
export const noLab: CloudLab = {
  bootServer: async () => undefined,
  deleteServer: async () => undefined,
};

/** The addresses that the clouds may give out. */
export interface Pool {
  ipv4: string[];
  /** Prefix of the /64 networks: the number of the network and "::/64" are appended. */
  ipv6Prefix: string;
}

export const defaultPool: Pool = {
  ipv4: Array.from({ length: 20 }, (_, i) => `198.18.1.${10 + i}`),
  // RFC 3849: addresses for documentation. Nothing in the lab answers there.
  ipv6Prefix: "2001:db8:1",
};

/** All that the packages of one cloud share. */
export interface Cloud {
  store: Store;
  lab: CloudLab;
  pool: Pool;
  /** What stands behind buckets and CDNs. */
  stores: StoreSide;
}

export function freeIpv4({ pool }: Cloud, state: State): string {
  const used = new Set([...state.servers.map((s) => s.ipv4), ...state.addresses.map((a) => a.ip)]);
  const free = pool.ipv4.find((ip) => !used.has(ip));
  if (!free) throw new Error("no free IPv4 address left in this location (resource_unavailable)");
  return free;
}

/** The next /64, by its first address. */
export function freeIpv6({ pool, store }: Cloud): string {
  return `${pool.ipv6Prefix}:${Number(store.id()).toString(16)}::`;
}

/** Tells the lab what may reach a server now: no firewall attached means that everything may. */
export async function applyFirewalls({ store, lab }: Cloud, server: Server): Promise<void> {
  if (!lab.setFirewall) return;
  const ids = new Set(server.firewalls);
  for (const a of store.state.attachments) if (a.servers.includes(server.id)) ids.add(a.firewall);
  const attached = store.state.firewalls.filter((f) => f.provider === server.provider && ids.has(f.id));
  await lab.setFirewall(server, attached.length ? attached.flatMap((f) => f.rules) : undefined);
}

/** Boots what was recorded; a server that the lab cannot boot is taken back, as a cloud's failed create is. */
export async function boot(
  cloud: Cloud,
  server: Server,
  details: Omit<NewServer, "name" | "ipv4" | "ipv6">,
): Promise<void> {
  try {
    await cloud.lab.bootServer({ name: server.name, ipv4: server.ipv4, ipv6: server.ipv6, ...details });
    await applyFirewalls(cloud, server);
  } catch (e) {
    await cloud.lab.deleteServer(server.name).catch(() => undefined);
    cloud.store.change((s) => (s.servers = s.servers.filter(({ id }) => id !== server.id)));
    throw e;
  }
}

/** Takes a server away, and its packet filter with it. */
export async function unboot({ store, lab }: Cloud, server: Server): Promise<void> {
  await lab.deleteServer(server.name);
  await lab.setFirewall?.(server, undefined);
  store.change((s) => (s.servers = s.servers.filter(({ id }) => id !== server.id)));
}
