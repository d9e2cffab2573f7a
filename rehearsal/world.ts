import { mkdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Clouds, inLab, startClouds } from "./clouds";
import { pulumiCli } from "./engine/cli";
import { Lab, type LabHost } from "./lab";
import { waitFor } from "./lab/run";
import type { Place } from "./judge";
import { type Installed, installMastodon, type Layout, layoutOf } from "./mastodon";
import { mediaHost, MediaWorld } from "./media";
import { domain, edge, resolver, sourceAddress, targetAddress } from "./names";
import { type People, startPeople } from "./people";
import type { PeopleStats } from "./people/crowd";
import { remoteHosts, type Remotes, startRemotes } from "./remotes";
import type { RemotesStats } from "./remotes/fediverse";
import { adjustLogin, configOf, placeOf } from "./setting";
import type { Source } from "./sources";
import { Stack, type StackEvent } from "./stack";
import type { StoreKind } from "./stores";

export { domain } from "./names";
const repository = path.dirname(__dirname);

export interface WorldOptions {
  rttMs: number;
  rate: number;
  size: "small" | "medium" | "large";
  /** How the source differs from the usual, and where it goes. @default - as the official guide has it */
  source?: Source;
  /** Move the media to a store, and nothing else. @default - a live move */
  store?: StoreKind;
  /** Move the server as well, after the media. @default false */
  serverToo?: boolean;
  /** Size of the new server's disk, for the faults that fill it. @default - as much as the machine has */
  targetDiskMiB?: number;
  onEvent?: (e: StackEvent) => void;
  log: (line: string) => void;
}

/** Everything outside the program: a live instance with its people, a cloud that makes the new server, a stack. */
export class World {
  people!: People;
  remotes!: Remotes;

  private constructor(
    readonly lab: Lab,
    readonly source: LabHost,
    readonly installed: Installed,
    readonly clouds: Clouds,
    readonly stack: Stack,
    readonly layout: Layout,
    private readonly o: WorldOptions,
    /** The store that the media move to. */
    readonly media?: MediaWorld,
  ) {}

  static async build(o: WorldOptions): Promise<World> {
    const lab = await Lab.start({ rttMs: o.rttMs, log: o.log });
    const media = o.store && (await MediaWorld.start(lab, o.store));
    const clouds = await startClouds({
      lab: inLab(lab, o.targetDiskMiB),
      directory: repository,
      dir: lab.dir,
      stores: media?.stores,
      dns: { address: resolver },
    });
    const setting = o.source ?? { title: "" };
    const layout = layoutOf(domain, setting.variant);
    addZones(clouds, setting, layout);
    const authorizedKeys = [lab.operatorKey.public];
    const diskMiB = media && o.targetDiskMiB;
    const source = await lab.boot("old", { address: sourceAddress, side: "old", authorizedKeys, diskMiB });
    const existing = { address: targetAddress, side: "new", authorizedKeys } as const;
    if (setting.target === "existing") await lab.boot("there", existing);
    o.log(`installing a ${o.size} Mastodon on the old server${setting.title && `: ${setting.title}`}`);
    const neighbour = setting.variant?.site?.neighbour;
    const installed = await installMastodon(source, {
      domain,
      size: o.size,
      certificate: await lab.ca.certificateFor([
        ...new Set([layout.webDomain, domain, ...(media ? [mediaHost] : [])]),
      ]),
      neighbour: neighbour ? await lab.ca.certificateFor([neighbour]) : undefined,
      layout: setting.layout,
      variant: setting.variant,
    });
    if (setting.ssh) await adjustLogin(source, setting.ssh);
    const stack = await makeStack(lab, source, clouds, "pulumi", o);
    const config = await media?.config(clouds);
    if (config) await stack.setConfig({ ...(!o.serverToo && alone), ...config.plain }, config.secret);
    return new World(lab, source, installed, clouds, stack, layout, o, media);
  }

  /** People begin to post, remote servers to deliver. */
  async open(): Promise<void> {
    const { lab, installed } = this;
    const dir = path.join(lab.dir, "records");
    mkdirSync(dir, { recursive: true });
    const common = { domain: this.layout.webDomain, caPath: lab.ca.certPath, dns: [resolver], dir };
    const certificate = await lab.ca.certificateFor(remoteHosts);
    const targets = installed.users.slice(0, 8).map((u) => u.username);
    this.remotes = await startRemotes({ ...common, certificate, address: edge, targets });
    this.people = await startPeople({ ...common, accounts: installed.users, rate: this.o.rate });
    await this.media?.open(this.source, domain, this.place());
  }

