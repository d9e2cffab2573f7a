import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Lab, type LabHost } from "../../lab";
import { run } from "../../lab/run";
import { Gateway } from "../../stores/gateway";
import { bucket, mediaFolder, settings } from "./settings";

/** Where the S3 server listens: an address of the lab's edge. */
const storeAddress = "198.18.2.130";
const long = { timeoutMs: 3_600_000 };

/** A server with a disk of media, and an S3 server with a disk of its own. */
export class MediaSite {
  private constructor(
    readonly lab: Lab,
    readonly host: LabHost,
    readonly gateway: Gateway,
    /** The media folder as this side sees it. */
    readonly tree: string,
    private readonly disks: string[],
  ) {}

  static async boot(): Promise<MediaSite> {
    const lab = await Lab.start();
    const store = await disk(path.join(lab.dir, "store"), lab.dir);
    const names = { region: "us-east-1", host: "s3.store.example", address: storeAddress };
    const gateway = await Gateway.start({ dir: store, ...names });
    await gateway.must("PUT", `/${bucket}`);
    const disks = [store];
    const host = await lab.boot("old", {
      ...{ address: "198.18.0.10", side: "old", authorizedKeys: [] },
      systemCalls: ["fanotify_init", "fanotify_mark"],
      prepare: async (rootfs) => {
        disks.push(await disk(path.dirname(path.join(rootfs, mediaFolder)), lab.dir));
        mkdirSync(path.join(rootfs, mediaFolder));
        const scripts = path.join(rootfs, "opt/trunkline/scripts");
        cpSync(path.join(__dirname, "../../../scripts"), scripts, { recursive: true });
        cpSync(path.join(__dirname, "peak.py"), path.join(rootfs, "root/peak.py"));
      },
    });
    const site = new MediaSite(lab, host, gateway, path.join(host.rootfs, mediaFolder), disks);
    await host.put("/home/mastodon/live/.env.production", "S3_ENABLED=false\n");
    await site.step("storage/tools");
    return site;
  }

  /** Folder of the bucket's objects as this side sees it. */
  get objects(): string {
    return path.join(this.gateway.data, bucket);
  }

  /** Runs one step as the program does: settings on stdin, the result as the last line of stdout. */
  async step(name: string, want = "present"): Promise<Record<string, unknown>> {
    const { root, origin } = this.gateway;
    const all = { ...settings({ endpoint: origin, ...root }), WANT: want };
    const input = Object.entries(all).map(([key, value]) => `${key}='${value}'\n`).join(""); // prettier-ignore
    const argv = ["bash", "/opt/trunkline/scripts/run", name];
    const { stdout } = await this.host.exec(argv, { ...long, input });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Record<string, unknown>;
  }

  /** Runs a command on the server, and tells how many seconds it took. */
  async time(argv: string[]): Promise<number> {
    const begun = performance.now();
    await this.host.exec(argv, long);
    return Math.round(performance.now() - begun) / 1000;
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** How many files lie in a folder, and their size. What the S3 server keeps beside its objects is hidden. */
  async weigh(folder: string): Promise<{ files: number; bytes: number }> {
    const find = [
      "find",
      folder,
      "-mindepth",
      "1",
      "-name",
      ".*",
      "-prune",
      "-o",
      "-type",
      "f",
      "-printf",
      "%s\\n",
    ];
    const sizes = (await run(find, long)).stdout.split("\n").filter(Boolean);
    return { files: sizes.length, bytes: sizes.reduce((n, size) => n + Number(size), 0) };
  }

  /** Empties folders, and waits until the disks have that: nobody pays for what another left. */
  async empty(...folders: string[]): Promise<void> {
    const script =
      'for f; do [[ ! -d $f ]] || find "$f" -mindepth 1 -maxdepth 1 ! -name ".*" -exec rm -rf {} +; done; sync';
    await run(["bash", "-euc", script, "empty", ...folders], long);
  }

  async stop(): Promise<void> {
    await this.host.kill();
    await this.gateway.stop();
    for (const at of this.disks) await run(["umount", at]);
    await this.lab.stop();
  }
}

/** Mounts a disk there and returns the place. Its file has no blocks at first: it takes as much room as is written to it. */
async function disk(at: string, dir: string): Promise<string> {
  const file = path.join(dir, `${path.basename(at)}.disk`);
  mkdirSync(at, { recursive: true });
  await run(["truncate", "-s", "30G", file]);
  // Folders by the million, each an inode. With its journal: without one ext4 looks for inodes that were not in
  // use lately, and who writes after a folder was emptied pays for that.
  await run(["mkfs.ext4", "-q", "-m", "0", "-i", "4096", file]);
  await run(["mount", "-o", "loop,noatime", file, at]);
  return at;
}
