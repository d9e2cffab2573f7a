import { readFileSync } from "node:fs";
import path from "node:path";
import { domain, media, mediaHost, type StorageLab } from "./storage";

interface Record {
  requests: number;
  failures: string[];
  uploaded: string[];
}

/** People who post pictures and look at them while something happens to the media, and keep a record of it. */
export class Uploaders {
  private stopped = false;

  private constructor(
    private readonly it: StorageLab,
    private readonly process: Promise<unknown>,
  ) {}

  static async start(it: StorageLab, count = 3): Promise<Uploaders> {
    const text = readFileSync(path.join(__dirname, "uploaders.py"), "utf8");
    await it.host.put("/root/uploaders.py", text);
    await it.host.sh("rm -f /root/uploads.stop");
    const tokens = it.installed.users.slice(0, count).map((u) => u.token);
    const argv = [
      "python3",
      "/root/uploaders.py",
      domain,
      tokens.join(),
      "/root/uploads.json",
      "/root/uploads.stop",
    ];
    const process = it.host.exec(argv, { timeoutMs: 1_800_000 });
    process.catch(() => undefined); // told by stop()
    return new Uploaders(it, process);
  }

  /** What failed so far. */
  async failures(): Promise<string[]> {
    return (await this.record()).failures;
  }

  /** Uploads that were acknowledged and have no file on the disk. */
  async missing(): Promise<string[]> {
    const { uploaded } = await this.record();
    const files = await this.it.files();
    const keys = uploaded.map((url) => new URL(url).pathname.replace(/^\/(system\/)?/, ""));
    if (!keys.length) throw new Error(`nobody uploaded anything to ${media} or ${mediaHost}`);
    return keys.filter((key) => !files.has(key));
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await this.it.host.put("/root/uploads.stop", "");
    await this.process;
  }

  private async record(): Promise<Record> {
    const { stdout } = await this.it.host.sh(
      'cat /root/uploads.json 2>/dev/null || echo \'{"failures":[],"uploaded":[]}\'',
    );
    return JSON.parse(stdout) as Record;
  }
}
