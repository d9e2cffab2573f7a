import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CertificateAuthority } from "./ca";
import { removeCgroups } from "./cgroups";
import { Delay } from "./delay";
import { LabHost } from "./host";
import { buildNetwork, cutBetween, removeNetwork, resolver, type Side } from "./network";
import { labs } from "./paths";
import { baseImage, furnish, type HostKey, mountRootfs, newKeyPair, unmountRootfs } from "./rootfs";
import { run } from "./run";

export { type ExecOptions, LabHost } from "./host";
export { outside, type Side } from "./network";
export type { HostKey } from "./rootfs";

export interface LabOptions {
  /** Round trip between old and new that is added to the machine's own. @default 0 */
  rttMs?: number;
  /** Told in messages. @default "lab" */
  name?: string;
  /** Gets a line for each thing that happens. @default silent */
  log?: (line: string) => void;
}

export interface BootOptions {
  address: string;
  side: Side;
  /** Its ed25519 host key. @default a new one */
  hostKey?: HostKey;
  /** Lines for root's authorized_keys. */
  authorizedKeys: string[];
  /** Calls to the kernel that containers may not make, and this host may, as a server may. @default none */
  systemCalls?: string[];
  /** Changes the host's tree before it boots. */
  prepare?: (rootfs: string) => Promise<void>;
  /** Size of the disk that takes everything the host writes. @default as much as the machine has */
  diskMiB?: number;
}

/** A small internet in this network namespace: two sites, everyone else, and the hosts that are booted into it. */
export class Lab {
  private readonly delay = new Delay();
  private readonly all = new Map<string, LabHost>();

  private constructor(
    /** Scratch folder, removed at stop. */
    readonly dir: string,
    readonly operatorKey: { privatePath: string; private: string; public: string },
    readonly ca: CertificateAuthority,
    private readonly image: string,
    private readonly log: (line: string) => void,
  ) {}

  /** Builds the network, keys and authority. Must run inside `rehearsal/enter.sh`; one lab at a time there. */
  static async start(o: LabOptions = {}): Promise<Lab> {
    const image = await baseImage();
    await buildNetwork();
    const owner = path.join(labs, process.env.TRUNKLINE_LAB ?? "0-0");
    mkdirSync(owner, { recursive: true, mode: 0o700 });
    const dir = mkdtempSync(path.join(owner, "lab-"));
    const ca = await CertificateAuthority.make(path.join(dir, "ca"));
    const lab = new Lab(dir, await operatorKey(dir), ca, image, (l) => o.log?.(`${o.name ?? "lab"}: ${l}`));
    await lab.useResolver();
    await lab.setRtt(o.rttMs ?? 0);
    return lab;
  }

  /** Makes a new server and boots it: sshd answers when this returns. */
  async boot(name: string, o: BootOptions): Promise<LabHost> {
    if (!/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/.test(name)) throw new Error(`lab: "${name}" is no host name`);
    if (this.all.has(name)) throw new Error(`lab: ${name} is there already; remove() it first`);
    const dir = this.hostDir(name);
    const identity = { ...o, name, hostKey: o.hostKey ?? (await newKeyPair(this.dir, name)) };
    const rootfs = await mountRootfs(this.image, dir, o.diskMiB);
    const host = new LabHost(identity, rootfs, dir);
    this.all.set(name, host);
    await furnish(rootfs, identity);
    await this.ca.trustIn(rootfs);
    await o.prepare?.(rootfs);
    const began = Date.now();
    await host.start();
    this.log(`${name} is up at ${o.address} after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    return host;
  }

  host(name: string): LabHost {
    const host = this.all.get(name);
    if (!host)
      throw new Error(`lab: no host "${name}"; there are: ${[...this.all.keys()].join(", ") || "none"}`);
    return host;
  }

  hosts(): LabHost[] {
    return [...this.all.values()];
  }

  /** Switches a host off and throws its disk away, as when a cloud deletes a server. */
  async remove(name: string): Promise<void> {
    await this.host(name).kill();
    await unmountRootfs(this.hostDir(name));
    rmSync(this.hostDir(name), { recursive: true, force: true });
    this.all.delete(name);
    this.log(`${name} is gone`);
  }

  /**
   * Cuts two hosts apart, or a host from an address on this side (see `outside`), or from one TCP port of it, and
   * returns what heals it. "drop": packets vanish; "reset": whoever sends one is told that the connection is gone.
   */
  async cut(
    a: LabHost | string,
    b: LabHost | string,
    how: "drop" | "reset",
    port?: number,
  ): Promise<() => Promise<void>> {
    const [from, to] = [a, b].map((end) => (typeof end === "string" ? end : end.address)) as [string, string];
    const heal = await cutBetween(from, to, how, port);
    this.log(`cut between ${from} and ${to} (${how})`);
    return async () => {
      await heal();
      this.log(`cut between ${from} and ${to} healed`);
    };
  }

  /** Sets the round trip between old and new, at once. */
  async setRtt(ms: number): Promise<void> {
    await this.delay.set(ms);
    this.log(`${ms} ms round trip between old and new`);
  }

  /** Ends every host and takes everything down again. */
  async stop(): Promise<void> {
    for (const name of [...this.all.keys()]) await this.remove(name);
    await this.delay.stop();
    await run(["umount", "--quiet", "/etc/resolv.conf"], { allowFail: true });
    await removeNetwork();
    removeCgroups();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private hostDir(name: string): string {
    return path.join(this.dir, "hosts", name);
  }

  /** Names are looked up in the lab, also by what runs on this side. */
  private async useResolver(): Promise<void> {
    const file = path.join(this.dir, "resolv.conf");
    writeFileSync(file, `nameserver ${resolver}\noptions timeout:1 attempts:2\n`);
    await run(["mount", "--bind", file, "/etc/resolv.conf"]);
  }
}

async function operatorKey(dir: string) {
  const pair = await newKeyPair(dir, "operator");
  const privatePath = path.join(dir, "operator_key");
  writeFileSync(privatePath, pair.private, { mode: 0o600 });
  return { ...pair, privatePath };
}
