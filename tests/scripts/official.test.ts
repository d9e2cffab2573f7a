/** The app installed as Mastodon's guide does it, where the source's tree would not run. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "../../rehearsal/lab/run";
import { VERSION } from "../../rehearsal/mastodon/app/config";
import { factsOf } from "../../survey/facts";
import { furnish, tag, upstream } from "./guide";
import { Instance } from "./instance";

let it: Instance;
const live = "/home/mastodon/live";
const official = { APP_INSTALL: "official" };
const git = `runuser -u mastodon -- git -C ${live}`;

before(async () => {
  it = await Instance.boot();
  await furnish(it.source, it.target);
  await it.source.sh(
    `cd ${live}; ${git} init --quiet; ${git} remote add origin https://me:token@github.com/mastodon/mastodon.git
     ${git} config url.file:///srv/git/.insteadOf https://me:token@github.com/
     ${git} fetch --quiet --tags origin '+refs/heads/*:refs/remotes/origin/*'; ${git} checkout --quiet --force --detach ${tag}
     printf '#!/bin/sh\\n' >/usr/bin/ffprobe; chmod +x /usr/bin/ffprobe`,
  );
});
after(() => it.stop());

test("the survey tells what the source's checkout is of, what in it is its own, and no password", async () => {
  const before = await it.survey("source");
  const head = (await it.source.sh(`${git} rev-parse ${tag}`)).stdout.trim();
  assert.deepEqual(before.unread, []);
  assert.deepEqual(before.mastodon?.git, {
    ...{ origin: upstream, head, published: true, changed: [], own: [], count: 0 },
  });
  await it.source.sh(
    `cd ${live}; echo x >>public/robots.txt; mkdir -p 'public/our own'; echo y >'public/our own/a.css'; chown -R mastodon: public
     ${git} -c user.name=a -c user.email=a@b commit --quiet --allow-empty -m ours`,
  );
  const own = (await it.survey("source")).mastodon?.git;
  assert.deepEqual(
    [own?.published, own?.changed, own?.own, own?.count],
    [false, ["public/robots.txt"], ["public/our own/"], 2],
  );
  await it.source.sh(`${git} reset --quiet --hard ${tag}`);
  it.settings = { ...it.settings, ...factsOf(await it.survey("source")) };
});

test("on the same release the tree is copied, and a program that the source's app calls is installed", async () => {
  await it.forward("access/grant", "host/base");
  const { result } = await it.must("app/tree");
  assert.deepEqual([result["way"], result["outcome"]], ["copy", "changed"]);
  await it.target.sh("command -v ffprobe; ! command -v identify");
  assert.equal((await it.must("app/tree")).outcome, "unchanged");
});

test("on another release the same commit is installed, over what was copied", async () => {
  const elsewhere = { SOURCE_RELEASE: "debian-11" };
  const { result, stderr } = await it.must("app/tree", "present", elsewhere);
  assert.equal(result["way"], "official");
  assert.match(stderr, /another way than before/);
  assert.equal((await it.must("app/tree", "present", elsewhere)).outcome, "unchanged");
  assert.equal((await it.must("app/tree", "present", official)).outcome, "unchanged");
});

test("a new target: cut off in each of its parts and run again, it comes to its end; then it changes nothing", async () => {
  await it.must("app/tree", "absent");
  assert.equal((await it.target.sh("ls -A /home; ls /etc/apt/sources.list.d")).stdout, "");
  const came = (parts: string) => `grep -qE '^(${parts})' /run/trunkline/app-tree.progress`;
  const cuts = {
    "the code": came("code|node|ruby"),
    "a Ruby half installed": "ls /home/mastodon/.rbenv/versions/*/bin/ruby",
    "the gems": came("gems|modules|assets"),
  };
  for (const [what, reached] of Object.entries(cuts)) {
    const following = it.step("app/tree", "present", official);
    await it.target.sh(
      `until ${reached} 2>/dev/null; do sleep 0.02; done; systemctl kill --signal=KILL trunkline-app-tree`,
      { timeoutMs: 300_000 },
    );
    assert.match((await following).stderr, /expected trunkline-app-tree.service to end well/, what);
  }
  await it.cutOff("app/tree", 1, "present", official);
  await it.must("app/tree", "present", official);
  assert.equal((await it.must("app/tree", "present", official)).outcome, "unchanged");
});

test("what is there is the release, the user's own, without what was the source's alone", async () => {
  const shown = await it.target.sh(
    `${git} status --porcelain; ${git} describe --tags; ls ${live}/public/assets; ls -d '${live}/public/our own' || true
     find /home/mastodon ! -user mastodon; cd /home/mastodon; runuser -u mastodon -- env HOME=/home/mastodon .rbenv/shims/ruby --version`,
  );
  assert.match(shown.stdout, new RegExp(`^${tag}\n500.html\nruby \\S+ .*\n$`));
});

test("the web unit runs from it, with the secrets that were carried", async () => {
  await it.must("app/secrets");
  await it.target.sh("systemctl start mastodon-web");
  await waitFor("the web process to answer", 60_000, async () => {
    const out = await it.target.exec(["curl", "-sf", "http://127.0.0.1:3000/health"], { allowFail: true });
    return out.stdout === "OK" || out.stderr || `it said ${out.stdout}`;
  });
  await it.target.sh("systemctl stop mastodon-web");
});

test("a commit, tag or repository that is not there is named, and an odd name does no harm", async () => {
  const said = async (extra: Record<string, string>) =>
    (await it.step("app/tree", "present", { ...official, ...extra })).stderr;
  assert.match(
    await said({ APP_REF: "v0.0.1" }),
    /expected v0\.0\.1 in \S+mastodon\.git; found no tag, branch or commit/,
  );
  assert.match(await said({ APP_REF: 'it\'s $(touch /tmp/odd) "x"' }), /found no tag, branch or commit/);
  assert.match(
    await said({ APP_REF: "v0.0.1", APP_REPOSITORY: "https://github.com/none/of it.git" }),
    /none\/of it\.git' does not appear to be a git repository/,
  );
  assert.equal((await it.target.sh("ls /tmp/odd 2>/dev/null || true")).stdout, "");
  assert.equal((await it.must("app/tree", "present", { ...official, APP_REF: "main" })).outcome, "changed");
  assert.equal((await it.target.sh(`${git} log -1 --format=%s`)).stdout, "what came after\n");
});

test("another version than the source's is refused", async () => {
  const answer = await it.step("app/tree", "present", { ...official, MASTODON_VERSION: "4.9.0" });
  assert.match(answer.stderr, new RegExp(`expected Mastodon 4.9.0 in ${live}.*found ${VERSION}`));
});
