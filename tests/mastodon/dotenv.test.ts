import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDotenv } from "../../rehearsal/mastodon/app/dotenv";
import { poolConfig } from "../../rehearsal/mastodon/app/database";
import { redisOptions } from "../../rehearsal/mastodon/app/redis";
import { environmentFile } from "../../rehearsal/mastodon/environment";
import { makeSecrets } from "../../rehearsal/mastodon/secrets";

test("quotes, comments, exports and odd characters read as dotenv reads them", () => {
  const text = `A=plain # comment\nexport B='single # $A "x" \\n'\nC="two\\nlines"\nD=\n# E=1\nF = spaced\nG=a#b\n`;
  const values = parseDotenv(text, "node");
  assert.deepEqual(values, {
    A: "plain",
    B: 'single # $A "x" \\n',
    C: "two\nlines",
    D: "",
    F: "spaced",
    G: "a",
  });
});

test("Ruby's dotenv replaces variables outside single quotes, Node's does not", () => {
  const text = `A=x\nB="$A-\${A}"\nC='$A'\nD="\\$A"\n`;
  assert.deepEqual(parseDotenv(text, "ruby"), { A: "x", B: "x-x", C: "$A", D: "$A" });
  assert.equal(parseDotenv(text, "node").B, "$A-${A}");
});

for (const language of ["ruby", "node"] as const)
  test(`the generated file says the same to ${language}, in every variant`, () => {
    const secrets = makeSecrets();
    for (const database of ["socket", "tcp", "url"] as const)
      for (const redis of ["plain", "password", "url"] as const) {
        const env = parseDotenv(environmentFile("social.example", secrets, { database, redis }), language);
        const pool = poolConfig(env, 1, "");
        const url = pool.connectionString ? new URL(pool.connectionString) : undefined;
        const password = url ? decodeURIComponent(url.password) : pool.password;
        assert.equal(password, database === "socket" ? undefined : secrets.database);
        assert.equal(redisOptions(env).password, redis === "plain" ? undefined : secrets.redis);
        assert.equal(env.SMTP_PASSWORD, secrets.mail);
        assert.equal(env.ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY, secrets.primaryKey);
      }
  });
