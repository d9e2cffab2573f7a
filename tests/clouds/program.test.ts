/** An ordinary Pulumi project through the real CLI: language host, attached providers, state. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { startClouds, type Clouds, type CloudLab, type NewServer } from "../../rehearsal/clouds";
import { findPulumi, Project } from "./project";
import { noSshd, startSshd, type Sshd } from "./sshd";

const pulumi = findPulumi();
const TOKEN = "t".repeat(64);

describe(
  "a project through the CLI",
  { skip: noSshd || (!pulumi && "the pulumi CLI is not installed") },
  () => {
    let sshd: Sshd, clouds: Clouds, project: Project;
    const booted: NewServer[] = [];
    const lab: CloudLab = {
      bootServer: async (server) => void booted.push(server),
      deleteServer: async (name) =>
        void booted.splice(
          booted.findIndex((s) => s.name === name),
          1,
        ),
    };

    before(async () => {
      sshd = await startSshd();
      clouds = await startClouds({ lab });
      const records = [{ name: "social.example", type: "A", content: "198.18.0.10", ttl: 3600 }];
      clouds.api.addZone({ provider: "cloudflare", name: "social.example", records });
      project = new Project(pulumi ?? "", clouds.env);
      const folder = path.join(sshd.dir, "connection.json");
      writeFileSync(folder, JSON.stringify(sshd.connection()));
    });
    after(async () => {
      project?.remove();
      await clouds?.stop();
      sshd?.stop();
    });

    const common = (): string => `
import * as pulumi from "@pulumi/pulumi";
import * as command from "@pulumi/command";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import * as hcloud from "@pulumi/hcloud";
import * as cloudflare from "@pulumi/cloudflare";
import { readFileSync } from "node:fs";
const connection = JSON.parse(readFileSync(${JSON.stringify(path.join(sshd.dir, "connection.json"))}, "utf8"));
const password = new random.RandomPassword("password", { length: 24, special: false });
const hostKey = new tls.PrivateKey("host-key", { algorithm: "ED25519" });
const hetzner = new hcloud.Provider("hetzner", { token: pulumi.secret("${TOKEN}") });
const userData = pulumi.interpolate\`#cloud-config
\${pulumi.jsonStringify({ ssh_keys: { ed25519_private: hostKey.privateKeyOpenssh, ed25519_public: hostKey.publicKeyOpenssh } })}\`;
const key = new hcloud.SshKey("key", { publicKey: hostKey.publicKeyOpenssh }, { provider: hetzner });
const ip = new hcloud.PrimaryIp("ip", { type: "ipv4", location: "fsn1", autoDelete: false }, { provider: hetzner });
const server = new hcloud.Server("server", {
  name: "new", serverType: "cx23", image: "debian-12", location: "fsn1", sshKeys: [key.id], userData,
  publicNets: [{ ipv4: ip.id.apply(Number), ipv4Enabled: true, ipv6Enabled: false }],
}, { provider: hetzner });
const step = new command.remote.Command("step", {
  connection, create: "cat > ${sshd.dir}/step; echo done", stdin: password.result,
}, { dependsOn: [server], additionalSecretOutputs: ["stdin"] });
const flare = new cloudflare.Provider("flare", { apiToken: pulumi.secret("token") });
`;
    const record = (content: string, ttl: number): string => `
export const zone = cloudflare.getZoneOutput({ filter: { name: "social.example" } }, { provider: flare }).zoneId;
new cloudflare.DnsRecord("a", { zoneId: "${clouds.api.state.zones[0]?.id}", name: "social.example", type: "A", content: "${content}", ttl: ${ttl} },
  { provider: flare, import: "${clouds.api.state.zones[0]?.id}/${clouds.api.records("social.example")[0]?.id}" });
export const address = server.ipv4Address;
export const out = step.stdout;
`;

    it("previews without doing anything", async () => {
      project.program(common() + record("198.18.0.10", 3600));
      const { code, output } = await project.run("preview");
      assert.equal(code, 0, output);
      assert.match(output, /1 to import/);
      assert.equal(existsSync(`${sshd.dir}/step`), false);
      assert.equal(booted.length, 0);
    });

    it("creates, and imports the record that was there", async () => {
      const { code, output } = await project.up();
      assert.equal(code, 0, output);
      assert.match(output, /address: "198.18.1.10"/);
      assert.match(output, /out +: "done"/);
      assert.equal(booted[0]?.name, "new");
      assert.match(booted[0]?.cloudConfig.hostKey?.private ?? "", /BEGIN OPENSSH PRIVATE KEY/);
      assert.equal(clouds.api.records("social.example").length, 1);
    });

    it("keeps secrets out of the plain state", async () => {
      const { output } = await project.run("stack", "export", "--show-secrets");
      const found = JSON.parse(output) as {
        deployment: { resources: { outputs?: Record<string, { plaintext?: string }> }[] };
      };
      const secrets = found.deployment.resources.flatMap((r) => [
        r.outputs?.["result"],
        r.outputs?.["privateKeyOpenssh"],
      ]);
      const texts = secrets.flatMap((s) => (s?.plaintext ? [JSON.parse(s.plaintext) as string] : []));
      assert.equal(texts.length, 2);
      for (const text of [...texts, TOKEN, sshd.key.trim()]) {
        const inJson = JSON.stringify(text).slice(1, -1);
        assert.ok(!project.state().includes(inJson), `${inJson.slice(0, 30)}… is readable in the state`);
      }
    });

    it("has nothing to do the second time", async () => {
      const { code, output } = await project.up("--expect-no-changes");
      assert.equal(code, 0, output);
    });

    it("changes the imported record in place", async () => {
      project.program(common() + record("198.18.1.10", 60).replace(/, import: "[^"]*"/, ""));
      const { code, output } = await project.up();
      assert.equal(code, 0, output);
      assert.match(output, /~ 1 updated/);
      const [found, ...others] = clouds.api.records("social.example");
      assert.deepEqual([found?.content, found?.ttl, others.length], ["198.18.1.10", 60, 0]);
    });

    it("adopts a record anew where the state has lost it, and changes it in the same run", async () => {
      const { output: text } = await project.run("stack", "--show-urns");
      const urn = /urn:\S+dnsRecord:DnsRecord::a\b/.exec(text)?.[0] ?? "";
      assert.equal((await project.run("state", "delete", "--yes", urn)).code, 0, text);
      project.program(common() + record("198.18.1.11", 120));
      for (const changes of ["1 imported", "unchanged"]) {
        const { code, output } = await project.up();
        assert.equal(code, 0, output);
        assert.match(output, new RegExp(changes));
      }
      const [found, ...others] = clouds.api.records("social.example");
      assert.deepEqual([found?.content, found?.ttl, others.length], ["198.18.1.11", 120, 0]);
    });

    it("reports a failing program once, and fails", async () => {
      project.program(`throw new Error("no good");`);
      const { code, output } = await project.run("preview");
      assert.notEqual(code, 0);
      assert.match(output, /no good/);
      assert.doesNotMatch(output, /non-zero exit code/);
    });

    it("ends the program when the engine is killed", async () => {
      const mark = path.join(sshd.dir, "program.pid");
      project.program(
        `require("node:fs").writeFileSync(${JSON.stringify(mark)}, String(process.pid)); setInterval(() => {}, 1000); new Promise(() => {});`,
      );
      const { child, result } = project.start("preview");
      const until = async (what: string, condition: () => boolean): Promise<void> => {
        for (const end = Date.now() + 60_000; !condition(); await new Promise((r) => setTimeout(r, 50))) {
          if (Date.now() > end) throw new Error(`waited 60 s until ${what}`);
        }
      };
      await until("the program ran", () => existsSync(mark));
      const pid = Number((await import("node:fs")).readFileSync(mark, "utf8"));
      child.kill("SIGKILL");
      await result;
      await until("the program ended", () => !existsSync(`/proc/${pid}`));
    });

    it("destroys what it made", async () => {
      project.program(common() + record("198.18.1.10", 60).replace(/, import: "[^"]*"/, ""));
      const { code, output } = await project.run("destroy", "--yes", "--skip-preview");
      assert.equal(code, 0, output);
      assert.deepEqual([booted.length, clouds.api.records("social.example").length], [0, 0]);
    });
  },
);
