/** A step's connection through the real CLI: the key that was changed between two runs, and the one that was not. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { startClouds, type Clouds } from "../../rehearsal/clouds";
import type { Phase } from "../../survey/phase";
import { findPulumi, Project } from "./project";
import { noSshd, startSshd, type Sshd } from "./sshd";

const pulumi = findPulumi();
const repository = path.join(__dirname, "../..");

describe(
  "steps after a change of the key",
  { skip: noSshd || (!pulumi && "the pulumi CLI is not installed") },
  () => {
    let sshd: Sshd, clouds: Clouds, project: Project;
    let ran = 0;
    const log = () => path.join(sshd.dir, "ran");

    before(async () => {
      sshd = await startSshd();
      clouds = await startClouds();
      project = new Project(pulumi ?? "", clouds.env);
    });
    after(async () => {
      project?.remove();
      await clouds?.stop();
      sshd?.stop();
    });

    /** A new key, the only one that is let in. Whatever it asks for, it is noted, and nothing runs on this machine. */
    function newKey(name: string): string {
      const file = path.join(sshd.dir, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file]);
      writeFileSync(
        path.join(sshd.dir, "note"),
        `#!/bin/sh\necho "$1 \${SSH_ORIGINAL_COMMAND##* } $(grep ^WANT)" >>'${log()}'\necho '{"outcome":"changed"}'\n`,
        {
          mode: 0o755,
        },
      );
      const line = `restrict,command="${sshd.dir}/note ${name}" ${readFileSync(`${file}.pub`, "utf8")}`;
      writeFileSync(path.join(sshd.dir, "authorized"), line);
      return readFileSync(file, "utf8");
    }

    /** `up` of two of the program's own steps; gives what was asked for on the server. */
    async function up(privateKey: string, at: Phase, phase: Phase): Promise<string[]> {
      project.program(`
import * as pulumi from "@pulumi/pulumi";
import { Stage } from "${repository}/components/stage";
import { Step } from "${repository}/components/step";
const { host, hostKey, ...login } = ${JSON.stringify(sshd.connection({ privateKey }))};
const target: any = { ...login, sudo: "", address: pulumi.output(host), hostKey: pulumi.output(hostKey), resources: [] };
const stage = new Stage({ at: "${at}", phase: "${phase}", target, settings: {} });
const parent = new pulumi.ComponentResource("test:index:Steps", "steps");
for (const name of ["app/tree", "app/serve"] as const) new Step(name, { stage }, { parent }).follow([]);
`);
      const { code, output } = await project.up();
      assert.equal(code, 0, output);
      const all = readFileSync(log(), "utf8").trim().split("\n");
      return all.slice(ran, (ran = all.length)).sort();
    }

    it("run with the new one, and the others run again only where that is harmless", async () => {
      const first = newKey("first");
      assert.deepEqual(await up(first, "survey", "shift"), [
        "first app/serve WANT='present'",
        "first app/tree WANT='present'",
      ]);
      const second = newKey("second");
      // The app's tree is settled by now. Serving is undone, whose state knows the first key alone.
      assert.deepEqual(await up(second, "shift", "replicate"), ["second app/serve WANT='absent'"]);
      assert.deepEqual(await up(second, "replicate", "replicate"), ["second app/tree WANT='present'"]);
      assert.deepEqual(await up(second, "replicate", "replicate"), []);
    });
  },
);
