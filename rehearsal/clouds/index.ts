/**
 * Stand-in clouds for the rehearsal: one process, one port a package, attached by the engine (PULUMI_DEBUG_PROVIDERS).
 * The process belongs to the rehearsal, so what the clouds have survives a killed `pulumi up`.
 */
import path from "node:path";
import { randomBytes } from "node:crypto";
import { aws } from "./aws";
import { Api, throughApi, type ApiCall, type ApiFault } from "./api";
import { B2 } from "./b2";
import { Bunny } from "./bunny";
import { cloudflare } from "./cloudflare";
import { command } from "./command";
import { serveDns, type DnsServer } from "./dns";
import { hcloud } from "./hcloud";
import { type HttpApi, serveHttp } from "./httpapi";
import { defaultPool, noLab, type Cloud, type CloudLab, type Pool } from "./lab";
import { serve } from "./provider";
import { random } from "./random";
import { Store, type DnsRecord, type Provider, type State, type Zone } from "./store";
import { Memory, type StoreSide } from "./storeside";
import { tls } from "./tls";
import { vultr } from "./vultr";

export type { ApiCall, ApiFault } from "./api";
export type { CloudLab, NewServer, Pool } from "./lab";
export { inLab } from "./inlab";
export { Memory, type CdnSite, type StoreSide, type VendorStore } from "./storeside";

export interface CloudsOptions {
  /** What boots the servers. @default servers exist in the books alone */
  lab?: CloudLab;
  /** Address to listen on. @default 127.0.0.1 */
  listen?: string;
  /** The program's folder, to which relative asset paths are relative. @default the current one */
  directory?: string;
  /** Folder of the clouds' books; a second start with the same one goes on from there. @default in memory */
  dir?: string;
  /** Addresses that servers get, in this order. @default 198.18.1.10 to .29 */
  pool?: Pool;
  /** What stands behind buckets and CDNs. @default books in memory */
  stores?: StoreSide;
  /** Where to serve DNS. @default nowhere */
  dns?: { address: string; port?: number };
}

/** A record as an admin made it by hand, before Trunkline came. */
export interface GivenRecord {
  /** Full name, without a trailing dot. */
  name: string;
  type: string;
  content: string;
  ttl?: number;
  proxied?: boolean;
}

/** The clouds' control panel, for those who play the world and its accidents. */
export class CloudsApi {
  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly accounts: { b2: B2; bunny: Bunny },
    /** The DNS server, when there is one. */
    readonly dns?: DnsServer,
  ) {}

  get state(): State {
    return this.store.state;
  }

  /** Every call to a cloud's API, with its outcome. */
  get calls(): ApiCall[] {
    return this.api.calls;
  }

  /** Makes the next matching calls to an API fail; they count down. */
  fail(fault: ApiFault): void {
    this.api.fail(fault);
  }

  /** Takes all faults back, and gives those that have not struck, or not as often as they were to. */
  heal(): ApiFault[] {
    return this.api.heal();
  }

  /** What an admin gets from Backblaze's dashboard: a key that may make buckets and keys, and nothing by S3. */
  b2MasterKey(): { accessKey: string; secretKey: string } {
    return this.accounts.b2.masterKey();
  }

  /** What an admin gets from bunny.net's dashboard. */
  bunnyApiKey(): string {
    return this.accounts.bunny.apiKey();
  }

  /** A zone with its records, as it was before the migration. */
  addZone(o: {
    provider: Provider;
    name: string;
    ttl?: number;
    nameServers?: string[];
    records?: GivenRecord[];
  }): Zone {
    const zone: Zone = {
      id: o.provider === "cloudflare" ? randomBytes(16).toString("hex") : this.store.id(),
      provider: o.provider,
      name: o.name,
      ttl: o.ttl ?? 3600,
      serial: 2026010101,
      nameServers: o.nameServers ?? [`ns1.${o.name}`],
      records: [],
    };
    this.store.change((s) => s.zones.push(zone));
    for (const record of o.records ?? []) this.setRecord(zone.name, record);
    return zone;
  }

  /** Adds a record by hand, or changes the one of the same name and type. */
  setRecord(zoneName: string, given: GivenRecord): DnsRecord {
    const zone = this.state.zones.find((z) => z.name === zoneName);
    if (!zone) throw new Error(`no zone ${zoneName}`);
    const now = new Date().toISOString();
    const found = zone.records.find((r) => r.name === given.name && r.type === given.type);
    const record = found ?? ({ id: randomBytes(16).toString("hex"), createdOn: now } as DnsRecord);
    return this.store.change(() => {
      Object.assign(record, given, { modifiedOn: now });
      if (!found) zone.records.push(record);
      zone.serial++;
      return record;
    });
  }

  /** The records of a name, as its zone has them now. */
  records(name: string, type?: string): DnsRecord[] {
    const all = this.state.zones.flatMap((z) => z.records);
    return all.filter((r) => r.name === name && (type === undefined || r.type === type));
  }
}

export interface Clouds {
  /** What to put into the environment of `pulumi`. */
  env: Record<string, string>;
  api: CloudsApi;
  stop(): Promise<void>;
}

/** Starts all packages, the APIs over HTTP, and the DNS server where one is wanted. */
export async function startClouds(o: CloudsOptions = {}): Promise<Clouds> {
  const store = new Store(o.dir && path.join(o.dir, "clouds.json"));
  const cloud: Cloud = {
    ...{ store, lab: o.lab ?? noLab, pool: o.pool ?? defaultPool },
    stores: o.stores ?? new Memory(),
  };
  const api = new Api();
  const clouds = [hcloud, vultr, cloudflare, aws].map((make) => throughApi(make(cloud), api));
  const served = await Promise.all(
    [command, random, tls, ...clouds].map(async (pkg) => {
      return { name: pkg.name, ...(await serve(pkg, o.directory ?? process.cwd(), o.listen)) };
    }),
  );
  const accounts = { b2: new B2(cloud), bunny: new Bunny(cloud) };
  const http = await serveAccounts(accounts, api, o.listen ?? "127.0.0.1");
  const dns = o.dns && (await serveDns(store.state, o.dns.address, o.dns.port));
  return {
    env: {
      PULUMI_DEBUG_PROVIDERS: served.map(({ name, port }) => `${name}:${port}`).join(","),
      ...{ B2_API_URL: http.b2.url, BUNNY_API_URL: http.bunny.url, BUNNY_CERTIFICATE_PAUSE_MS: "200" },
    },
    api: new CloudsApi(store, api, accounts, dns),
    async stop() {
      await Promise.all([...served.map((s) => s.stop()), http.b2.stop(), http.bunny.stop(), dns?.stop()]);
    },
  };
}

async function serveAccounts(
  { b2, bunny }: { b2: B2; bunny: Bunny },
  api: Api,
  listen: string,
): Promise<{ b2: HttpApi; bunny: HttpApi }> {
  // B2 tells its callers where to go on, which is here again.
  const served: { url?: string } = {};
  const first = await serveHttp("b2", api, listen, (asked) => b2.handle(asked, served.url ?? ""));
  served.url = first.url;
  return { b2: first, bunny: await serveHttp("bunny", api, listen, (asked) => bunny.handle(asked)) };
}
