/** A host that the judge looks at; a `LabHost` is one. */
export interface Host {
  readonly name: string;
  exec(
    cmd: string[],
    o?: { input?: string; timeoutMs?: number; allowFail?: boolean },
  ): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** Where things are on a host, when they are not where a source install has them. */
export interface Place {
  /** Command that runs psql on the app's database as superuser. */
  psql?: string[];
  redis?: string[];
  /** Folder of the media files. */
  media?: string;
  /** Command that prints what Sidekiq logged. */
  sidekiqLog?: string[];
  /** File in which the judge's own witness writes down the jobs that Redis took. */
  jobsSeen?: string;
  /** The app's variables. */
  env?: string;
  /** Command that succeeds where the app's web process runs. */
  serves?: string[];
}

export const usual: Required<Place> = {
  psql: ["runuser", "-u", "postgres", "--", "psql", "-d", "mastodon_production"],
  redis: ["redis-cli"],
  media: "/home/mastodon/live/public/system",
  // journalctl fails where no unit of that name ever logged, as on a server that was made a minute ago.
  sidekiqLog: [
    "bash",
    "-c",
    "journalctl --field _SYSTEMD_UNIT | grep -q '^mastodon-sidekiq' || exit 0; journalctl -q --no-pager -o cat -u 'mastodon-sidekiq*'",
  ],
  jobsSeen: "/var/tmp/judge-jobs",
  env: "/home/mastodon/live/.env.production",
  serves: ["systemctl", "is-active", "-q", "mastodon-web.service"],
};

/** One server as the judge sees it: rows by SQL, keys by redis-cli, files by find. It changes nothing there. */
export class Site {
  readonly place: Required<Place>;

  constructor(
    readonly host: Host,
    place: Place = {},
  ) {
    this.place = { ...usual, ...place };
  }

  get name(): string {
    return this.host.name;
  }

  /** Rows of a query, as objects. Cast ids to text: JSON numbers do not hold a snowflake. */
  async rows<T>(query: string): Promise<T[]> {
    const text = await this.sql(`SELECT row_to_json(q) FROM (${query}) q;`);
    return lines(text).map((line) => JSON.parse(line) as T);
  }

  async value(query: string): Promise<string> {
    return (await this.sql(query)).trim();
  }

  async sql(script: string): Promise<string> {
    const cmd = [...this.place.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-"];
    const quiet = "SET statement_timeout = '300s'; SET client_min_messages = warning;\n";
    return (await this.run(cmd, quiet + script, "Postgres")).stdout;
  }

  async redis(args: string[]): Promise<string> {
    const { stdout } = await this.run([...this.place.redis, "--raw", ...args], undefined, "Redis");
    if (/^(NOAUTH|ERR|WRONGPASS|LOADING|MASTERDOWN)\b/.test(stdout))
      throw new Error(`${this.name}: Redis answered ${stdout.trim()} to ${args[0]}`);
    return stdout;
  }

  /** What Redis logged, in UTC; nothing where it logs to no file. */
  async redisLog(): Promise<string> {
    const [, file] = lines(await this.redis(["CONFIG", "GET", "logfile"]));
    return file ? (await this.run(["cat", file], undefined, "Redis' log")).stdout : "";
  }

  /** Keys of the files that not everyone may read, by their mode. */
  async privateFiles(): Promise<Set<string>> {
    const script = `cd "$1" && find . -type f ! -perm -o=r -printf '%P\n'`;
    const { stdout } = await this.run(["bash", "-euc", script, "-", this.place.media], undefined, "media");
    return new Set(lines(stdout));
  }

  /** Checksum and size of every file below the media folder, by its key. */
  async mediaFiles(): Promise<Map<string, { sha256: string; bytes: number }>> {
    // One sha256sum for many files is 50 times faster than one for each; two at once would garble each other's lines.
    const script = `cd -P "$1" && find . -type f -print0 | xargs -0 -r -n 256 sha256sum -z -- | tr '\\0' '\\n'
      echo =; find . -type f -printf '%s %p\\n'`;
    const { stdout } = await this.run(
      ["bash", "-o", "pipefail", "-euc", script, "-", this.place.media],
      undefined,
      "media",
    );
    const [sums = "", sizes = ""] = stdout.split(/^=\n/m);
    const bytes = new Map(lines(sizes).map((l) => [l.slice(l.indexOf(" ") + 3), Number.parseInt(l, 10)]));
    return new Map(
      lines(sums).map((l) => {
        const key = l.slice(68);
        return [key, { sha256: l.slice(0, 64), bytes: bytes.get(key) ?? 0 }];
      }),
    );
  }

  /** Ids of the jobs that Sidekiq logged as done, once for each time. */
  async finishedJobs(): Promise<string[]> {
    const { stdout } = await this.run([...this.place.sidekiqLog], undefined, "Sidekiq's log");
    return lines(stdout).flatMap((line) =>
      /\bdone\b/.test(line) ? (line.match(/\bjid=(\w+)/)?.[1] ?? []) : [],
    );
  }

  private async run(cmd: string[], input: string | undefined, what: string) {
    const r = await this.host.exec(cmd, { input, timeoutMs: 600_000, allowFail: true });
    if (r.code !== 0)
      throw new Error(`${this.name}: ${what} could not be read (exit ${r.code}): ${r.stderr.trim()}`);
    return r;
  }
}

export function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
