import { execFileSync } from "node:child_process";
import path from "node:path";
import { type Clouds, startClouds } from "../../rehearsal/clouds";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { type Installed, type InstallOptions, installMastodon } from "../../rehearsal/mastodon";
import { startStores, type ObjectStore, type StoreKind, type Stores } from "../../rehearsal/stores";
import { factsOf } from "../../survey/facts";
import type { Raw } from "../../survey/raw";
import { type StepAnswer, surveyOf } from "./instance";

const scripts = path.join(__dirname, "../../scripts");
export const media = "/home/mastodon/live/public/system";
export const domain = "social.example";
export const mediaHost = "media.social.example";
export const bucket = "social-media";

/** One real host with a whole Mastodon in use, and a store with a bucket. Steps run on it as the program runs them. */
export class StorageLab {
  settings: Record<string, string> = {};

  private constructor(
    readonly lab: Lab,
    readonly host: LabHost,
    readonly installed: Installed,
    private readonly stores: Stores,
    private readonly clouds: Clouds,
    readonly kind: StoreKind,
  ) {}

  static async boot(
    kind: StoreKind = "other",
    variant: InstallOptions["variant"] = {},
    layout: InstallOptions["layout"] = "systemd",
  ): Promise<StorageLab> {
    const lab = await Lab.start();
    const stores = await startStores({ dir: lab.dir, ca: lab.ca, kinds: [kind] });
    const clouds = await startClouds({ dns: { address: "198.18.2.53", port: 53 } });
    stores.announce(clouds.api);
    clouds.api.addZone({
      provider: "cloudflare",
      name: domain,
      records: [domain, mediaHost].map((name) => ({ name, type: "A", content: "198.18.0.10", ttl: 60 })),
    });
    const host = await lab.boot("old", { address: "198.18.0.10", side: "old", authorizedKeys: [] });
    const certificate = await lab.ca.certificateFor([domain, mediaHost]);
    const installed = await installMastodon(host, { domain, size: "small", certificate, variant, layout });
    const it = new StorageLab(lab, host, installed, stores, clouds, kind);
    await it.furnish();
    return it;
  }

  get store(): ObjectStore {
    return this.stores.store(this.kind);
  }

  async stop(): Promise<void> {
    await this.stores.stop();
    await this.clouds.stop();
    await this.lab.stop();
  }

  /** The scripts where the program puts them, and a bucket with a key. */
  private async furnish(): Promise<void> {
    const tar = ["-C", path.dirname(scripts), "--exclude=__pycache__", "-cz", "scripts"];
    const archive = execFileSync("tar", tar, { maxBuffer: 64 << 20 });
    await this.host.sh("mkdir -p /opt/trunkline && base64 -d | tar -C /opt/trunkline -xz --no-same-owner", {
      input: archive.toString("base64"),
    });
    await this.store.makeBucket(bucket, {
      cors: [{ origins: ["*"], methods: ["GET"] }],
    });
    const key = await this.store.makeKey({ bucket, rights: ["put", "acl", "get", "delete", "list"] });
    this.settings = {
      ...{ DOMAIN: domain, SOURCE_ADDRESS: this.host.address, TARGET_ADDRESS: "", SIDE: "source" },
      ...{ SOURCE_SSH_PORT: "22", SOURCE_SSH_USER: "root", DRAIN_SECONDS: "30" },
      ...factsOf(await this.survey()),
      ...{ STORE: this.kind, BUCKET: bucket, ENDPOINT: this.store.endpoint, REGION: this.store.region },
      ...{ PATH_STYLE: "yes", ACCESS_KEY: key.accessKey, SECRET_KEY: key.secretKey },
      ...{ PERMISSION: "public-read", OBJECT_ACL: "yes", PUBLIC_URL: `${this.store.endpoint}/${bucket}` },
      ...{ MEDIA_HOST: mediaHost, MEDIA_CDN: "nginx", CACHE: "yes", PRUNE_DAYS: "0", PRUNE_CARD_DAYS: "0" },
      ...{ RATE_MIB: "0", SAMPLE: "10000", KEEP_LOCAL: "yes" },
      STORAGE_ENV: [
        ...["S3_ENABLED=true", `S3_BUCKET=${bucket}`, `S3_REGION=${this.store.region}`],
        ...[`S3_ENDPOINT=${this.store.endpoint}`, `S3_HOSTNAME=${this.store.host}`, "S3_PROTOCOL=https"],
        ...[`S3_ALIAS_HOST=${mediaHost}`, "S3_PERMISSION=public-read"],
        ...[`AWS_ACCESS_KEY_ID=${key.accessKey}`, `AWS_SECRET_ACCESS_KEY=${key.secretKey}`],
        ...["AWS_REQUEST_CHECKSUM_CALCULATION=when_required"],
        ...["AWS_RESPONSE_CHECKSUM_VALIDATION=when_required"],
      ].join("\n"),
    };
  }

