import assert from "node:assert/strict";
import dgram from "node:dgram";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { installMastodon } from "../../rehearsal/mastodon";
import { picture } from "../../rehearsal/mastodon/app/picture";
import { composeFile } from "../../rehearsal/mastodon/compose/project";
import { startPeople } from "../../rehearsal/people";
import { composeFacts } from "./compose-facts";
import { answer } from "./elsewhere";
import { address, domain, json, Live, until } from "./live";

interface Project {
  services: Record<string, Record<string, unknown>>;
  networks: Record<string, { internal?: boolean } | null>;
}

describe("docker-compose.yml keeps to the facts", () => {
  const project = parse(composeFile("15")) as Project;
  for (const f of composeFacts)
    test(`${f.fact} (${f.source})`, () => {
      for (const [name, value] of Object.entries(f.says))
        assert.deepEqual(project.services[f.service]?.[name], value, name);
    });
  test("the database has no way out (mastodon v4.5.15 docker-compose.yml)", () => {
    assert.equal(project.networks.internal_network?.internal, true);
    assert.equal(project.networks.external_network, null);
  });
});

describe("a Compose project on a host of the lab", () => {
  let lab: Lab;
  let host: LabHost;
  let instance: Live;
  const compose = (args: string) => host.sh(`cd /opt/mastodon; docker compose ${args}`);

  before(async () => {
    lab = await Lab.start();
    host = await lab.boot("old", { address, side: "old", authorizedKeys: [lab.operatorKey.public] });
    const certificate = await lab.ca.certificateFor([domain]);
    const installed = await installMastodon(host, { domain, size: "small", certificate, layout: "compose" });
    instance = new Live(host, installed, readFileSync(lab.ca.certPath));
  });
  after(() => lab.stop());

  test("an upload lies in the volume, belongs to 991, and nginx serves it; the app's own files come from the image", async () => {
    const media = await instance.upload(1, picture(9000));
    const { pathname } = new URL(String(media.url));
    const found = await host.sh(`stat -c '%u:%g %a' /opt/mastodon/public${pathname}`);
    assert.equal(found.stdout.trim(), "991:991 644");
    const seen = await instance.ask("GET", pathname);
    assert.equal(seen.headers["cache-control"], "public, max-age=2419200, immutable");
    assert.equal((await instance.ask("GET", "/packs/manifest.json")).status, 200);
  });

  test("commands run where the real ones do", async () => {
    assert.equal((await compose("exec -T web tootctl version")).stdout.trim(), "4.5.15");
    const count = `exec -T db psql -U postgres -AtXc 'SELECT count(*) FROM users'`;
    assert.equal((await compose(count)).stdout.trim(), String(instance.installed.counts.users));
    assert.equal((await compose("exec -T redis redis-cli zcard retry")).stdout.trim(), "40");
    await host.sh("cd /opt/mastodon; ! docker compose exec -T web node --version");
  });

  test("a second web process runs beside the first", async () => {
    await compose("run -d --no-deps -p 127.0.0.1:3001:3000 web");
    const health = () => host.sh("curl -s http://127.0.0.1:3001/health || true");
    await until("it answers", async () => (await health()).stdout === "OK");
    await host.sh(
      "docker rm -f $(docker ps -q --filter label=com.docker.compose.oneoff=True) >/dev/null; cd /opt/mastodon; docker compose ps -q web | grep -q .",
    );
  });

  test("people post pictures and find every one that their timelines show", async () => {
    const names = dgram.createSocket("udp4");
    names.on("message", (m, from) => names.send(answer(m, address), from.port, from.address));
    await new Promise<void>((resolve) => names.bind(0, "127.0.0.1", resolve));
    const { users: accounts } = instance.installed;
    const common = { domain, caPath: lab.ca.certPath, dir: `${lab.dir}/records`, accounts, streams: 0 };
    const dns = [`127.0.0.1:${names.address().port}`];
    const people = await startPeople({ ...common, dns, rate: 4, readsPerWrite: 4 });
    await until("some pictures", async () => (await people.stats()).pictures.opened > 40, 60_000);
    const { pictures, failed } = await people.stop();
    names.close();
    assert.deepEqual([pictures.broken, pictures.faults, failed], [0, {}, 0]);
  });

  test("after a power cut all of it comes up by itself", async () => {
    await host.reboot();
    const up = () => instance.ask("GET", "/api/v2/instance").catch(() => undefined);
    await until("the site answers", async () => (await up())?.status === 200, 60_000);
    const { id } = json(await instance.post(4, { status: "back" }));
    const mine = () => instance.ask("GET", "/api/v1/timelines/home", { headers: instance.as(4) });
    await until("the post is in the feed", async () => (await mine()).body.includes(id), 60_000);
    assert.equal((await instance.ask("GET", "/api/v1/streaming/health")).status, 200);
  });
});
