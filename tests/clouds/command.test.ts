/** The command provider's contract, as measured with the official 1.2.1: held by the stand-in, and by the official one where it is. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { startClouds, type Clouds } from "../../rehearsal/clouds";
import type { Props } from "../../rehearsal/clouds/values";
import { official, Plugin, portsOf } from "./plugin";
import { noSshd, startSshd, type Sshd } from "./sshd";

const COMMAND = "command:remote:Command";
const COPY = "command:remote:CopyToRemote";
const LOCAL = "command:local:Command";
const MARK = "4dabf18193072939515e22adb298388d";

function contract(open: () => Promise<Plugin>, isStandIn: boolean): void {
  let sshd: Sshd;
  let plugin: Plugin;
  before(async () => {
    sshd = await startSshd();
    plugin = await open();
  });
  after(async () => {
    await plugin?.close();
    sshd?.stop();
  });
  const command = (create: string, more: Props = {}): Props =>
    ({ connection: sshd.connection(), create, ...more }) as Props;

  it("runs a command with stdin and gives both streams without their last newline", async () => {
    const { outputs } = await plugin.create(COMMAND, command("cat; echo two >&2", { stdin: "one\n" }));
    assert.deepEqual([outputs["stdout"], outputs["stderr"]], ["one", "two"]);
  });

  it("does nothing in a preview, and knows no output", async () => {
    const mark = path.join(sshd.dir, "preview");
    const { outputs } = await plugin.create(COMMAND, command(`touch ${mark}`), { preview: true });
    assert.equal(existsSync(mark), false);
    assert.equal(outputs["stdout"], "04da6b54-80e4-46f7-96ec-b56ff0331ba9");
  });

  it("marks the connection secret as a whole, and the output of a secret stdin not", async () => {
    const made = await plugin.create(COMMAND, command("cat", { stdin: "s3cret" }), { secrets: ["stdin"] });
    assert.ok(made.secret.includes("connection"));
    assert.ok(made.secret.includes("stdin"));
    assert.ok(!made.secret.includes("stdout"));
  });

  it("verifies nothing without hostKey", async () => {
    const connection = sshd.connection();
    delete connection["hostKey"];
    const { outputs } = await plugin.create(COMMAND, { connection, create: "echo in" } as Props);
    assert.equal(outputs["stdout"], "in");
  });

  it("refuses another host key, and an RSA one even when it is the right one", async () => {
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdqyVT0YCkqwBGLiFZrWyvo5BNYLAbV3QA4hHZE2DZC";
    for (const hostKey of [other, sshd.rsaHostKey]) {
      const connection = sshd.connection({ hostKey, dialErrorLimit: 1 });
      await assert.rejects(plugin.create(COMMAND, { connection, create: "true" } as Props), /host key/);
    }
  });

  it("gives up after dialErrorLimit", async () => {
    const connection = sshd.connection({ port: 1, dialErrorLimit: 2 });
    const made = plugin.create(COMMAND, { connection, create: "true" } as Props);
    await assert.rejects(made, /after 2 failed attempts.*connection refused/s);
  });

  it("fails on a variable that the server does not accept, and passes one that it does", async () => {
    const { outputs } = await plugin.create(
      COMMAND,
      command('echo "$OK_ONE"', { environment: { OK_ONE: "it's" } }),
    );
    assert.equal(outputs["stdout"], "it's");
    const mark = path.join(sshd.dir, "refused");
    const refused = plugin.create(COMMAND, command(`touch ${mark}`, { environment: { NOT_OK: "1" } }));
    await assert.rejects(refused, /could not set environment variable "NOT_OK"/);
    assert.equal(existsSync(mark), false);
  });

  it("prints the whole command and its output when it fails", async () => {
    const made = plugin.create(COMMAND, command("echo said; PW=s3cret false"));
    await assert.rejects(made, /Process exited with status 1: running "echo said; PW=s3cret false":\nsaid/);
  });

  it("shows lines live and does not keep them", async () => {
    await plugin.create(COMMAND, command("echo shown-out; echo shown-err >&2"));
    for (const message of ["shown-out", "shown-err"]) {
      assert.deepEqual(
        plugin.lines.filter((l) => l.message === message),
        [{ message, ephemeral: true }],
      );
    }
  });

  it("logs only what `logging` asks for, and still gives all of it as output", async () => {
    const { outputs } = await plugin.create(
      COMMAND,
      command("echo hidden-out; echo hidden-err >&2", { logging: "none" }),
    );
    assert.equal(outputs["stdout"], "hidden-out");
    await plugin.create(COMMAND, command("echo half-out; echo half-err >&2", { logging: "stderr" }));
    const seen = plugin.lines.map((l) => l.message).filter((m) => /^(hidden|half)-/.test(m));
    assert.deepEqual(seen, ["half-err"]);
  });

  it("sees any changed argument as an update, the connection included, and triggers as a replacement", async () => {
    const olds = command("true", { triggers: ["1"] });
    const moved = { ...olds, connection: sshd.connection({ dialErrorLimit: 3 }) } as Props;
    assert.deepEqual(await plugin.diff(COMMAND, olds, moved), {
      changed: ["connection.dialErrorLimit"],
      replaces: [],
    });
    assert.deepEqual((await plugin.diff(COMMAND, olds, moved, ["connection"])).changed, []);
    assert.deepEqual((await plugin.diff(COMMAND, olds, olds)).changed, []);
  });

  it("runs `update` at an update, `create` again without one, with the old output in the environment", async () => {
    const inputs = command("echo created", { addPreviousOutputInEnv: false });
    const made = { ...(await plugin.create(COMMAND, inputs)), inputs };
    const again = await plugin.update(COMMAND, made, { ...inputs, stdin: "x" });
    assert.equal(again["stdout"], "created");
    const updated = await plugin.update(COMMAND, made, { ...inputs, update: "echo updated" });
    assert.equal(updated["stdout"], "updated");
    const before = plugin.lines.length;
    await plugin.update(COMMAND, made, { ...inputs, addPreviousOutputInEnv: true });
    const warned = plugin.lines.slice(before).some((l) => l.message.includes("PULUMI_COMMAND_STDOUT"));
    assert.ok(warned, "an sshd that refuses the variable makes a warning, not an error");
  });

  it("deletes by the command in the state, and does nothing without one", async () => {
    const mark = path.join(sshd.dir, "deleted");
    const inputs = command("true", { delete: `touch ${mark}` });
    const made = await plugin.create(COMMAND, inputs);
    await plugin.delete(COMMAND, made.id, made.outputs);
    assert.ok(existsSync(mark));
    const connection = sshd.connection({ port: 1 });
    await plugin.delete(COMMAND, made.id, { connection, create: "true", stdout: "", stderr: "" } as Props);
  });

  it("fails at once when the connection is cut, and the command runs on", async () => {
    const [mark, go] = ["ran-on", "go"].map((name) => path.join(sshd.dir, name)) as [string, string];
    const wait = `while [ -d ${sshd.dir} ] && [ ! -e ${go} ]; do sleep 0.1; done`;
    const made = plugin.create(COMMAND, command(`echo up; ${wait}; touch ${mark}`));
    const lost = assert.rejects(made, /exited without exit status or exit signal/);
    await until(() => plugin.lines.some((l) => l.message === "up"));
    sshd.cut();
    await lost;
    assert.equal(existsSync(mark), false);
    writeFileSync(go, "");
    await until(() => existsSync(mark));
  });

  it("cannot be cancelled, and ignores the create timeout", async () => {
    const own = await open();
    const made = own.create(COMMAND, command("echo begun; sleep 1.5; echo done"), { timeout: 1 });
    await until(() => own.lines.some((l) => l.message === "begun"));
    await own.cancel();
    assert.equal((await made).outputs["stdout"], "begun\ndone");
    await own.close();
  });

  it("copies text, a folder by its name, and a folder's content when its path ends with a slash", async () => {
    const asset = (what: Props): Props => ({
      [MARK]: "c44067f5952c0a294b673a41bacd8c17",
      hash: "h1",
      ...what,
    });
    const archive = (what: Props): Props => ({
      [MARK]: "0def7320c3a5731c473e5ecbe6d01bc7",
      hash: "h2",
      ...what,
    });
    const at = (name: string): string => path.join(sshd.dir, "copied", name);
    const copy = (source: Props, remotePath: string) =>
      plugin.create(COPY, { connection: sshd.connection(), source, remotePath } as Props);
    await copy(asset({ text: "hello" }), at("deep/er/text"));
    assert.equal(readFileSync(at("deep/er/text"), "utf8"), "hello");
    await copy(archive({ path: __dirname }), at("by-name"));
    assert.ok(existsSync(at("by-name/clouds/sshd.ts")));
    await copy(archive({ path: `${__dirname}/` }), at("content"));
    assert.ok(existsSync(at("content/sshd.ts")));
    await copy(archive({ assets: { "a/b": asset({ text: "packed" }) } }), at("packed"));
    assert.equal(readFileSync(at("packed/a/b"), "utf8"), "packed");
  });

  it("runs local commands and the invoke", async () => {
    const { outputs } = await plugin.create(LOCAL, {
      create: "cat; echo $WORD",
      stdin: "in ",
      environment: { WORD: "w" },
    });
    assert.equal(outputs["stdout"], "in w");
    const run = await plugin.invoke("command:local:run", { command: "echo invoked" });
    assert.equal(run["stdout"], "invoked");
  });

  it(
    "refuses a line of more than 64 KiB, on which the official one hangs",
    { skip: !isStandIn && "it would hang" },
    async () => {
      const long = "head -c 70000 /dev/zero | tr '\\0' x";
      await assert.rejects(plugin.create(COMMAND, command(long)), /more than 64 KiB.*logging: "none"/s);
      const { outputs } = await plugin.create(COMMAND, command(long, { logging: "none" }));
      assert.equal(String(outputs["stdout"]).length, 70000);
    },
  );
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition(); await new Promise((r) => setTimeout(r, 20))) {
    if (Date.now() > end) throw new Error(`waited 60 s for ${condition}`);
  }
}

let clouds: Clouds;
describe("command, the stand-in", { skip: noSshd }, () => {
  before(async () => {
    clouds = await startClouds();
  });
  after(() => clouds.stop());
  contract(() => Plugin.open(portsOf(clouds.env)["command"] ?? 0), true);
});

const plugin = official("command", "1.2.1");
describe(
  "command, the official plugin",
  { skip: noSshd || (!plugin && "resource-command 1.2.1 is not installed") },
  () => {
    contract(() => Plugin.open(plugin ?? ""), false);
  },
);
