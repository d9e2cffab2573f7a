/** The source as a proxy, and what is tried before its Sidekiq is stopped: nginx itself, on one host that is source and target. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { encodeSettings } from "../../components/step";
import type { Verdict } from "../../components/gate";
import { Lab, type LabHost } from "../../rehearsal/lab";

const address = "198.18.0.10";
/** The target's nginx: an address of the same host's own. */
const target = "127.0.0.2";
const site = "/etc/nginx/sites-enabled/mastodon";
const main = "/etc/nginx/nginx.conf";

let lab: Lab;
let host: LabHost;

before(async () => {
  lab = await Lab.start();
  host = await lab.boot("old", { address, side: "old", authorizedKeys: [] });
  const scripts = ["-C", path.join(__dirname, "../.."), "--exclude=__pycache__", "-cz", "scripts"];
  const input = execFileSync("tar", scripts, { maxBuffer: 64 << 20 }).toString("base64");
  await host.sh("mkdir -p /opt/trunkline && base64 -d | tar -C /opt/trunkline -xz --no-same-owner", {
    input,
  });
  await certify(await lab.ca.certificateFor(["social.example"]));
  await host.sh(`rm -f /etc/nginx/sites-enabled/*; cp -a ${main} /root/nginx.conf`);
  await host.put(
    "/etc/nginx/sites-enabled/target",
    `server { listen ${target}:443 ssl default_server; server_name _; ${copy} location = /.trunkline { return 200 "target\\n"; } }`,
  );
});

after(() => lab.stop());

const pair = "ssl_certificate /etc/pair.pem; ssl_certificate_key /etc/pair.key;";
/** The target's own, as an earlier run carried it. */
const copy = pair.replaceAll("pair", "copy");

async function certify({ cert, key }: { cert: string; key: string }): Promise<void> {
  await host.put("/etc/pair.pem", cert);
  await host.put("/etc/pair.key", key, 0o600);
  await host.sh("cp -a /etc/pair.pem /etc/copy.pem; cp -a /etc/pair.key /etc/copy.key");
}

const server = (more = "", listen = `listen ${address}:443 ssl;`) =>
  `server { ${listen} server_name social.example; ${pair} ${more} location / { return 404; } }`;

/** The instance's site as its admin has it, loaded. */
async function serve(text: string, file = site): Promise<void> {
  await host.sh(`rm -f ${site}; cp -a /root/nginx.conf ${main}`);
  await host.put(file, text);
  await host.sh("nginx -t; systemctl reset-failed nginx || true; systemctl restart nginx"); // however often
}

async function step(name: string, WANT = "present", extra: Record<string, string> = {}) {
  const settings = {
    ...{ WANT, SIDE: "source", DOMAIN: "social.example", WEB_DOMAIN: "social.example" },
    ...{ WEB_NAMES: "social.example", SOURCE_ADDRESS: address, TARGET_ADDRESS: target, NGINX_SITE: site },
    ...{ TLS_CERT: "/etc/pair.pem", TLS_KEY: "/etc/pair.key", WEB_UNITS: "mastodon-web" },
    ...{ APP_DIR: "/home/mastodon/live", MEDIA_DIR: "/home/mastodon/live/public/system", ...extra },
  };
  const argv = ["bash", "/opt/trunkline/scripts/run", name];
  const out = await host.exec(argv, { input: encodeSettings(settings), allowFail: true });
  const last = out.stdout.trim().split("\n").at(-1) ?? "";
  return { code: out.code, stderr: out.stderr, said: (last ? JSON.parse(last) : {}) as Partial<Verdict> };
}

const refusals = async (extra: Record<string, string> = {}) =>
  (await step("gate/proxy", "present", extra)).said.refusals?.map((r) => `${r.expected}: ${r.found}`);

/** What was there before is there after the proxy; the gate changes nothing. */
async function thereAndBack(text: string, file = site): Promise<void> {
  await serve(text, file);
  const tree = async () =>
    (await host.sh("cd /etc/nginx; find . -type f -exec sha256sum {} + | sort")).stdout;
  const untouched = await tree();
  assert.deepEqual(await refusals(), [], text);
  assert.equal(await tree(), untouched);
  for (const want of ["present", "present", "absent"]) {
    const { code, stderr } = await step("web/proxy", want);
    assert.equal(code, 0, `${want} of ${text}: ${stderr}`);
  }
  assert.equal(await tree(), untouched);
}

