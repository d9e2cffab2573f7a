import * as vultr from "@ediri/vultr";
import * as pulumi from "@pulumi/pulumi";
import type { Migration } from "../config";
import { type HostKey, hostKey } from "./host-key";
import { type Found, keyLabel, type ServerArgs, type TargetServer } from "./server";

type Child = { parent: pulumi.Resource };

const tag = "trunkline-host-key-";

/** Finds the server of an instance by its label. */
export async function lookUp({ domain }: Pick<Migration, "domain">): Promise<Found> {
  const { instances } = await vultr.getInstances({ filters: [{ name: "label", values: [domain] }] });
  if (instances.length > 1)
    throw new Error(
      `vultr: expected one server labelled ${domain}; found ${instances.length}; delete or relabel what is not in use`,
    );
  const [server] = instances;
  const mark = server?.tags.find((t) => t.startsWith(tag));
  return { address: server?.mainIp, made: { server: server?.id, fingerprint: mark?.slice(tag.length) } };
}

export function make(name: string, args: ServerArgs): TargetServer {
  return new VultrServer(name, args);
}

/** A server at Vultr. @stateful */
export class VultrServer extends pulumi.ComponentResource implements TargetServer {
  readonly address: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  readonly hostKey: pulumi.Output<string>;
  readonly port = 22;
  readonly user = "root";
  readonly fresh = true;

  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("trunkline:index:VultrServer", name, {}, opts);
    const child = { parent: this };
    const { wanted } = args;
    const key = hostKey(`${name}-host-key`, child);
    const instance = makeInstance(name, args, key, child);
    const instanceId = instance.id;
    new vultr.ReverseIpv4(
      `${name}-rdns-ipv4`,
      { instanceId, ip: instance.mainIp, reverse: args.reverseName },
      child,
    );
    if (wanted.ipv6)
      new vultr.ReverseIpv6(
        `${name}-rdns-ipv6`,
        { instanceId, ip: instance.v6MainIp, reverse: args.reverseName },
        child,
      );
    this.address = instance.mainIp;
    this.ipv6 = wanted.ipv6 ? instance.v6MainIp : pulumi.output("");
    this.hostKey = key.public;
    this.registerOutputs({ address: this.address, ipv6: this.ipv6 });
  }
}

function makeInstance(name: string, args: ServerArgs, key: HostKey, child: Child): vultr.Instance {
  const { migration, wanted } = args;
  const { domain, key: admin } = migration;
  const sshKey = new vultr.SSHKey(`${name}-ssh-key`, { name: domain, sshKey: admin.public }, child);
  const firewall = new vultr.FirewallGroup(`${name}-firewall`, { description: domain }, child);
  for (const rule of rules(wanted.adminCidrs))
    new vultr.FirewallRule(
      `${name}-firewall-${rule.name}`,
      { firewallGroupId: firewall.id, ...rule.args },
      child,
    );
  return new vultr.Instance(
    `${name}-instance`,
    {
      label: domain,
      hostname: domain.replaceAll(".", "-"),
      plan: wanted.type,
      region: wanted.location,
      osId: Number(wanted.image),
      enableIpv6: wanted.ipv6,
      sshKeyIds: [sshKey.id],
      firewallGroupId: firewall.id,
      userData: key.userData,
      activationEmail: false,
      tags: [key.fingerprint.apply((ours) => `${tag}${keyLabel(ours, args)}`)],
    },
    { ...child, protect: args.protect, ignoreChanges, import: args.made.server },
  );
}

/**
 * A change of these would replace the server, and with it all that it holds; the others the provider does not read, so
 * that an import could not compare them, and they never change.
 */
const ignoreChanges = [
  ...["hostname", "osId", "region", "sshKeyIds", "userData"],
  ...["activationEmail", "enableIpv6", "label"],
];

/** People reach the web, the admin reaches SSH, and ping answers. */
function rules(adminCidrs: string[]) {
  const one = (name: string, protocol: string, port: string | undefined, cidr: string) => {
    const [subnet = "", bits = "0"] = cidr.split("/");
    const ipType = subnet.includes(":") ? "v6" : "v4";
    return { name, args: { ipType, protocol, port, subnet, subnetSize: Number(bits) } };
  };
  const all = (name: string, protocol: string, port?: string) => [
    one(`${name}-v4`, protocol, port, "0.0.0.0/0"),
    one(`${name}-v6`, protocol, port, "::/0"),
  ];
  return [
    ...adminCidrs.map((cidr) => one(`ssh-${cidr.replaceAll(/[.:/]+/g, "-")}`, "tcp", "22", cidr)),
    ...[...all("http", "tcp", "80"), ...all("https", "tcp", "443"), ...all("ping", "icmp")],
  ];
}
