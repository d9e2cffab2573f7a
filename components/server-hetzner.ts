import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import type { CloudServer, Migration } from "../config";
import { type HostKey, hostKey } from "./host-key";
import { type Found, keyLabel, type ServerArgs, type TargetServer } from "./server";

type Child = { parent: pulumi.Resource };

const label = "trunkline";
const fingerprintLabel = "trunkline-host-key";

/** Finds the server of an instance by its label, and what belongs to it. */
export async function lookUp({ domain, key }: Migration): Promise<Found> {
  const ours = { withSelector: `${label}=${domain}` };
  const [{ servers }, { sshKeys: all }, { firewalls }, { primaryIps }] = await Promise.all([
    hcloud.getServers(ours),
    hcloud.getSshKeys({}),
    hcloud.getFirewalls(ours),
    hcloud.getPrimaryIps(ours),
  ]);
  if (servers.length > 1)
    throw new Error(
      `hetzner: expected one server labelled ${label}=${domain}; found ${servers.map((s) => s.name).join(", ")}; delete or relabel what is not in use`,
    );
  const [server] = servers;
  const isOurs = (k: { labels: Record<string, string> }) => k.labels[label] === domain;
  const idOf = (list: { id?: number; type?: string }[], type?: string) =>
    list.find((one) => one.type === type)?.id?.toString();
  return {
    address: server?.ipv4Address,
    made: {
      server: server?.id.toString(),
      fingerprint: server?.labels[fingerprintLabel],
      sshKey: all.find(isOurs)?.id.toString(),
      foreignKey: all.find((k) => !isOurs(k) && isSame(k.publicKey, key.public))?.id.toString(),
      firewall: firewalls[0]?.id?.toString(),
      ipv4: idOf(primaryIps, "ipv4"),
      ipv6: idOf(primaryIps, "ipv6"),
    },
  };
}

/** A project takes a public key once, whatever it is called. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((key) => key.trim().split(/\s+/).slice(0, 2).join(" "));
  return a === b;
}

export function make(name: string, args: ServerArgs): TargetServer {
  return new HetznerServer(name, args);
}

/** A server at Hetzner Cloud, with addresses that outlive it. @stateful */
export class HetznerServer extends pulumi.ComponentResource implements TargetServer {
  readonly address: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  readonly hostKey: pulumi.Output<string>;
  readonly port = 22;
  readonly user = "root";
  readonly fresh = true;

  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:HetznerServer", name, {}, opts);
    const child = { parent: this };
    const { wanted } = args;
    const key = hostKey(`${name}-host-key`, child);
    const server = makeServer(name, args, key, child);
    const rdns = (type: string, ipAddress: pulumi.Input<string>) =>
      new hcloud.Rdns(
        `${name}-rdns-${type}`,
        { serverId: server.id.apply(Number), ipAddress, dnsPtr: args.reverseName },
        child,
      );
    rdns("ipv4", server.ipv4Address);
    if (wanted.ipv6) rdns("ipv6", server.ipv6Address);
    this.address = server.ipv4Address;
    this.ipv6 = wanted.ipv6 ? server.ipv6Address : pulumi.output("");
    this.hostKey = key.public;
    this.registerOutputs({ address: this.address, ipv6: this.ipv6 });
  }
}

function makeServer(name: string, args: ServerArgs, key: HostKey, child: Child): hcloud.Server {
  const { migration, wanted, made, protect } = args;
  const { domain, key: admin } = migration;
  const called = { name: domain.replaceAll(".", "-"), labels: { [label]: domain } };
  const sshKey =
    made.foreignKey ??
    new hcloud.SshKey(
      `${name}-ssh-key`,
      { ...called, publicKey: admin.public },
      { ...child, import: made.sshKey },
    ).id;
  const firewall = new hcloud.Firewall(
    `${name}-firewall`,
    { ...called, rules: rules(wanted.adminCidrs) },
    { ...child, import: made.firewall },
  );
  const address = (type: "ipv4" | "ipv6") =>
    makeAddress(name, type, called, wanted, { ...child, protect, import: made[type] });
  const ipv4 = address("ipv4");
  const ipv6 = wanted.ipv6 && address("ipv6");
  return new hcloud.Server(
    `${name}-server`,
    {
      ...called,
      serverType: wanted.type,
      location: wanted.location,
      image: wanted.image,
      sshKeys: [sshKey],
      firewallIds: [firewall.id.apply(Number)],
      publicNets: [
        {
          ...{ ipv4Enabled: true, ipv4: ipv4.id.apply(Number) },
          ...(ipv6 ? { ipv6Enabled: true, ipv6: ipv6.id.apply(Number) } : { ipv6Enabled: false }),
        },
      ],
      userData: key.userData,
      labels: { ...called.labels, [fingerprintLabel]: key.fingerprint.apply((ours) => keyLabel(ours, args)) },
    },
    { ...child, protect, ignoreChanges, import: made.server },
  );
}

/**
 * A change of these would replace the server, and with it all that it holds, or switch it off. And the API does not
 * tell them, the first two aside, so that an import could not compare them.
 */
const ignoreChanges = ["image", "location", "publicNets", "sshKeys", "userData"];

/** An address of its own: it stays where the server is made anew, and DNS with it. */
function makeAddress(
  name: string,
  type: "ipv4" | "ipv6",
  called: { name: string; labels: Record<string, string> },
  { location }: CloudServer,
  opts: pulumi.CustomResourceOptions,
): hcloud.PrimaryIp {
  return new hcloud.PrimaryIp(
    `${name}-${type}`,
    { ...called, name: `${called.name}-${type}`, type, location, assigneeType: "server", autoDelete: false },
    { ...opts, ignoreChanges: ["location"] },
  );
}

/** People reach the web, the admin reaches SSH, and ping answers. */
function rules(adminCidrs: string[]) {
  const all = ["0.0.0.0/0", "::/0"];
  const rule = (protocol: string, port: string | undefined, sourceIps: string[]) => ({
    ...{ direction: "in", protocol, port, sourceIps },
  });
  return [
    rule("tcp", "22", adminCidrs),
    rule("tcp", "80", all),
    rule("tcp", "443", all),
    rule("icmp", undefined, all),
  ];
}
