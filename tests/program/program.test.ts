/** The repository's own program on the real engine, against a lab: what it refuses, and that it changes nothing then. */
import assert from "node:assert/strict";
import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation";
import { execFile } from "node:child_process";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { World } from "../../rehearsal/world";

const traces = `set +e; ls -d /opt/trunkline /etc/trunkline /var/lib/trunkline 2>/dev/null
  grep trunkline /root/.ssh/authorized_keys; ls /etc/systemd/system | grep trunkline; true`;

describe("the program on the real engine", { timeout: 15 * 60_000 }, () => {
  let world: World;
  const say = (line: string) => process.stderr.write(`# ${line}\n`);
  const env = "/home/mastodon/live/.env.production";

  before(async () => (world = await World.build({ rttMs: 0, rate: 0, size: "small", log: say })));
  after(async () => world?.stop());

  async function refused(says: RegExp): Promise<void> {
    for (const run of [world.stack.preview(), world.stack.up()]) {
      const { ok, output } = await run.done;
      assert.ok(!ok, "it should have been refused");
      assert.match(output, says);
    }
    assert.equal(world.lab.hosts().length, 1, "a server was made all the same");
    assert.equal((await world.source.sh(traces)).stdout.trim(), "");
  }

  test("bad config: every key is named at once, with what to write instead", async () => {
    await world.stack.setConfig({ phase: "swich", sourceHost: "old.example", deadlineMs: "5" });
    await refused(
      /phase is "swich"; write one of survey[\s\S]*sourceHost is "old.example"[\s\S]*deadlineMs is "5"/,
    );
    await world.stack.setConfig({ phase: "prepare", sourceHost: "198.18.0.10", deadlineMs: "5000" });
  });

  test("another host key than the pinned one is refused", async () => {
    const other = world.lab.operatorKey.public.split(" ").slice(0, 2).join(" ");
    await world.stack.setConfig({ sourceHostKey: other });
    await refused(/host key/i);
    await world.stack.setConfig({ sourceHostKey: world.source.hostKeyPublic });
  });

  test("an error of the survey stops preview and up: REDIS_NAMESPACE", async () => {
    await world.source.sh(`cp -p ${env} ${env}.kept; echo REDIS_NAMESPACE=old >>${env}`);
    await refused(/REDIS_NAMESPACE/);
    await world.source.sh(`mv ${env}.kept ${env}`);
  });

  test("another LOCAL_DOMAIN than the instance's is refused", async () => {
    await world.stack.setConfig({ domain: "other.example" });
    await refused(/social\.example/);
    await world.stack.setConfig({ domain: "social.example" });
  });

  test("retire asks for its confirmation", async () => {
    await world.stack.setConfig({ phase: "retire" });
    await refused(/confirmRetire/);
    await world.stack.setConfig({ phase: "survey" });
  });

  test("survey alone: an up that reads, and makes nothing", async () => {
    const { ok, output } = await world.stack.up().done;
    assert.ok(ok, output);
    assert.match(output, /Survey[\s\S]*4\.5\.15/);
    assert.equal((await world.source.sh(traces)).stdout.trim(), "");
  });

  // The three ways in which people start Pulumi; the tests above took the first, the CLI itself.
  test("the npm launcher: npx pulumi preview", async () => {
    await world.stack.setConfig({ phase: "prepare" });
    const args = ["pulumi", "preview", "--stack", "dev", "--non-interactive"];
    const { stdout } = await promisify(execFile)("npx", args, {
      cwd: world.stack.folder,
      env: world.stack.environment(),
    });
    assert.match(stdout, /Survey[\s\S]*4\.5\.15[\s\S]*access\/grant/);
    await world.stack.setConfig({ phase: "survey" });
  });

  test("the Automation API: preview, and the outputs of an up", async () => {
    const envVars = world.stack.environment() as Record<string, string>;
    const root = path.dirname(envVars["PATH"]?.split(":")[0] ?? "");
    const pulumiCommand = await PulumiCommand.get({ root });
    const stack = await LocalWorkspace.selectStack(
      { stackName: "dev", workDir: world.stack.folder },
      { envVars, pulumiCommand },
    );
    const { changeSummary } = await stack.preview();
    assert.equal(changeSummary.delete, undefined);
    const { outputs } = await stack.up();
    assert.equal(outputs["phase"]?.value, "survey");
    assert.equal(world.lab.hosts().length, 1);
  });
});
