/** The stand-in Cloudflare holds the DNS provider's traps. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { startClouds, type Clouds } from "../../rehearsal/clouds";
import type { Props } from "../../rehearsal/clouds/values";
import { Plugin, portsOf } from "./plugin";

const RECORD = "cloudflare:index/dnsRecord:DnsRecord";

describe("cloudflare", () => {
  let clouds: Clouds, plugin: Plugin, zoneId: string;
  beforeEach(async () => {
    clouds = await startClouds();
    const records = [
      { name: "social.example", type: "A", content: "198.18.0.10", ttl: 3600 },
      { name: "www.social.example", type: "CNAME", content: "social.example", ttl: 1, proxied: true },
    ];
    zoneId = clouds.api.addZone({ provider: "cloudflare", name: "social.example", records }).id;
    plugin = await Plugin.open(portsOf(clouds.env)["cloudflare"] ?? 0, { apiToken: "t" });
  });
  afterEach(async () => {
    await plugin.close();
    await clouds.stop();
  });
  const record = (more: Props = {}): Props => ({
    zoneId,
    name: "new.social.example",
    type: "A",
    content: "198.18.1.10",
    ttl: 60,
    ...more,
  });

  const refused: [string, Props, RegExp][] = [
    [
      "an identical record",
      { name: "social.example", content: "198.18.0.10", ttl: 60 },
      /81058.*identical record already exists/,
    ],
    ["an A beside a CNAME", { name: "www.social.example" }, /81053/],
    ["proxied with a TTL of its own", { proxied: true }, /ttl must be set to 1/],
    ["a proxied TXT", { type: "TXT", content: "x", proxied: true, ttl: 1 }, /9004/],
    ["a TTL under 60", { ttl: 30 }, /between 60 and 86400/],
    ["a short name", { name: "www" }, /give the full name/],
    ["the zone's sign", { name: "@" }, /give the full name/],
    ["a trailing dot", { name: "new.social.example." }, /give the full name/],
    ["a name of another zone", { name: "a.other.example" }, /not in zone/],
    ["an address that is none", { content: "198.18.1" }, /9005.*valid IPv4/],
    ["a zone that is none", { zoneId: "x" }, /7003/],
  ];
  for (const [what, more, says] of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(plugin.create(RECORD, record(more)), says);
    });
  }

  it("does not see the proxied trap in a preview, as the real one does not", async () => {
    await plugin.create(RECORD, record({ proxied: true }), { preview: true });
  });

  it("imports by ZONE/RECORD, and shows no change for a `proxied` that the program leaves out", async () => {
    const id = clouds.api.records("social.example", "A")[0]?.id ?? "";
    const found = await plugin.import(RECORD, `${zoneId}/${id}`);
    const wanted: Props = { zoneId, name: "social.example", type: "A", content: "198.18.0.10", ttl: 3600 };
    assert.deepEqual(found, { id, inputs: { ...wanted, proxied: false } });
    assert.deepEqual((await plugin.diff(RECORD, found.inputs, wanted)).changed, []);
    assert.equal((await plugin.import(RECORD, `${zoneId}/none`)).id, "");
  });

  it("updates in place, keeps the id, and replaces on another type", async () => {
    const inputs = record();
    const made = { ...(await plugin.create(RECORD, inputs)), inputs };
    await plugin.update(RECORD, made, record({ content: "198.18.1.11", ttl: 1, proxied: true }));
    const [found] = clouds.api.records("new.social.example");
    assert.deepEqual([found?.id, found?.content, found?.proxied], [made.id, "198.18.1.11", true]);
    assert.deepEqual(
      (await plugin.diff(RECORD, inputs, record({ type: "CNAME", content: "x.example" }))).replaces,
      ["type"],
    );
  });

  it("finds zones and records", async () => {
    const zone = await plugin.invoke("cloudflare:index/getZone:getZone", {
      filter: { name: "social.example" },
    });
    assert.equal(zone["zoneId"], zoneId);
    const missing = plugin.invoke("cloudflare:index/getZone:getZone", { filter: { name: "no.example" } });
    await assert.rejects(missing, /exactly one/);
    const query: Props = { zoneId, name: { exact: "social.example" }, type: "A" };
    const { results } = await plugin.invoke("cloudflare:index/getDnsRecords:getDnsRecords", query);
    assert.deepEqual(
      (results as Props[]).map((r) => [r["content"], r["ttl"]]),
      [["198.18.0.10", 3600]],
    );
    const www = await plugin.invoke("cloudflare:index/getDnsRecord:getDnsRecord", {
      zoneId,
      filter: { type: "CNAME" },
    });
    assert.equal(www["proxied"], true);
  });

  it("rides out two failing answers, and no more", async () => {
    clouds.api.fail({ package: "cloudflare", kind: "500", times: 2, match: "DnsRecord" });
    await plugin.create(RECORD, record());
    clouds.api.fail({ package: "cloudflare", kind: "500", times: 3, match: "DnsRecord" });
    await assert.rejects(
      plugin.create(RECORD, record({ content: "198.18.1.12" })),
      /500 Internal Server Error/,
    );
  });
});
