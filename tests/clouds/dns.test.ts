/** The lab's DNS server, asked by a resolver that is not ours. */
import "./loopback";
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import * as packet from "dns-packet";
import { startClouds, type Clouds } from "../../rehearsal/clouds";

describe("the DNS server", () => {
  let clouds: Clouds;
  const resolver = new Resolver({ timeout: 30_000, tries: 1 });
  before(async () => {
    clouds = await startClouds({ dns: { address: "127.0.0.1", port: 0 } });
    const records = [
      { name: "social.example", type: "A", content: "198.18.0.10", ttl: 120 },
      { name: "social.example", type: "MX", content: "10 mail.social.example." },
      { name: "www.social.example", type: "CNAME", content: "social.example", ttl: 1 },
      { name: "social.example", type: "TXT", content: '"one" "two"' },
      { name: "a.b.social.example", type: "AAAA", content: "2001:db8::1" },
    ];
    clouds.api.addZone({ provider: "cloudflare", name: "social.example", ttl: 900, records });
    for (let i = 0; i < 60; i++) {
      const id = String(i).padStart(2, "0");
      clouds.api.state.zones[0]?.records.push({
        id,
        name: "many.social.example",
        type: "A",
        content: `198.18.3.${i}`,
        createdOn: "",
        modifiedOn: "",
      });
    }
    clouds.api.state.reverse["198.18.0.10"] = "social.example";
    clouds.api.state.reverse["2001:db8:1:3e9::1"] = "v6.social.example";
    resolver.setServers([`127.0.0.1:${clouds.api.dns?.port}`]);
  });
  after(() => clouds.stop());

  it("follows an alias into another zone, and a wildcard there", async () => {
    clouds.api.addZone({
      provider: "cloudflare",
      name: "cdn.example",
      records: [{ name: "*.cdn.example", type: "A", content: "198.18.2.131" }],
    });
    clouds.api.setRecord("social.example", {
      name: "media.social.example",
      type: "CNAME",
      content: "d1.cdn.example",
    });
    assert.deepEqual(await resolver.resolve4("media.social.example"), ["198.18.2.131"]);
    assert.deepEqual(await resolver.resolveCname("media.social.example"), ["d1.cdn.example"]);
    await assert.rejects(resolver.resolve4("a.b.cdn.example"), { code: "ENOTFOUND" });
  });

  it("serves records with their TTL, an automatic one as 300", async () => {
    assert.deepEqual(await resolver.resolve4("social.example", { ttl: true }), [
      { address: "198.18.0.10", ttl: 120 },
    ]);
    assert.deepEqual(await resolver.resolveMx("social.example"), [
      { priority: 10, exchange: "mail.social.example" },
    ]);
    assert.deepEqual(await resolver.resolveTxt("social.example"), [["one", "two"]]);
    assert.deepEqual(await resolver.resolve6("a.b.social.example"), ["2001:db8::1"]);
    const www = await ask("www.social.example", "A");
    assert.deepEqual(
      www.answers?.map((a) => [a.type, (a as { ttl?: number }).ttl]),
      [
        ["CNAME", 300],
        ["A", 120],
      ],
    );
  });

  it("shows a change at once, with a new serial", async () => {
    const { serial } = await resolver.resolveSoa("social.example");
    clouds.api.setRecord("social.example", {
      name: "social.example",
      type: "A",
      content: "198.18.1.10",
      ttl: 60,
    });
    assert.deepEqual(await resolver.resolve4("social.example"), ["198.18.1.10"]);
    assert.ok((await resolver.resolveSoa("social.example")).serial > serial);
  });

  it("tells a name that is not there from a type that is not, with the SOA for both", async () => {
    const missing = await ask("no.social.example", "A");
    const empty = await ask("b.social.example", "A");
    assert.deepEqual([rcode(missing), rcode(empty)], [3, 0]);
    for (const r of [missing, empty]) assert.equal(r.authorities?.[0]?.type, "SOA");
    assert.equal(rcode(await ask("else.where", "A")), 5);
  });

  it("serves reverse names of both families", async () => {
    assert.deepEqual(await resolver.reverse("198.18.0.10"), ["social.example"]);
    assert.deepEqual(await resolver.reverse("2001:db8:1:3e9:0:0:0:1"), ["v6.social.example"]);
  });

  it("cuts a long answer over UDP, and gives all of it over TCP", async () => {
    assert.equal((await resolver.resolve4("many.social.example")).length, 60);
    assert.equal((await ask("many.social.example", "A")).answers?.length, 60);
  });

  it("remembers who asked for what", async () => {
    const began = Date.now();
    await resolver.resolve4("social.example");
    const last = clouds.api.dns?.queries.at(-1);
    assert.deepEqual([last?.from, last?.name, last?.type], ["127.0.0.1", "social.example", "A"]);
    assert.ok(last && last.at >= began && last.at <= Date.now());
  });

  /** Asks over TCP. */
  function ask(name: string, type: packet.RecordType): Promise<packet.Packet> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(clouds.api.dns?.port ?? 0, "127.0.0.1");
      let got = Buffer.alloc(0);
      socket.on("data", (data: Buffer) => {
        got = Buffer.concat([got, data]);
        if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
        socket.end();
        resolve(packet.streamDecode(got));
      });
      socket.once("error", reject);
      socket.write(packet.streamEncode({ type: "query", id: 7, questions: [{ type, name, class: "IN" }] }));
    });
  }
});

function rcode(response: packet.Packet): number {
  return (response.flags ?? 0) & 15;
}