test("a site that listens on an address of its own is asked there", async () => {
  await thereAndBack(server());
});

test("a site that stands in nginx.conf itself becomes a proxy there", async () => {
  const text = (await host.sh("cat /root/nginx.conf")).stdout;
  await thereAndBack(
    text.replace(/http\s*\{/, (http) => `${http}\n${server()}\n`),
    main,
  );
});

test("a site for clients with a certificate stays for them, but for the move's own question", async () => {
  const closed = server("ssl_client_certificate /etc/pair.pem; ssl_verify_client on;");
  await serve(closed);
  assert.deepEqual(await refusals(), []);
  assert.equal((await step("web/proxy")).code, 0);
  const ask = `curl -sk -o /dev/null -w '%{http_code}' --resolve social.example:443:${address} https://social.example/`;
  assert.equal((await host.sh(ask)).stdout, "400");
  assert.equal((await host.sh(`${ask}.trunkline`)).stdout, "200");
  assert.equal((await step("web/proxy", "absent")).code, 0);
});

test("what nginx or the site would stumble over is told before Sidekiq is stopped, and by the step itself after it", async () => {
  // A name that web/proxy uses is somebody else's.
  await serve(`upstream trunkline_kept { server 127.0.0.1:9; }\n${server()}`);
  assert.match(
    String(await refusals()),
    /accept its sites as proxies: .*duplicate upstream "trunkline_kept"/s,
  );
  const { code, stderr } = await step("web/proxy");
  assert.notEqual(code, 0);
  assert.match(stderr, /No Sidekiq works on either server/);

  await serve(server("", "listen 127.0.0.9:8443 ssl;"));
  assert.match(String(await refusals()), /own site to answer at 127\.0\.0\.1: /);
});

test("a run that was cut off before nginx had read the proxy is seen through by the next one", async () => {
  await serve(server());
  assert.equal((await step("web/proxy")).code, 0);
  await host.sh(`cp -a ${site} /root/proxy; cp -a /var/lib/trunkline/saved/files${site} ${site}
    systemctl reset-failed nginx || true; systemctl restart nginx; cp -a /root/proxy ${site}`);
  const { code, stderr } = await step("web/proxy");
  assert.equal(code, 0, stderr);
  // The same on the way back.
  await host.sh(`mv -T /var/lib/trunkline/saved/files${site} ${site}`);
  const back = await step("web/proxy", "absent");
  assert.equal(back.code, 0, back.stderr);
  const ask = `curl -sk -o /dev/null -w '%{http_code}' --resolve social.example:443:${address} https://social.example/.trunkline`;
  assert.equal((await host.sh(ask)).stdout, "404");
});

test("what failed after Sidekiq was started is not said to leave none at work", async () => {
  await serve(`upstream trunkline_kept { server 127.0.0.1:9; }\n${server()}`);
  await host.put("/home/mastodon/live/.env.production", "REDIS_HOST=127.0.0.1\nREDIS_PORT=7000\n");
  await host.sh(`systemd-run --quiet --unit=its-redis redis-server --port 7000 --save ''
    timeout 20 bash -c 'until redis-cli -p 7000 ping; do sleep 0.1; done'
    redis-cli -p 7000 SADD processes new:1; redis-cli -p 7000 HSET new:1 quiet true busy 0`);
  const said = async () => {
    const { code, stderr } = await step("web/proxy");
    assert.notEqual(code, 0);
    return stderr;
  };
  assert.match(await said(), /No Sidekiq works on either server/, "one that is quiet takes no job");
  await host.sh("redis-cli -p 7000 HSET new:1 quiet false busy 0");
  assert.doesNotMatch(await said(), /No Sidekiq/);
  await host.sh("systemctl stop its-redis; rm /home/mastodon/live/.env.production");
});

test("the target's copy of a certificate may have expired in a preview, where the run carries a renewed one first", async () => {
  const expired = `cd /root; openssl req -new -key /etc/pair.key -subj /CN=social.example -addext subjectAltName=DNS:social.example`;
  await host.put("/etc/copy.pem", await lab.ca.sign((await host.sh(expired)).stdout, -1));
  await serve(server());
  assert.match(String(await refusals()), /to reach the target's site/);
  assert.deepEqual(await refusals({ PREVIEW: "yes" }), []);
  // There is nothing to hope for from a source whose own has expired too, or where no target answers.
  assert.match(
    String(await refusals({ PREVIEW: "yes", TLS_CERT: "/etc/copy.pem" })),
    /certificate has expired/,
  );
  assert.match(
    String(await refusals({ PREVIEW: "yes", TARGET_ADDRESS: "127.0.0.3" })),
    /to reach the target's site/,
  );
  await host.sh("cp -a /etc/pair.pem /etc/copy.pem");
});

test("a gate before the shift sends nobody back to an earlier phase for a site that does not answer well", async () => {
  await serve(server("location = /inbox { return 404; }", "listen 127.0.0.1:443 ssl;"));
  const here = { SIDE: "target", PG_MAJOR: "15", DB_NAME: "mastodon_production", CARRY_REDIS: "no" };
  const { said, stderr } = await step("gate/shift", "present", here);
  const site = said.refusals?.find((r) => /inbox/.test(r.expected));
  assert.match(site?.found ?? stderr, /404: other servers would drop/);
  assert.match(site?.remedy ?? "", /nginx -t/);
  assert.doesNotMatch(site?.remedy ?? "", /with phase/);
});

test("going back does not stop at a site that can't be asked, so that Sidekiq is started after it", async () => {
  await serve(server());
  assert.equal((await step("web/proxy")).code, 0);
  // Its admin has put the new address into the saved site, and the old one is gone from the interface.
  await host.sh(`sed -i 's/listen [^;]*;/listen 127.0.0.9:8443 ssl;/' /var/lib/trunkline/saved/files${site}`);
  const { code, stderr } = await step("web/proxy", "absent");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /own site is in place, but gives no good answer/);
});

test("a certificate of its own authority is trusted, and one whose authority is not in its chain is refused early", async () => {
  const made = `cd /root; o="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    $o -keyout own.key -out own.pem -subj /CN=Own -addext keyUsage=critical,keyCertSign 2>/dev/null
    $o -keyout leaf.key -CA own.pem -CAkey own.key -out leaf.pem -subj /CN=social.example \\
      -addext subjectAltName=DNS:social.example -addext basicConstraints=critical,CA:FALSE 2>/dev/null
    cp leaf.key /etc/pair.key; cp leaf.pem /etc/pair.pem; cp leaf.key /etc/copy.key; cp leaf.pem /etc/copy.pem`;
  await host.sh(made);
  await serve(server());
  assert.match(String(await refusals()), /lead up to an authority that is known/);
  await host.sh("cat /root/own.pem | tee -a /etc/pair.pem >>/etc/copy.pem");
  await thereAndBack(server());
});

test("the target's site with rules for a CDN's addresses alone is there for this host too, and one without them is not", async () => {
  const parts = { names: [], body: 0, realIp: { from: [], header: "" }, locations: [], app: [], system: [] };
  const rules = ["  allow 192.0.2.0/24;", "  deny all;"];
  const prepared = async (rules: string[]) => {
    const told = { ...parts, server: rules, companions: [], http: [] };
    await host.put("/var/lib/trunkline/source.site", JSON.stringify(told));
    const here = {
      SIDE: "target",
      APP_HOME: "/home",
      STREAMING_UNITS: "mastodon-streaming",
      SIDEKIQ_UNITS: "",
    };
    return step("web/site", "present", here);
  };
  // nginx can't go over from one address to all of them while it runs.
  await host.sh(`systemctl stop nginx; rm -f ${site}; mkdir -p /etc/trunkline/tls/social.example; cd /etc/trunkline/tls/social.example
    cp /etc/pair.pem fullchain.pem; cp /etc/pair.key privkey.pem`);
  assert.equal((await prepared(rules)).code, 0);
  const answer = await prepared(["  return 403;"]);
  assert.match(answer.stderr, /POST \/inbox answered: .*403/s);
});