  /** What a second operator has who does not know of the first: a stack of the same name, in another backend. */
  otherStack(): Promise<Stack> {
    const { lab, source, clouds, o } = this;
    return makeStack(lab, source, clouds, "pulumi-other", { ...o, onEvent: undefined });
  }

  /** Nothing but the media moves. */
  get mediaAlone(): boolean {
    return this.media !== undefined && !this.o.serverToo;
  }

  /** The new server; an error before the cloud has booted it. */
  target(): LabHost {
    const host = this.lab.hosts().find((h) => h !== this.source);
    if (!host) throw new Error("the cloud has not booted the new server yet");
    return host;
  }

  /** Where the judge finds things on both servers. */
  place(): Place {
    return placeOf(this.layout, this.o.source, this.installed.redisPassword);
  }

  records(): { people: string; remotes: string } {
    return { people: this.people.records, remotes: this.remotes.records };
  }

  /** Nobody begins anything new; what was begun ends. */
  async quiet(): Promise<void> {
    await this.people.pause();
    await this.remotes.quiet();
  }

  async resume(): Promise<void> {
    await this.people.resume();
    await this.remotes.resume();
  }

  /** The lead time of the media host: until browsers have opened their page anew, they know its former policy only. */
  async pagesOpenedAnew(): Promise<void> {
    const since = Date.now();
    await waitFor("people to open their page anew", 120_000, async () => {
      const { pageSince } = await this.people.stats();
      return pageSince > since || `the one they have is of ${new Date(pageSince).toISOString()}`;
    });
  }

  stats(): Promise<[PeopleStats, RemotesStats]> {
    return Promise.all([this.people.stats(), this.remotes.stats()]);
  }

  environment(): Record<string, string> {
    return {
      machine: `${os.cpus().length} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}`,
      ...(this.media ? { store: this.media.kind } : { "round trip old–new": `${this.o.rttMs} ms` }),
      instance: `${this.o.size}: ${JSON.stringify(this.installed.counts).replaceAll(/[{}"]/g, "").replaceAll(",", ", ")}`,
      "writes asked for": `${this.o.rate} a second`,
    };
  }

  async stop(): Promise<void> {
    // Undefined where nobody was let in yet.
    const crowds = [this.people, this.remotes] as (People | Remotes | undefined)[];
    await Promise.all(crowds.map((crowd) => crowd?.leave()));
    await this.media?.stop();
    await this.clouds.stop();
    await this.lab.stop();
  }
}

/** What the stack is told where nothing but the media moves. */
const alone = {
  phase: "survey",
  domain,
  sourceHost: sourceAddress,
  targetProvider: "none",
  dnsProvider: "cloudflare",
  dnsZone: domain,
};

/** DNS as it was before: a TTL that is too long for a move. */
function addZones(clouds: Clouds, setting: Source, layout: Layout): void {
  const provider = setting.dns === "hetzner" ? "hcloud" : "cloudflare";
  const names = [...new Set([layout.webDomain, domain])];
  const of = (name: string, content: string) => ({ name, type: "A", content, ttl: 300 });
  clouds.api.addZone({ provider, name: domain, records: names.map((name) => of(name, sourceAddress)) });
  for (const name of remoteHosts) clouds.api.addZone({ provider, name, records: [of(name, edge)] });
}

async function makeStack(
  lab: Lab,
  source: LabHost,
  clouds: Clouds,
  dir: string,
  o: WorldOptions,
): Promise<Stack> {
  const stack = new Stack({
    project: repository,
    engine: await pulumiCli(path.join(lab.dir, dir, "engine/bin"), o.log),
    dir: path.join(lab.dir, dir),
    // The repository's own stack file is for the live move; another's name has none.
    name: o.store && !o.serverToo ? "media" : "dev",
    env: clouds.env,
    onEvent: (e) => {
      if (o.source?.dns === "none") changeByHand(clouds, e.message ?? "");
      o.onEvent?.(e);
    },
  });
  await stack.init();
  await stack.setConfig(
    { sourceHostKey: source.hostKeyPublic, ...configOf(o.source, lab) },
    {
      sshPrivateKey: lab.operatorKey.private,
      // Of the real ones' lengths, which the stand-ins insist on.
      "hcloud:token": "rehearsal".padEnd(64, "0"),
      "vultr:apiKey": "REHEARSAL".padEnd(36, "0"),
      "cloudflare:apiToken": "rehearsal".padEnd(40, "0"),
    },
  );
  return stack;
}

/** The admin of a zone without an API does as he is told. */
function changeByHand(clouds: Clouds, message: string): void {
  for (const [, name = "", content = ""] of message.matchAll(/^(\S+) A (\d+\.\d+\.\d+\.\d+)$/gm))
    if (name.endsWith(domain)) clouds.api.setRecord(domain, { name, type: "A", content, ttl: 60 });
}
