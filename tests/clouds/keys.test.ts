/** Generated secrets and keys: the contract of random and tls. */
import assert from "node:assert/strict";
import { createHash, createPrivateKey } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { utils } from "ssh2";
import { startClouds, type Clouds } from "../../rehearsal/clouds";
import type { Props } from "../../rehearsal/clouds/values";
import { official, Plugin, portsOf } from "./plugin";

const PASSWORD = "random:index/randomPassword:RandomPassword";
const KEY = "tls:index/privateKey:PrivateKey";

function passwords(open: () => Promise<Plugin>): void {
  let plugin: Plugin;
  before(async () => void (plugin = await open()));
  after(() => plugin.close());

  it("makes a password of the length and classes asked for, secret", async () => {
    const { outputs, secret } = await plugin.create(PASSWORD, {
      length: 64,
      special: false,
      upper: false,
      minNumeric: 60,
    });
    const result = String(outputs["result"]);
    assert.match(result, /^[a-z0-9]{64}$/);
    assert.ok((result.match(/\d/g) ?? []).length >= 60);
    assert.ok(secret.includes("result"));
  });

  it("uses no special characters but those allowed", async () => {
    const inputs = { length: 40, lower: false, upper: false, numeric: false, overrideSpecial: "-_" };
    const { id, outputs } = await plugin.create("random:index/randomString:RandomString", inputs);
    assert.match(String(outputs["result"]), /^[-_]{40}$/);
    assert.equal(id, outputs["result"]);
  });

  it("replaces on keepers", async () => {
    const olds = { length: 8, keepers: { a: "1" } };
    const { replaces } = await plugin.diff(PASSWORD, olds, { ...olds, keepers: { a: "2" } });
    assert.equal(replaces.length, 1);
  });

  it("makes ids in every notation", async () => {
    const { outputs } = await plugin.create("random:index/randomId:RandomId", {
      byteLength: 8,
      prefix: "x-",
    });
    const hex = String(outputs["hex"]);
    assert.match(hex, /^x-[0-9a-f]{16}$/);
    assert.equal(outputs["dec"], `x-${BigInt(`0x${hex.slice(2)}`)}`);
  });

  it("refuses minimums that do not fit", async () => {
    await assert.rejects(plugin.create(PASSWORD, { length: 4, minLower: 5 }), /length/);
  });
}

function keys(open: () => Promise<Plugin>): void {
  let plugin: Plugin;
  before(async () => void (plugin = await open()));
  after(() => plugin.close());

  const wanted: Props[] = [
    { algorithm: "ED25519" },
    { algorithm: "RSA", rsaBits: 2048 },
    { algorithm: "ECDSA", ecdsaCurve: "P256" },
  ];
  for (const inputs of wanted) {
    it(`makes an ${String(inputs["algorithm"])} key whose parts belong together`, async () => {
      const { outputs, secret } = await plugin.create(KEY, inputs);
      assert.deepEqual(secret, ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
      const parsed = utils.parseKey(String(outputs["privateKeyOpenssh"]));
      if (parsed instanceof Error) throw parsed;
      const blob = parsed.getPublicSSH();
      assert.equal(outputs["publicKeyOpenssh"], `${parsed.type} ${blob.toString("base64")}\n`);
      const sha256 = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
      assert.equal(outputs["publicKeyFingerprintSha256"], `SHA256:${sha256}`);
      const pem = createPrivateKey(String(outputs["privateKeyPem"])).export({ type: "pkcs8", format: "pem" });
      assert.equal(pem, outputs["privateKeyPemPkcs8"]);
    });
  }

  it("refuses another algorithm", async () => {
    await assert.rejects(plugin.create(KEY, { algorithm: "DSA" }), /RSA/);
  });
}

let clouds: Clouds;
for (const [name, version, contract] of [
  ["random", "4.21.2", passwords],
  ["tls", "5.6.1", keys],
] as const) {
  describe(`${name}, the stand-in`, () => {
    before(async () => void (clouds = await startClouds()));
    after(() => clouds.stop());
    contract(() => Plugin.open(portsOf(clouds.env)[name] ?? 0));
  });
  const plugin = official(name, version);
  describe(
    `${name}, the official plugin`,
    { skip: !plugin && `resource-${name} ${version} is not installed` },
    () => {
      contract(() => Plugin.open(plugin ?? ""));
    },
  );
}
