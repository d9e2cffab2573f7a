/** hcloud:index/server:Server. Not modelled and refused: networks, volumes, ISO, rescue, resizing, placement groups. */
import { cloudConfigOf } from "../cloudinit";
import { applyFirewalls, boot, freeIpv4, freeIpv6, unboot, type Cloud } from "../lab";
import type { Failure, Resource } from "../resource";
import { take, type Address, type Server } from "../store";
import { compact, type Props } from "../values";
import { checkHostName, checkLocation, LOCATIONS, notFound, refuseDuplicate } from "./common";

const SERVER_TYPE = /^(cx[2-5][23]|cpx[1-5][12]|cax[1-4]1|ccx[1-6]3)$/;
/** The lab has one image; what the real cloud has besides is refused as such. */
const LAB_IMAGE = "debian-12";
const REFUSED = [
  "datacenter",
  "networks",
  "iso",
  "rescue",
  "placementGroupId",
  "keepDisk",
  "allowDeprecatedImages",
];
const MAX_USER_DATA = 32 * 1024;

function check(inputs: Props): Failure[] {
  const { serverType, image, userData, deleteProtection, rebuildProtection } = inputs;
  const failures = [...checkHostName(inputs["name"]), ...checkLocation(inputs["location"])];
  const add = (property: string, reason: string): number => failures.push({ property, reason });
  if (serverType !== undefined && !SERVER_TYPE.test(String(serverType))) {
    add("serverType", `server type ${String(serverType)} not found`);
  }
  if (image !== undefined && image !== LAB_IMAGE) {
    add("image", `image ${String(image)} not found: the rehearsal boots ${LAB_IMAGE} and nothing else`);
  }
  if (typeof userData === "string" && Buffer.byteLength(userData) > MAX_USER_DATA) {
    add("userData", "invalid input in field 'user_data': longer than 32 KiB (invalid_input)");
  }
  if ((deleteProtection ?? false) !== (rebuildProtection ?? false)) {
    add("deleteProtection", "delete and rebuild protection must have the same value");
  }
  for (const name of REFUSED) if (inputs[name] !== undefined) add(name, "not in the stand-in");
  return failures;
}

/** The key ring's keys by name or id. */
function publicKeys({ store }: Cloud, wanted: string[]): string[] {
  return wanted.map((which) => {
    const found = store.state.sshKeys.find(
      (k) => k.provider === "hcloud" && (k.name === which || k.id === which),
    );
    return found?.publicKey ?? notFound("SSH key", which);
  });
}

/** The address that the program named, or a new one of the server's own. */
function addressFor(cloud: Cloud, inputs: Props, type: "ipv4" | "ipv6"): { ip?: string; primary?: Address } {
  const net = ((inputs["publicNets"] as Props[] | undefined) ?? [])[0] ?? {};
  if (net[`${type}Enabled`] === false) return {};
  const id = net[type];
  if (!id) return { ip: type === "ipv4" ? freeIpv4(cloud, cloud.store.state) : freeIpv6(cloud) };
  const primary = cloud.store.state.addresses.find((a) => a.id === String(id) && a.type === type);
  if (!primary) return notFound("primary IP", id);
  if (primary.server) throw new Error(`primary IP ${primary.name} is already assigned (primary_ip_assigned)`);
  if (inputs["location"] !== undefined && primary.inputs["location"] !== inputs["location"]) {
    throw new Error(
      `primary IP ${primary.name} is in ${String(primary.inputs["location"])}, the server in ` +
        `${String(inputs["location"])} (primary_ip_datacenter_mismatch)`,
    );
  }
  return { ip: primary.ip, primary };
}

export function describe(server: Server): Props {
  const location = String(server.inputs["location"] ?? "fsn1");
  return compact({
    ipv4Address: server.ipv4 ?? "",
    ipv6Address: server.ipv6 ? `${server.ipv6}1` : "",
    ipv6Network: server.ipv6 ? `${server.ipv6}/64` : "",
    status: "running",
    primaryDiskSize: 40,
    backupWindow: "",
    location,
    datacenter: LOCATIONS[location] ?? "",
    firewallIds: server.firewalls.map(Number),
  });
}