  async survey(): Promise<Raw> {
    const settings = { side: "source", salt: "0123456789abcdef0123", domain, mediaRows: true };
    return surveyOf(this.host, settings);
  }

  /** Runs one step, whatever comes of it. */
  async step(name: string, want = "present", extra: Record<string, string> = {}): Promise<StepAnswer> {
    const argv = ["bash", "/opt/trunkline/scripts/run", name];
    const input = this.stdin(want, extra);
    const out = await this.host.exec(argv, { input, allowFail: true, timeoutMs: 400_000 });
    const last = out.stdout.trim().split("\n").at(-1) ?? "";
    const result = out.code === 0 ? (JSON.parse(last) as Record<string, unknown>) : {};
    return { code: out.code, outcome: String(result["outcome"] ?? "failed"), result, stderr: out.stderr };
  }

  async must(name: string, want = "present", extra: Record<string, string> = {}): Promise<StepAnswer> {
    const answer = await this.step(name, want, extra);
    if (answer.code !== 0) throw new Error(`${name} ${want} failed:\n${answer.stderr}`);
    return answer;
  }

  /** Kills a step (and nothing that it started) after some time, as when the connection or the laptop dies. */
  async cutOff(name: string, seconds: number, want = "present"): Promise<void> {
    const argv = ["timeout", "-s", "KILL", String(seconds), "bash", "/opt/trunkline/scripts/run", name];
    await this.host.exec(argv, { input: this.stdin(want), allowFail: true });
  }

  /** What the bucket holds: key → bytes. */
  async objects(): Promise<Map<string, number>> {
    const all = new Map<string, number>();
    for await (const o of this.store.objects(bucket)) all.set(o.key, o.bytes);
    return all;
  }

  /** What the disk holds: key → bytes. */
  async files(): Promise<Map<string, number>> {
    const out = await this.host.sh(
      `cd ${this.settings["MEDIA_DIR"]}; find . -type f ! -name '.*' -printf '%s %P\\n'`,
    );
    const lines = out.stdout.trim().split("\n").filter(Boolean);
    return new Map(lines.map((l) => [l.slice(l.indexOf(" ") + 1), Number(l.split(" ")[0])]));
  }

  /** Status, headers and body length of a URL, asked from the host. */
  async get(url: string): Promise<{ status: number; headers: string; bytes: number }> {
    const out = await this.host.exec(
      ["curl", "-sS", "-D", "-", "-o", "/dev/null", "-w", "\\n%{http_code} %{size_download}", url],
      { allowFail: true },
    );
    const [status = "0", bytes = "0"] = out.stdout.trim().split("\n").at(-1)?.split(" ") ?? [];
    return { status: Number(status), headers: out.stdout.toLowerCase(), bytes: Number(bytes) };
  }

  /** Waits until `look` is true; the deadline is for a machine that is busy. */
  async until(what: string, look: () => Promise<boolean>, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!(await look())) {
      if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
      await new Promise((r) => setTimeout(r, 200));
    }
  }

  private stdin(want: string, extra: Record<string, string> = {}): string {
    return Object.entries({ ...this.settings, WANT: want, ...extra })
      .map(([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`)
      .join("");
  }
}
