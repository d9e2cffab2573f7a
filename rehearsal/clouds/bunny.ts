/**
 * The stand-in bunny.net: pull zones, their host names and certificates. A zone's name belongs to one account in the
 * world; a certificate is only given for a name whose CNAME points to the zone. Everything else is refused.
 */
import { randomBytes } from "node:crypto";
import { addSystemRecord } from "./cdn-names";
import { type Asked, Refusal } from "./httpapi";
import type { Cloud } from "./lab";
import type { Thing } from "./store";
import type { Props } from "./values";

interface Hostname {
  Value: string;
  ForceSSL: boolean;
  HasCertificate: boolean;
}

function refuse(status: number, ErrorKey: string, Message: string): never {
  throw new Refusal(status, { ErrorKey, Message });
}

export class Bunny {
  constructor(private readonly cloud: Cloud) {}

  /** An account's API key, as the dashboard shows it. */
  apiKey(): string {
    const key = randomBytes(36).toString("hex");
    this.cloud.store.change((s) => s.things.push({ kind: "bunny-key", id: key, inputs: {}, own: {} }));
    return key;
  }

  async handle({ method, path, query, headers, body }: Asked): Promise<Props> {
    const keys = this.cloud.store.state.things.filter((t) => t.kind === "bunny-key").map((t) => t.id);
    if (!keys.includes(String(headers["accesskey"])))
      refuse(401, "unauthorized", "Authorization has been denied.");
    const [, , id = "", action = ""] = path.split("/");
    if (path === "/pullzone" && method === "POST") return this.create(body);
    if (path === "/pullzone" && method === "GET") return this.list(query.get("search") ?? "");
    if (id === "loadFreeCertificate" && method === "GET") return this.certify(query.get("hostname") ?? "");
    const zone = this.zone(id);
    if (method === "GET" && !action) return describe(zone);
    if (method === "POST" && !action) return this.update(zone, body);
    if (method === "POST" && action === "addHostname")
      return this.addHostname(zone, String(body["Hostname"]));
    if (method === "POST" && action === "setForceSSL") return this.forceSsl(zone, body);
    return refuse(404, "not_found", `the stand-in has no ${method} ${path}`);
  }

  private zones(): Thing[] {
    return this.cloud.store.state.things.filter((t) => t.kind === "bunny-zone");
  }

  private zone(id: string): Thing {
    const found = this.zones().find((z) => z.id === id);
    if (!found) refuse(404, "pullzone.not_found", "The requested Pull Zone was not found");
    return found;
  }

  private async create(body: Props): Promise<Props> {
    const name = String(body["Name"]);
    if (!/^[a-z0-9-]{3,60}$/.test(name)) refuse(400, "pullzone.validation", "The Name is not valid");
    if (this.zones().some((z) => z.inputs["Name"] === name))
      refuse(400, "pullzone.name_taken", "The pull zone name is already taken.");
    checkOrigin(body);
    const system: Hostname = { Value: `${name}.b-cdn.net`, ForceSSL: false, HasCertificate: true };
    const zone = {
      kind: "bunny-zone",
      id: this.cloud.store.id(),
      inputs: body,
      own: { Hostnames: [{ ...system }] },
    };
    this.cloud.store.change((s) => s.things.push(zone));
    addSystemRecord(this.cloud, "bunny", "b-cdn.net", system.Value);
    await this.publish(zone);
    return describe(zone);
  }

  private list(search: string): Props {
    const Items = this.zones()
      .filter((z) => String(z.inputs["Name"]).includes(search))
      .map(describe);
    return { Items, CurrentPage: 0, TotalItems: Items.length, HasMoreItems: false };
  }

  private async update(zone: Thing, body: Props): Promise<Props> {
    checkOrigin(body);
    this.cloud.store.change(() => Object.assign(zone.inputs, body));
    await this.publish(zone);
    return describe(zone);
  }

  private async addHostname(zone: Thing, Value: string): Promise<Props> {
    if (this.zones().some((z) => hostnames(z).some((h) => h.Value === Value)))
      refuse(400, "pullzone.hostname_already_registered", "The hostname is already registered.");
    this.cloud.store.change(() => hostnames(zone).push({ Value, ForceSSL: false, HasCertificate: false }));
    return {};
  }

  private async certify(name: string): Promise<Props> {
    const zone = this.zones().find((z) => hostnames(z).some((h) => h.Value === name));
    if (!zone) refuse(400, "pullzone.hostname_not_found", "The hostname is not registered");
    const system = `${String(zone.inputs["Name"])}.b-cdn.net`;
    const records = this.cloud.store.state.zones.flatMap((z) => z.records);
    const points = records.some(
      (r) => r.name === name && r.type === "CNAME" && r.content.replace(/\.$/, "") === system,
    );
    if (!points) refuse(400, "pullzone.certificate", `The domain ${name} is not pointing to our servers.`);
    this.cloud.store.change(() => {
      for (const h of hostnames(zone)) if (h.Value === name) h.HasCertificate = true;
    });
    await this.publish(zone);
    return {};
  }

  private async forceSsl(zone: Thing, body: Props): Promise<Props> {
    const found = hostnames(zone).find((h) => h.Value === body["Hostname"]);
    if (!found) refuse(404, "pullzone.hostname_not_found", "The hostname is not registered");
    this.cloud.store.change(() => (found.ForceSSL = body["ForceSSL"] === true));
    return {};
  }

  /** What has a certificate is served; errors are kept for five seconds where the zone says that they may be. */
  private async publish(zone: Thing): Promise<void> {
    const names = hostnames(zone).flatMap((h) => (h.HasCertificate ? [h.Value] : []));
    const seconds = zone.inputs["CacheErrorResponses"] === true ? 5 : 0;
    await this.cloud.stores.cdn.serve(names, {
      origin: String(zone.inputs["OriginUrl"]),
      keepSeconds: { 401: seconds, 403: seconds, 404: seconds },
      headers:
        zone.inputs["EnableAccessControlOriginHeader"] === false
          ? {}
          : { "access-control-allow-origin": "*" },
    });
  }
}

const hostnames = (zone: Thing) => zone.own["Hostnames"] as unknown as Hostname[];

function describe(zone: Thing): Props {
  return { Id: Number(zone.id), ...zone.inputs, ...zone.own };
}

function checkOrigin(body: Props): void {
  if (!/^https?:\/\/[^/]+/.test(String(body["OriginUrl"])))
    refuse(400, "pullzone.validation", "The OriginUrl is not valid");
}
