import { isIPv4 } from "node:net";
import { run } from "./run";

/** Which network a host stands in. Between `old` and `new` there is the delay; `edge` is everyone else. */
export type Side = "old" | "new" | "edge";

export const subnets: Record<Side, string> = { old: "198.18.0", new: "198.18.1", edge: "198.18.2" };

/** The lab's resolver, for every host and for the operator. */
export const resolver = `${subnets.edge}.53`;

/** Where the admin, people and remote servers come from, as every host sees it. */
export const outside = `${subnets.edge}.1`;

/** Makes "the Internet": three bridges, and this network namespace routes between them. */
export async function buildNetwork(): Promise<void> {
  await refuseOutside();
  await ip("link set lo up");
  for (const [side, net] of Object.entries(subnets)) {
    await ip(`link add ${side} type bridge`);
    await ip(`addr add ${net}.1/24 dev ${side}`);
    await ip(`link set ${side} up`);
  }
  await ip(`addr add ${resolver}/24 dev edge`);
  // Whoever speaks from here would otherwise have the address of the host's own router.
  for (const side of ["old", "new"] as const)
    await ip(`route change ${subnets[side]}.0/24 dev ${side} src ${outside}`);
  // People and remote servers bind to any address of this half without adding it first.
  await ip(`route add local ${subnets.edge}.128/25 dev lo`);
  await run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"]);
}

export async function removeNetwork(): Promise<void> {
  await ip(`route del local ${subnets.edge}.128/25 dev lo`, true);
  for (const side of Object.keys(subnets)) await ip(`link del ${side}`, true);
}

let cuts = 0;

/**
 * Cuts all traffic between two addresses, or all with one TCP port of `b`, either way, silently ("drop") or telling
 * both ("reset"). Returns what heals it. Works between routed addresses: hosts of one side talk past the router.
 */
export async function cutBetween(
  a: string,
  b: string,
  how: "drop" | "reset",
  port?: number,
): Promise<() => Promise<void>> {
  if (a.replace(/\.\d+$/, "") === b.replace(/\.\d+$/, ""))
    throw new Error(
      `lab: ${a} and ${b} are on one side and can't be cut apart; boot one of them on another side`,
    );
  const table = `cut_${++cuts}`;
  const verdicts =
    how === "drop"
      ? ["drop"]
      : ["tcp flags & rst == rst accept", "meta l4proto tcp reject with tcp reset", "reject"];
  const ways = [
    `ip saddr ${a} ip daddr ${b} ${port ? `tcp dport ${port}` : ""}`,
    `ip saddr ${b} ip daddr ${a} ${port ? `tcp sport ${port}` : ""}`,
  ];
  const rules = ways.flatMap((way) => verdicts.map((verdict) => `${way} ${verdict};`));
  const chain = (hook: string) => `chain ${hook} { type filter hook ${hook} priority 0; ${rules.join(" ")} }`;
  const hooks = ["forward", "input", "output"].map(chain).join("\n");
  await run(["nft", "-f", "-"], { input: `table ip ${table} {\n${hooks}\n}\n`, where: `lab: cut ${a} ${b}` });
  return async () => {
    await run(["nft", "delete", "table", "ip", table], { allowFail: true });
  };
}

export const ip = (args: string, allowFail = false) =>
  run(["ip", ...args.split(" ")], { allowFail, where: "lab" });

/** Bridges and rules belong into namespaces of our own, never on the machine itself. */
async function refuseOutside(): Promise<void> {
  const links = JSON.parse((await run(["ip", "-json", "addr"])).stdout) as {
    ifname: string;
    addr_info: { local: string }[];
  }[];
  const foreign = links.filter((l) => l.ifname !== "lo" && l.addr_info.some((a) => isIPv4(a.local)));
  if (foreign.length)
    throw new Error(
      `lab: expected an empty network namespace, found ${foreign.map((l) => l.ifname).join(", ")}. ` +
        `Run it by rehearsal/enter.sh, and stop one lab before starting another in the same run.`,
    );
}
