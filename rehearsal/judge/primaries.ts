import { type Host, type Place, usual } from "./site";

export interface Primaries {
  ok: boolean;
  /** Hosts whose Postgres took a write. */
  postgres: string[];
  /** Hosts whose Redis is a master that takes writes. */
  redis: string[];
  /** Host whose Redis the app, wherever it runs, is led to. */
  appRedis?: string;
  findings: string[];
}

/** Really writes, and takes it back: a settings row tells what a server believes, a write what it does. */
const probe = `
  env=$1 n=$2 m=$3; shift 3
  psql=("\${@:1:n}") serves=("\${@:n+1:m}"); shift $((n + m))
  pg=no redis=no
  if "\${psql[@]}" -XAtq -v ON_ERROR_STOP=1 </dev/null >/dev/null 2>&1 \\
      -c "SET lock_timeout = '2s'" -c 'BEGIN; CREATE TABLE judge_probe (x int); ROLLBACK'; then pg=yes; fi
  if [[ $(timeout 5 "$@" SET judge:probe x PX 1 2>/dev/null) == OK ]]; then redis=yes; fi
  of() { timeout 5 "$@" INFO server 2>/dev/null | tr -d '\\r' | sed -n 's/^run_id://p'; }
  get() { sed -n "s/^$1=//p" "$env" 2>/dev/null | tail -n 1 | tr -d "\\"'"; }
  url=$(get REDIS_URL) h=$(get REDIS_HOST) p=$(get REDIS_PORT)
  if [[ $url == unix:* ]]; then path=\${url#unix://} at=(-s "\${path%%\\?*}")
  elif [[ -n $url ]]; then url=\${url##*@} url=\${url#redis://} url=\${url%%/*} at=(-h "\${url%:*}" -p "\${url##*:}")
  else at=(-h "\${h:-127.0.0.1}" -p "\${p:-6379}"); fi
  app=
  if "\${serves[@]}" 2>/dev/null; then app=$(of "$@" "\${at[@]}"); fi
  echo "$pg $redis $(of "$@") $app"`;

/** There is one Postgres that takes writes, one Redis that does, and the app uses just that. */
export async function writablePrimaries(hosts: Host[], place?: Place): Promise<Primaries> {
  const seen = await Promise.all(hosts.map((host) => look(host, { ...usual, ...place })));
  const postgres = seen.filter((s) => s.postgres).map((s) => s.name);
  const redis = seen.filter((s) => s.redis);
  const used = [...new Set(seen.map((s) => s.app).filter((run) => run !== ""))];
  const appRedis = seen.find((s) => s.run !== "" && s.run === used[0])?.name;
  const findings: string[] = [];
  if (postgres.length !== 1)
    findings.push(`Postgres takes writes on ${named(postgres)}, and should on exactly one host`);
  if (redis.length !== 1)
    findings.push(`Redis takes writes on ${named(redis.map((s) => s.name))}, and should on exactly one host`);
  if (used.length === 0) findings.push("no app is running");
  if (used.length > 1) findings.push("apps on different hosts use different Redis servers");
  if (used.length === 1 && !redis.some((s) => s.run === used[0]))
    findings.push(`the app uses the Redis of ${appRedis ?? "an unknown host"}, which takes no writes`);
  return { ok: findings.length === 0, postgres, redis: redis.map((s) => s.name), appRedis, findings };
}

async function look(host: Host, { env, psql, serves, redis }: Required<Place>) {
  const words = [env, `${psql.length}`, `${serves.length}`, ...psql, ...serves, ...redis];
  const r = await host
    .exec(["bash", "-uc", probe, "-", ...words], { timeoutMs: 30_000, allowFail: true })
    .catch(() => ({ code: 1, stdout: "" })); // a host that is down takes no writes
  const [postgres, taken, run = "", app = ""] = r.stdout.trim().split(" ");
  return { name: host.name, postgres: postgres === "yes", redis: taken === "yes", run, app };
}

function named(hosts: string[]): string {
  return hosts.length === 0 ? "no host" : hosts.join(" and ");
}