async function create(cloud: Cloud, inputs: Props): Promise<{ id: string; outputs: Props }> {
  const { store } = cloud;
  if (!inputs["image"]) throw new Error("missing image (invalid_input)");
  refuseDuplicate(
    "server",
    inputs["name"],
    store.state.servers.filter((s) => s.provider === "hcloud"),
  );
  const cloudConfig = cloudConfigOf(String(inputs["userData"] ?? ""));
  const keys = publicKeys(cloud, ((inputs["sshKeys"] ?? []) as string[]).map(String));
  const [v4, v6] = [addressFor(cloud, inputs, "ipv4"), addressFor(cloud, inputs, "ipv6")];
  const server: Server = {
    id: store.id(),
    provider: "hcloud",
    name: String(inputs["name"]),
    ipv4: v4.ip,
    ipv6: v6.ip,
    firewalls: ((inputs["firewallIds"] ?? []) as number[]).map(String),
    inputs,
  };
  // Recorded before it boots: when the engine is killed now, the server is there all the same, as it would be for real.
  store.change((s) => {
    s.servers.push(server);
    for (const { primary } of [v4, v6]) if (primary) primary.server = server.id;
  });
  try {
    const authorized = [...keys, ...cloudConfig.authorizedKeys];
    await boot(cloud, server, { image: LAB_IMAGE, publicKeys: authorized, cloudConfig });
  } catch (e) {
    release(cloud, server.id);
    throw e;
  }
  return { id: server.id, outputs: describe(server) };
}

/** The addresses of a server that goes: its own vanish, primary ones stay unless they are to go with it. */
function release({ store }: Cloud, id: string): void {
  store.change((s) => {
    take(s.addresses, (a) => a.server === id && a.inputs["autoDelete"] === true);
    for (const a of s.addresses) if (a.server === id) a.server = undefined;
    for (const attachment of s.attachments) take(attachment.servers, (server) => server === id);
  });
}

export function server(cloud: Cloud): Resource {
  const find = (id: string): Server | undefined =>
    cloud.store.state.servers.find((s) => s.provider === "hcloud" && s.id === id);
  return {
    required: ["serverType"],
    optional: [
      ...[
        "image",
        "location",
        "sshKeys",
        "userData",
        "publicNets",
        "firewallIds",
        "labels",
        "name",
        "backups",
      ],
      ...["deleteProtection", "rebuildProtection", "shutdownBeforeDeletion", "ignoreRemoteFirewallIds"],
      ...REFUSED,
    ],
    computed: ["location", "firewallIds", "backups", "deleteProtection", "rebuildProtection"],
    replaceOn: ["image", "location", "userData", "sshKeys"],
    unread: ["publicNets", "sshKeys", "userData"],
    outputs: [
      ...[
        "ipv4Address",
        "ipv6Address",
        "ipv6Network",
        "status",
        "primaryDiskSize",
        "backupWindow",
        "datacenter",
      ],
      ...["location", "firewallIds"],
    ],
    autoName: "name",
    check,
    create: (inputs) => create(cloud, inputs),
    async read(id) {
      const found = find(id);
      return found && { inputs: found.inputs, outputs: describe(found) };
    },
    async update(id, inputs) {
      const found = find(id) ?? notFound("server", id);
      for (const name of ["serverType", "publicNets"]) {
        if (JSON.stringify(found.inputs[name]) !== JSON.stringify(inputs[name])) {
          throw new Error(`server ${found.name}: the stand-in cannot change ${name} of a running server`);
        }
      }
      cloud.store.change(() => {
        found.inputs = inputs;
        if (inputs["firewallIds"]) found.firewalls = (inputs["firewallIds"] as number[]).map(String);
      });
      await applyFirewalls(cloud, found);
      return describe(found);
    },
    async delete(id) {
      const found = find(id);
      if (!found) return;
      await unboot(cloud, found);
      release(cloud, id);
    },
  };
}
