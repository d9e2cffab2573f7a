import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Lab, type LabHost } from "../../rehearsal/lab";
import { installMastodon } from "../../rehearsal/mastodon";
import { picture } from "../../rehearsal/mastodon/app/picture";
import { address, domain, json, Live, until } from "./live";

describe("files of an instance on a host of the lab", () => {
  let lab: Lab;
  let host: LabHost;
  let instance: Live;

  before(async () => {
    lab = await Lab.start();
    host = await lab.boot("old", { address, side: "old", authorizedKeys: [lab.operatorKey.public] });
    const certificate = await lab.ca.certificateFor([domain]);
    const installed = await installMastodon(host, { domain, size: "small", certificate });
    instance = new Live(host, installed, readFileSync(lab.ca.certPath));
  });
  after(() => lab.stop());

  test("a suspension hides pictures, and only pictures, until it is lifted", async () => {
    const victim = instance.installed.users[9];
    const media = await instance.upload(9, picture(5000));
    await instance.post(9, { status: "soon hidden", media_ids: [media.id] });
    const files = [media.url, media.preview_url, json(await instance.face(9, picture(3000))).avatar];
    const root = "/home/mastodon/live/public";
    const modes = async () =>
      (await host.sh(`stat -c %a ${files.map((f) => root + new URL(String(f)).pathname).join(" ")}`)).stdout;
    const act = (what: string, n?: number) =>
      instance.ask("POST", `/api/v1/admin/accounts/${victim?.id}/${what}`, {
        headers: {
          ...(n === undefined ? instance.owner() : instance.as(n)),
          "content-type": "application/json",
        },
        body: JSON.stringify({ type: "suspend" }),
      });
    assert.equal((await act("action", 1)).status, 403);
    assert.equal((await act("action")).status, 200);
    await until("the pictures are hidden", async () => (await modes()) === "600\n600\n644\n");
    assert.equal((await instance.ask("GET", new URL(String(media.url)).pathname)).status, 403);
    assert.equal((await act("unsuspend")).status, 200);
    await until("they are seen again", async () => (await modes()) === "644\n644\n644\n");
    const again = json(await instance.face(9, picture(3000)));
    assert.notEqual(again.avatar, files[2]);
    await host.sh(`! test -e ${root}${new URL(String(files[2])).pathname}`);
  });

  test("an archive is made by Sidekiq, and on disk is like any other file", async () => {
    await host.sh(
      "runuser -u mastodon -- env RAILS_ENV=production /home/mastodon/live/bin/tootctl accounts backup user03",
    );
    const name =
      "SELECT coalesce(max(dump_file_name), '') FROM backups WHERE created_at > now() - interval '1 minute'";
    await until("the archive is there", async () => (await instance.sql(name)).startsWith("archive-"));
    const file = await instance.sql(name);
    const found = await host.sh(`find /home/mastodon/live/public/system/backups -name '${file}' -printf %m`);
    assert.equal(found.stdout, "644");
  });

  test("what is rendered is remembered with its addresses until tootctl cache clear", async () => {
    const emojis = async () => (await instance.ask("GET", "/api/v1/custom_emojis")).body.toString();
    const before = await emojis();
    await instance.sql("UPDATE custom_emojis SET shortcode = 'moved' WHERE shortcode = 'blob_3'");
    assert.equal(await emojis(), before);
    assert.match(before, /https:\/\/social\.example\/system\/custom_emojis/);
    await host.sh(
      "runuser -u mastodon -- env RAILS_ENV=production /home/mastodon/live/bin/tootctl cache clear",
    );
    assert.match(await emojis(), /moved/);
  });

  test("a page says which hosts it may load pictures from", async () => {
    const page = await instance.ask("GET", "/about");
    assert.match(
      String(page.headers["content-security-policy"]),
      /img-src 'self' data: blob: https:\/\/social.example;/,
    );
  });
});
