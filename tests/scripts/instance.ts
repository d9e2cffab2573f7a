import { readFileSync } from "node:fs";
import path from "node:path";
import { patiently } from "../../components/patience";
import { surveyScript } from "../../components/survey";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { newKeyPair } from "../../rehearsal/lab/rootfs";
import { type Installed, installMastodon } from "../../rehearsal/mastodon";
import type { Variant } from "../../rehearsal/mastodon/variant";
import { slowGaps } from "../../survey/awaited";
import { factsOf } from "../../survey/facts";
import type { Raw } from "../../survey/raw";

const scripts = path.join(__dirname, "../../scripts");

/** What a step said. */
export interface StepAnswer {
  code: number;
  outcome: string;
  result: Record<string, unknown>;
  stderr: string;
}

/** Two real hosts: a source with a whole Mastodon in use, and an empty target. Steps run on them as the program runs them. */
export class Instance {
  settings: Record<string, string> = {};

  private constructor(
    readonly lab: Lab,
    readonly source: LabHost,
    readonly target: LabHost,
    readonly installed: Installed,
    private readonly secrets: Record<string, string>,
  ) {}

  static async boot(variant: Variant = {}, domain = "social.example"): Promise<Instance> {
    const lab = await Lab.start();
    const authorizedKeys = [lab.operatorKey.public];
    const [source, target] = await Promise.all([
      lab.boot("old", { address: "198.18.0.10", side: "old", authorizedKeys }),
      lab.boot("new", { address: "198.18.1.10", side: "new", authorizedKeys }),
    ]);
    const certificate = await lab.ca.certificateFor([...new Set([variant.webDomain ?? domain, domain])]);
    const installed = await installMastodon(source, { domain, size: "small", certificate, variant });
    const instance = new Instance(lab, source, target, installed, await makeSecrets(lab, source));
    await instance.upload(source);
    await instance.upload(target);
    instance.settings = {
      DOMAIN: domain,
      SOURCE_ADDRESS: source.address,
      SOURCE_SSH_PORT: "22",
      SOURCE_SSH_USER: "root",
      TARGET_ADDRESS: target.address,
      ...factsOf(await instance.survey("source")),
    };
    return instance;
  }

  stop(): Promise<void> {
    return this.lab.stop();
  }

  /** The scripts, where the program puts them. */
  async upload(host: LabHost): Promise<void> {
    const { execFileSync } = await import("node:child_process");
    const archive = execFileSync(
      "tar",
      ["-C", path.dirname(scripts), "--exclude=__pycache__", "-cz", "scripts"],
      {
        maxBuffer: 64 << 20,
      },
    );
    await host.sh("mkdir -p /opt/trunkline && base64 -d | tar -C /opt/trunkline -xz --no-same-owner", {
      input: archive.toString("base64"),
    });
  }

  async survey(side: "source" | "target", settings: Record<string, unknown> = {}): Promise<Raw> {
    const common = { side, salt: "0123456789abcdef0123", domain: "social.example" };
    return surveyOf(this.host(side), { ...common, ...settings });
  }

  host(side: "source" | "target"): LabHost {
    return side === "source" ? this.source : this.target;
  }

  /** Runs one step, whatever comes of it. */
  async step(
    name: string,
    want: "present" | "absent" = "present",
    extra: Record<string, string> = {},
  ): Promise<StepAnswer> {
    const side = onSource.has(name) ? "source" : "target";
    const out = await this.host(side).exec(["bash", "/opt/trunkline/scripts/run", name], {
      input: this.stdin(side, want, extra),
      allowFail: true,
      timeoutMs: 300_000,
    });
    const last = out.stdout.trim().split("\n").at(-1) ?? "";
    const result = out.code === 0 ? (JSON.parse(last) as Record<string, unknown>) : {};
    return { code: out.code, outcome: String(result["outcome"] ?? "failed"), result, stderr: out.stderr };
  }

  /** Kills a step (and nothing that it started) after some time, as when the connection or the laptop dies. */
  async cutOff(
    name: string,
    seconds: number,
    want: "present" | "absent" = "present",
    extra: Record<string, string> = {},
  ): Promise<void> {
    const side = onSource.has(name) ? "source" : "target";
    await this.host(side).exec(
      ["timeout", "-s", "KILL", String(seconds), "bash", "/opt/trunkline/scripts/run", name],
      {
        input: this.stdin(side, want, extra),
        allowFail: true,
      },
    );
  }

  /** What a step gets on stdin. */
  stdin(side: "source" | "target", want: string, extra: Record<string, string> = {}): string {
    const all = { ...this.settings, ...this.secrets, WANT: want, SIDE: side, ...extra };
    return Object.entries(all)
      .map(([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`)
      .join("");
  }

  /** Runs a step that has to succeed, and tells whether it changed something. */
  async must(
    name: string,
    want: "present" | "absent" = "present",
    extra: Record<string, string> = {},
  ): Promise<StepAnswer> {
    const answer = await this.step(name, want, extra);
    if (answer.code !== 0) throw new Error(`${name} ${want} failed:\n${answer.stderr}`);
    return answer;
  }

  async forward(...names: string[]): Promise<void> {
    for (const name of names) await this.must(name);
  }
}

const onSource = new Set([
  ...[
    "access/grant",
    "database/publish",
    "switchover/agent",
    "sidekiq/quiet",
    "gate/proxy",
    "web/proxy",
    "app/stop",
    "host/retire",
  ],
]);

/** Steps before the target replicates anything, and those until the shift. */
export const prepare = [
  "access/grant",
  "host/base",
  "app/tree",
  "app/secrets",
  "web/certificates",
  "web/site",
];
export const replicate = [
  ...["database/publish", "switchover/agent", "tunnel/up", "database/standby", "pooler/up", "redis/replica"],
  ...["media/copy", "media/follow", "app/prove"],
];

async function makeSecrets(lab: Lab, source: LabHost): Promise<Record<string, string>> {
  const tunnel = await newKeyPair(lab.dir, "tunnel");
  const read = await newKeyPair(lab.dir, "read");
  return {
    TUNNEL_PUBLIC_KEY: tunnel.public,
    TUNNEL_PRIVATE_KEY: tunnel.private,
    READ_PUBLIC_KEY: read.public,
    READ_PRIVATE_KEY: read.private,
    SOURCE_HOST_KEY: source.hostKeyPublic,
    HASH_SALT: "a salt that's long enough",
    REPL_PASSWORD: "replication pass'word",
    APP_PASSWORD: `app:"pass \\word$ #`,
    AGENT_TOKEN: "token-token-token",
    SLOT_KEEP_MB: "1024",
    RATE_MIB: "0",
    APP_INSTALL: "auto",
    APP_REPOSITORY: "",
    APP_REF: "",
    DRAIN_SECONDS: "30",
    CARRY_REDIS: "yes",
  };
}

export function textOf(name: string): string {
  return readFileSync(path.join(scripts, name), "utf8");
}

/** What the survey says of a host; as the program does, looks again while the host is too busy to tell everything. */
export async function surveyOf(host: LabHost, settings: Record<string, unknown>): Promise<Raw> {
  const script = await surveyScript(settings);
  return patiently(
    async () => JSON.parse((await host.exec(["python3", "-"], { input: script })).stdout) as Raw,
    (raw) => slowGaps(raw).map(({ what, why }) => `${what}: ${why}`),
    { seconds: 60, say: async () => undefined },
  );
}
