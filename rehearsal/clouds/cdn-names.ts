import { randomBytes } from "node:crypto";
import type { Cloud } from "./lab";
import type { Provider } from "./store";

/** A CDN vendor's own name for a site, in the vendor's own zone. */
export function addSystemRecord(cloud: Cloud, provider: Provider, zoneName: string, name: string): void {
  const now = new Date().toISOString();
  const times = { createdOn: now, modifiedOn: now };
  cloud.store.change((s) => {
    let zone = s.zones.find((z) => z.name === zoneName);
    if (!zone) {
      const rest = { ttl: 60, serial: 1, nameServers: [`ns1.${zoneName}`], records: [] };
      zone = { id: cloud.store.id(), provider, name: zoneName, ...rest };
      s.zones.push(zone);
    }
    const id = randomBytes(16).toString("hex");
    zone.records.push({ id, name, type: "A", content: cloud.stores.cdn.address, ttl: 60, ...times });
    zone.serial++;
  });
}
