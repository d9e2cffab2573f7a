import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import type { CloudServer } from "../config";
import { hostKey } from "./host-key";
import type { ServerArgs, TargetServer } from "./server";

const label = "trunkline";
const keyLabel = "trunkline-host-key";

/** Finds the server of an instance by its label. */
export async function lookUp(domain: string): Promise<{ address: string; fingerprint: string } | undefined> {
  const { servers } = await hcloud.getServers({ withSelector: `${label}=${domain}` });
  if (servers.length > 1)
    throw new Error(
      `hetzner: expected one server labelled ${label}=${domain}; found ${servers.map((s) => s.name).join(", ")}; delete or relabel what is not in use`,
    );
  const [server] = servers;
  return server && { address: server.ipv4Address, fingerprint: server.labels[keyLabel] ?? "" };
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
    const { domain, key: admin } = args.migration;
    const called = domain.replaceAll(".", "-");
    const wanted = args.migration.target as CloudServer;
    const child = { parent: this };
    const labels = { [label]: domain };
    const key = hostKey(`${name}-host-key`, child);
    const sshKey = new hcloud.SshKey(
      `${name}-ssh-key`,
      { name: called, publicKey: admin.public, labels },
      child,
    );
    const firewall = new hcloud.Firewall(
      `${name}-firewall`,
      { name: called, labels, rules: rules(wanted.adminCidrs) },
      child,
    );
    const ip = (type: "ipv4" | "ipv6") =>
      new hcloud.PrimaryIp(
        `${name}-${type}`,
        {
          name: `${called}-${type}`,
          type,
          location: wanted.location,
          assigneeType: "server",
          autoDelete: false,
          labels,
        },
        { ...child, protect: args.protect, ignoreChanges: ["location"] },
      );
    const ipv4 = ip("ipv4");
    const ipv6 = wanted.ipv6 ? ip("ipv6") : undefined;
    const server = new hcloud.Server(
      `${name}-server`,
      {
        name: called,
        serverType: wanted.type,
        location: wanted.location,
        image: wanted.image,
        sshKeys: [sshKey.id],
        firewallIds: [firewall.id.apply(Number)],
        publicNets: [
          {
            ipv4Enabled: true,
            ipv4: ipv4.id.apply(Number),
            ipv6Enabled: wanted.ipv6,
            ipv6: ipv6?.id.apply(Number),
          },
        ],
        userData: key.userData,
        labels: { ...labels, [keyLabel]: key.fingerprint },
      },
      // Each of these would replace the server, and with it all that it holds.
      { ...child, protect: args.protect, ignoreChanges: ["image", "location", "sshKeys", "userData"] },
    );
    const rdns = (type: string, ipAddress: pulumi.Input<string>) =>
      new hcloud.Rdns(
        `${name}-rdns-${type}`,
        { serverId: server.id.apply(Number), ipAddress, dnsPtr: args.reverseName },
        child,
      );
    rdns("ipv4", server.ipv4Address);
    if (ipv6) rdns("ipv6", server.ipv6Address);
    this.address = server.ipv4Address;
    this.ipv6 = ipv6 ? server.ipv6Address : pulumi.output("");
    this.hostKey = key.public;
    this.registerOutputs({ address: this.address, ipv6: this.ipv6 });
  }
}

/** People reach the web, the admin reaches SSH, and ping answers. */
function rules(adminCidrs: string[]) {
  const all = ["0.0.0.0/0", "::/0"];
  const rule = (protocol: string, port: string | undefined, sourceIps: string[]) => ({
    direction: "in",
    protocol,
    port,
    sourceIps,
  });
  return [
    rule("tcp", "22", adminCidrs),
    rule("tcp", "80", all),
    rule("tcp", "443", all),
    rule("icmp", undefined, all),
  ];
}
