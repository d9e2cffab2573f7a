/** What a source's differences mean for the world around it: its login, the stack's configuration, the judge. */
import type { Place } from "./judge";
import type { Lab, LabHost } from "./lab";
import { composeFolder, container, type Layout } from "./mastodon";
import { domain, targetAddress } from "./names";
import type { Source } from "./sources";

/** Root may no longer log in; who may becomes root by sudo. */
export async function adjustLogin(
  host: LabHost,
  { user, port }: { user: string; port: number },
): Promise<void> {
  await host.sh(`
    useradd --create-home --shell /bin/bash ${user}
    install -d -m 0700 -o ${user} -g ${user} /home/${user}/.ssh
    install -m 0600 -o ${user} -g ${user} /root/.ssh/authorized_keys /home/${user}/.ssh/authorized_keys
    rm /root/.ssh/authorized_keys
    echo '${user} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${user}
    printf 'Port ${port}\\nPermitRootLogin no\\nPasswordAuthentication no\\n' >/etc/ssh/sshd_config.d/10-admin.conf
    systemctl restart ssh`);
}

/** Configuration of the stack, where it differs from the committed one. */
export function configOf(source: Source | undefined, lab: Lab): Record<string, string> {
  if (!source) return {};
  const { ssh, target, dns } = source;
  return {
    ...(ssh && { sourceUser: ssh.user, sourcePort: String(ssh.port) }),
    ...(target && { targetProvider: target }),
    ...(target === "existing" && {
      targetHost: targetAddress,
      targetHostKey: lab.host("there").hostKeyPublic,
      adminCidrs: "",
      serverIpv6: "",
    }),
    ...(dns && { dnsProvider: dns, dnsZone: dns === "none" ? "" : domain }),
  };
}

/** Where the judge finds things, the same on both servers. */
export function placeOf(layout: Layout, source: Source | undefined, redisPassword: string): Place {
  if (source?.layout === "compose") return composePlace();
  const login = {
    plain: [],
    socket: [],
    password: ["-a", redisPassword],
    url: ["-a", redisPassword],
    acl: ["--user", "mastodon", "-a", redisPassword],
  }[source?.variant?.redis ?? "plain"];
  return {
    redis: ["redis-cli", "--no-auth-warning", ...login],
    media: layout.media,
    sidekiqLog: [
      ...["journalctl", "-q", "--no-pager", "-o", "cat"],
      ...layout.units.sidekiq.flatMap((unit) => ["-u", unit]),
    ],
    env: `${layout.live}/.env.production`,
    serves: ["systemctl", "is-active", "-q", `${layout.units.web[0]}.service`],
  };
}

function composePlace(): Place {
  const inside = (service: string) => ["podman", "exec", "-i", container(service)];
  return {
    psql: [...inside("db"), "psql", "-U", "postgres", "-d", "postgres"],
    redis: [...inside("redis"), "redis-cli"],
    media: `${composeFolder}/public/system`,
    sidekiqLog: ["journalctl", "-q", "--no-pager", "-o", "cat", `CONTAINER_NAME=${container("sidekiq")}`],
    env: `${composeFolder}/.env.production`,
    serves: ["bash", "-c", `podman inspect -f '{{.State.Running}}' ${container("web")} | grep -q true`],
  };
}
