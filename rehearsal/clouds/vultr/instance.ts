/** vultr:index/instance:Instance. */
import { randomBytes, randomUUID } from "node:crypto";
import { cloudConfigOf } from "../cloudinit";
import { applyFirewalls, boot, freeIpv4, freeIpv6, unboot, type Cloud } from "../lab";
import type { Failure, Function, Resource } from "../resource";
import type { Server } from "../store";
import { compact, type Props } from "../values";
import { apiError } from "./error";

const REGIONS =
  "ams atl blr bom cdg del dfw ewr fra hnl icn itm jnb lax lhr mad man mel mex mia nrt ord sao scl sea sgp sjc sto syd tlv waw yto".split(
    " ",
  );
const PLAN = /^(vc2|vhf|vhp|voc|vdc)-(\w+-)?\d+c-\d+gb(-\w+)*$/;
/** Debian 12 x64: the lab's one image. */
const DEBIAN_12 = 2136;
const REFUSED = [
  "appId",
  "appVariables",
  "imageId",
  "isoId",
  "reservedIpId",
  "scriptId",
  "snapshotId",
  "vpc2Ids",
  "vpcIds",
  "disablePublicIpv4",
];
const FORCE_NEW = ["region", "osId", "sshKeyIds", "userData", "hostname", ...REFUSED];

function checkInstance(inputs: Props): Failure[] {
  const { plan, region, osId } = inputs;
  const failures: Failure[] = [];
  const add = (property: string, reason: string): number => failures.push({ property, reason });
  if (plan !== undefined && !PLAN.test(String(plan))) add("plan", `Invalid plan chosen: ${String(plan)}`);
  if (region !== undefined && !REGIONS.includes(String(region)))
    add("region", `Invalid location chosen: ${String(region)}`);
  if (osId !== undefined && osId !== DEBIAN_12) {
    add(
      "osId",
      `Invalid OS: the rehearsal boots Debian 12 (osId ${DEBIAN_12}) and nothing else, got ${String(osId)}`,
    );
  }
  for (const name of REFUSED) if (inputs[name] !== undefined) add(name, "not in the stand-in");
  return failures;
}

function describe(server: Server, password: string): Props {
  return compact({
    mainIp: server.ipv4 ?? "",
    v6MainIp: server.ipv6 ? `${server.ipv6}1` : "",
    v6Network: server.ipv6 ?? "",
    v6NetworkSize: server.ipv6 ? 64 : 0,
    internalIp: "",
    status: "active",
    serverStatus: "ok",
    powerStatus: "running",
    defaultPassword: password,
    kvm: "",
    gatewayV4: (server.ipv4 ?? "").replace(/\d+$/, "1"),
    netmaskV4: "255.255.255.0",
    os: "Debian 12 x64 (bookworm)",
    dateCreated: new Date().toISOString(),
    features: server.ipv6 ? ["ipv6"] : [],
  });
}

async function createInstance(cloud: Cloud, inputs: Props): Promise<{ id: string; outputs: Props }> {
  const { store } = cloud;
  if (inputs["osId"] === undefined)
    throw apiError("one of osId, imageId, snapshotId, isoId, appId must be given");
  const keys = ((inputs["sshKeyIds"] ?? []) as string[]).map((id) => {
    const found = store.state.sshKeys.find((k) => k.provider === "vultr" && k.id === id);
    if (!found) throw apiError(`Invalid SSH key: ${id}`);
    return found.publicKey;
  });
  const cloudConfig = cloudConfigOf(String(inputs["userData"] ?? ""));
  const server: Server = {
    id: randomUUID(),
    provider: "vultr",
    name: String(inputs["hostname"] ?? inputs["label"] ?? "vultr").toLowerCase(),
    ipv4: freeIpv4(cloud, store.state),
    ipv6: inputs["enableIpv6"] === true ? freeIpv6(cloud) : undefined,
    firewalls: inputs["firewallGroupId"] === undefined ? [] : [String(inputs["firewallGroupId"])],
    inputs,
  };
  store.change((s) => s.servers.push(server));
  await boot(cloud, server, {
    image: "debian-12",
    publicKeys: [...keys, ...cloudConfig.authorizedKeys],
    cloudConfig,
  });
  return { id: server.id, outputs: describe(server, randomBytes(8).toString("base64url")) };
}

export function instance(cloud: Cloud): Resource {
  const { store } = cloud;
  const find = (id: string): Server | undefined =>
    store.state.servers.find((s) => s.provider === "vultr" && s.id === id);
  return {
    required: ["plan", "region"],
    optional: [
      ...[
        "osId",
        "hostname",
        "label",
        "sshKeyIds",
        "userData",
        "enableIpv6",
        "firewallGroupId",
        "backups",
        "tags",
      ],
      ...["backupsSchedule", "ddosProtection", "activationEmail", ...REFUSED],
    ],
    computed: [
      "hostname",
      "label",
      "enableIpv6",
      "firewallGroupId",
      "backups",
      "tags",
      "activationEmail",
      "ddosProtection",
    ],
    replaceOn: FORCE_NEW,
    unread: ["activationEmail", "enableIpv6", "label", "sshKeyIds", "userData"],
    outputs: [
      ...[
        "mainIp",
        "v6MainIp",
        "v6Network",
        "v6NetworkSize",
        "internalIp",
        "status",
        "serverStatus",
        "powerStatus",
      ],
      ...["defaultPassword", "kvm", "gatewayV4", "netmaskV4", "os", "dateCreated", "features"],
    ],
    secrets: ["defaultPassword"],
    check: checkInstance,
    create: (inputs) => createInstance(cloud, inputs),
    async read(id) {
      const found = find(id);
      return found && { inputs: found.inputs, outputs: describe(found, "") };
    },
    async update(id, inputs) {
      const found = find(id);
      if (!found) throw apiError("Invalid instance-id.", 404);
      if (inputs["plan"] !== found.inputs["plan"])
        throw apiError("the stand-in cannot change the plan of a running instance");
      store.change(() => {
        found.inputs = inputs;
        found.firewalls = inputs["firewallGroupId"] === undefined ? [] : [String(inputs["firewallGroupId"])];
      });
      await applyFirewalls(cloud, found);
    },
    async delete(id) {
      const found = find(id);
      if (found) await unboot(cloud, found);
    },
  };
}

/** Filters by the API's own field names; all must match, by one of their values each. An empty list is no error. */
export function instances({ store }: Cloud): Function {
  return async (args) => {
    const filters = (args["filters"] ?? []) as { name: string; values: string[] }[];
    if (filters.length === 0) throw new Error("issue with filter: false");
    const described = store.state.servers
      .filter((s) => s.provider === "vultr")
      .map((s) => ({ tags: [], ...s.inputs, ...describe(s, ""), id: s.id }) as Props);
    const fields: Record<string, string> = {
      id: "id",
      label: "label",
      hostname: "hostname",
      region: "region",
      plan: "plan",
      main_ip: "mainIp",
    };
    const found = described.filter((one) =>
      filters.every(({ name, values }) => {
        const field = fields[name] ?? unknownFilter(name, Object.keys(fields));
        return values.includes(String(one[field]));
      }),
    );
    return { ...args, id: "instances", instances: found };
  };
}

function unknownFilter(name: string, known: string[]): never {
  throw new Error(`vultr: the stand-in has no filter "${name}"; it has ${known.join(", ")}`);
}
