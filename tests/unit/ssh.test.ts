import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { Server, utils } from "ssh2";
import { surveyScript } from "../../components/survey";
import { fingerprintOf, runOver, type SshServer } from "../../components/ssh";
import { ed25519Pair } from "../../rehearsal/clouds/tls";
import { privateKey, publicKey } from "./configs";

/** A real SSH server in this process, that answers a few commands. */
const hostKey = ed25519Pair();
const pinned = hostKey.public.trim();
const admin = utils.parseKey(publicKey);
let port = 0;

const server = new Server({ hostKeys: [hostKey.private] }, (client) => {
  client.on("error", () => undefined);
  client.on("authentication", (c) => {
    const right =
      c.method === "publickey" &&
      !(admin instanceof Error) &&
      c.key.data.equals(admin.getPublicSSH()) &&
      c.username === "root";
    return right ? c.accept() : c.reject(["publickey"]);
  });
  client.on("session", (accept) =>
    accept().on("exec", (accept, _reject, { command }) => {
      const channel = accept();
      if (command === "vanish") return client.end();
      if (command === "hang") return;
      let input = "";
      channel.on("data", (b: Buffer) => (input += b.toString()));
      channel.on("end", () => {
        channel.write(input.toUpperCase());
        channel.stderr.write("a word aside");
        channel.exit(command === "fail" ? 3 : 0);
        channel.end();
      });
    }),
  );
});

before(
  () =>
    new Promise<void>((done) =>
      server.listen(0, "127.0.0.1", () => {
        port = (server.address() as { port: number }).port;
        done();
      }),
    ),
);
after(() => server.close());

const at = (change: Partial<SshServer> = {}): SshServer => ({
  ...{ side: "source", host: "127.0.0.1", port, user: "root", privateKey, pinned: { hostKey: pinned } },
  ...change,
});
const refused = (s: SshServer, command: string, says: RegExp, ms = 30_000) =>
  assert.rejects(runOver(s, command, "", ms), says);

test("a command gets its input and gives output, status, host key and round trip", async () => {
  const began = performance.now();
  const { rttMs, ...answer } = await runOver(at(), "go", "hello", 30_000);
  const whole = performance.now() - began;
  assert.deepEqual(answer, { stdout: "HELLO", stderr: "a word aside", code: 0, hostKey: pinned });
  assert.ok(rttMs > 0 && rttMs < whole);
  assert.equal((await runOver(at(), "fail", "", 30_000)).code, 3);
});

test("a server is known by its key's fingerprint too", async () => {
  const fingerprint = fingerprintOf(pinned);
  assert.match(fingerprint, /^[a-z0-9]{50}$/);
  assert.equal((await runOver(at({ pinned: { fingerprint } }), "go", "", 30_000)).hostKey, pinned);
  await refused(at({ pinned: { fingerprint: "0" } }), "go", /shows another host key/);
});

test("another host key is refused before anything is sent, and both keys are named", async () => {
  const other = ed25519Pair().public.trim();
  await refused(
    at({ pinned: { hostKey: other } }),
    "go",
    new RegExp(`the source 127.0.0.1 port ${port} shows another host key.*sourceHostKey is wrong`),
  );
});

test("a wrong user or key says what to put where", async () => {
  await refused(at({ user: "admin" }), "go", /does not let admin in with the key: put its public half/);
  await refused(at({ privateKey: ed25519Pair().private }), "go", /does not let root in/);
});

test("a closed port says what to check", async () => {
  const free = await new Promise<number>((done) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address() as { port: number };
      s.close(() => done(port));
    });
  });
  await refused(
    at({ port: free, side: "target" }),
    "go",
    /the target 127\.0\.0\.1 port \d+ can't be reached \(ECONNREFUSED\): nothing listens there/,
  );
});

test("a command that never ends and a lost connection end the wait", async () => {
  await refused(at(), "hang", /did not finish within 0.3 s: `hang`/, 300);
  await refused(at(), "vanish", /the connection was lost during `vanish`/);
});

test("the survey's script is valid Python whatever the settings hold", async () => {
  const odd = { side: "source", dir: '/home/o\'brien "x" \\ \n é', none: null, yes: true };
  const { execFileSync } = await import("node:child_process");
  const text = (await surveyScript(odd)).split("\n").slice(0, 2).join("\n");
  const input = `${text}\nimport json; print(json.dumps(SETTINGS)); print(sorted(MODULES)[0])\n`;
  const out = execFileSync("python3", ["-"], { input }).toString();
  assert.deepEqual(JSON.parse(out.split("\n")[0] ?? ""), odd);
});
