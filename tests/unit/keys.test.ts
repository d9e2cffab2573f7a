import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { parseMigration } from "../../config";
import { keysPage, readKeys } from "../../docs/keys";
import { cloud, good, media, storesConfig } from "./configs";

const root = path.join(__dirname, "..", "..");
const keys = readKeys();

test("docs/keys.md is what docs/keys.ts prints", () => {
  assert.equal(readFileSync(path.join(root, "docs/keys.md"), "utf8"), keysPage(keys));
});

test("every key is described, and secret or defaulted unless it has to be given", () => {
  for (const [name, key] of Object.entries(keys)) {
    assert.match(key.description, /^[A-Z].{15,}\.$/, name);
    assert.match(name, /^[a-z][A-Za-z0-9]*$/);
  }
  const required = Object.keys(keys).filter((k) => keys[k]?.default === undefined);
  assert.deepEqual(required, ["domain", "sourceHost", "sourceHostKey", "sshPrivateKey"]);
  assert.deepEqual(
    Object.keys(keys).filter((k) => keys[k]?.secret),
    ["sshPrivateKey"],
  );
});

test("config.ts reads every key of the schema, and no other", () => {
  const asked = new Set<string>();
  for (const base of [good, cloud, media, ...Object.values(storesConfig)])
    parseMigration((key) => {
      asked.add(key);
      return base[key];
    });
  assert.deepEqual([...asked].sort(), Object.keys(keys).sort());
});

test("the schema's defaults are those of config.ts", () => {
  for (const base of [good, media]) {
    const bare = parseMigration((key) => base[key]);
    const withDefaults = parseMigration(
      (key) => base[key] ?? (keys[key]?.default === undefined ? undefined : String(keys[key].default)),
    );
    assert.deepEqual(withDefaults, bare);
  }
});

const stores = ["s3", "r2", "b2", "other"].map((store) => `examples/object-storage/Pulumi.${store}.yaml`);
for (const file of ["Pulumi.dev.yaml", "examples/live-move/Pulumi.live-move.yaml", ...stores])
  test(`${file} names only keys that there are, and holds no secret`, () => {
    const { config } = parse(readFileSync(path.join(root, file), "utf8")) as {
      config: Record<string, unknown>;
    };
    const own = Object.keys(config)
      .filter((k) => k.startsWith("trunkline:"))
      .map((k) => k.slice("trunkline:".length));
    assert.deepEqual(
      own.filter((k) => !(k in keys)),
      [],
    );
    for (const secret of ["sshPrivateKey", "mediaSecretKey", "bunnyApiKey"]) assert.ok(!own.includes(secret));
  });

for (const file of stores)
  test(`${file} is accepted once its secrets are set`, () => {
    const { config } = parse(readFileSync(path.join(root, file), "utf8")) as {
      config: Record<string, unknown>;
    };
    const secrets: Record<string, string> = {
      sshPrivateKey: good["sshPrivateKey"] ?? "",
      sourceHostKey: good["sourceHostKey"] ?? "",
      ...(/b2|other/.test(file) && { mediaSecretKey: "secret" }),
      ...(file.includes("b2") && { bunnyApiKey: "bunny-api-key-of-the-account" }),
    };
    const m = parseMigration(
      (key) => secrets[key] ?? (config[`trunkline:${key}`] as string | undefined)?.toString(),
    );
    assert.equal(m.target.provider, "none");
    assert.equal(m.storage?.host, "media.social.example");
  });
