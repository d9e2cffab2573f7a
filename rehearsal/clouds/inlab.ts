/** The clouds' servers as hosts of the rehearsal's lab. */
import { spawn } from "node:child_process";
import type { Lab } from "../lab";
import type { CloudLab } from "./lab";
import type { FirewallRule } from "./store";

/** Runs nft in the network namespace that plays the Internet: a cloud's packet filter is outside of the server. */
function nft(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (data: Buffer) => (said += data.toString()));
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`nft: ${said}`))));
    child.stdin.end(script);
  });
}

function accept(address: string, { protocol, port, sources }: FirewallRule): string[] {
  const networks = sources.filter((source) => !source.includes(":"));
  const to = `ip daddr ${address} ip saddr { ${networks.join(", ")} }`;
  if (networks.length === 0) return [];
  if (protocol === "icmp") return [`${to} ip protocol icmp accept`];
  const ports = port === undefined || port === "any" ? "1-65535" : port;
  return [
    protocol === "tcp" || protocol === "udp"
      ? `${to} ${protocol} dport ${ports} accept`
      : `${to} ip protocol ${protocol} accept`,
  ];
}

/** A table of one server's own: replaced as a whole, so that no packet ever meets half of it. IPv6 is not filtered. */
export function tableFor(name: string, address: string, rules: FirewallRule[] | undefined): string {
  const table = `inet cloud_${name.replace(/\W/g, "_")}`;
  const clear = `table ${table}\ndelete table ${table}\n`;
  if (!rules) return clear;
  const lines = [
    "meta nfproto ipv6 accept",
    `ip daddr != ${address} accept`,
    "ct state established,related accept",
    ...rules.flatMap((rule) => accept(address, rule)),
    "drop",
  ].join("\n");
  // Forwarded packets, and those of whoever lives in this namespace.
  const chain = (hook: string): string =>
    `chain ${hook} {\ntype filter hook ${hook} priority 0\n${lines}\n}\n`;
  return `${clear}table ${table} {\n${chain("forward")}${chain("output")}}\n`;
}

/**
 * Makes a lab into the place where the clouds' servers stand: on the new side, with the keys that they were given.
 * @param diskMiB size of their disks; as much as the machine has where it is left out
 */
export function inLab(lab: Lab, diskMiB?: number): CloudLab {
  return {
    async bootServer({ name, ipv4, publicKeys, cloudConfig }) {
      if (!ipv4) throw new Error(`${name}: the lab has no servers without IPv4`);
      await lab.boot(name, {
        address: ipv4,
        side: "new",
        hostKey: cloudConfig.hostKey,
        authorizedKeys: publicKeys,
        diskMiB,
      });
    },
    async deleteServer(name) {
      await lab.remove(name);
    },
    async setFirewall({ name, ipv4 }, rules) {
      if (ipv4) await nft(tableFor(name, ipv4, rules));
    },
  };
}
