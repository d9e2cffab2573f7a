import os from "node:os";
import type { LabHost } from "../lab";

const packages = [
  "postgresql-15",
  "pgbouncer",
  "redis-server",
  "openssh-client",
  "haproxy",
  "repmgr",
  "patroni",
  "etcd-server",
  "rclone",
];

/** What the hosts run: package and version. */
export async function versions(host: LabHost): Promise<Record<string, string>> {
  const argv = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\\n", ...packages];
  const { stdout } = await host.exec(argv, { allowFail: true });
  const lines = stdout.split("\n").filter((l) => l.startsWith("installed "));
  return Object.fromEntries(lines.map((l) => l.split(" ").slice(1) as [string, string]));
}

/** What the figures were measured on. */
export function machine(): Record<string, string> {
  const cpu = os.cpus();
  return {
    processor: `${cpu.length} × ${cpu[0]?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: `Linux ${os.release()}`,
    node: process.version,
  };
}
