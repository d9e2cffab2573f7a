import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { JsonWebKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { outside } from "../../rehearsal/lab/network";
import { Acme } from "./acme";
import { Instance, prepare } from "./instance";

const le = "/etc/letsencrypt";
// Two sites with one certificate.
const name = "mastodon.social.example";
const names = [name, "social.example"];
const tls = "/etc/trunkline/tls/social.example";
const served = `${tls}/fullchain.pem`;
let it: Instance;
let acme: Acme;

before(async () => {
  it = await Instance.boot({ webDomain: name });
  assert.equal(it.settings["RENEWALS"], name);
  const key = JSON.parse(
    (await it.source.sh(`cat ${le}/accounts/*/*/*/private_key.json`)).stdout,
  ) as JsonWebKey;
  const { kty, n, e } = key;
  acme = new Acme(it.lab.ca, { kty, n, e } as JsonWebKey, it.target.address);
  await acme.start();
  await it.source.sh(`sed -i 's|^server = .*|server = ${acme.directory}|' ${le}/renewal/${name}.conf
    mv ${le}/accounts/acme.example ${le}/accounts/acme.example:14000`);
  await it.target.sh(`echo '${outside} acme.example' >>/etc/hosts`);
  await it.forward(...prepare);
  // From here on there is no source any more.
  await it.lab.cut(it.source.address, it.target.address, "drop");
});
after(async () => {
  acme?.stop();
  await it?.stop();
});

/** Of the certificate that nginx answers with. */
const serial = async (host = name) =>
  (
    await it.target.sh(
      `openssl s_client -connect 127.0.0.1:443 -servername ${host} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
    )
  ).stdout.trim();

test("without the source certbot knows the certificate, and nginx reads it where certbot puts the next", async () => {
  await it.cutOff("web/renewal", 0.4);
  await it.must("web/renewal");
  assert.equal((await it.must("web/renewal")).outcome, "unchanged");
  const { stdout } = await it.target.sh("certbot certificates 2>&1");
  assert.match(
    stdout,
    /Certificate Name: mastodon\.social\.example[\s\S]*Domains: mastodon\.social\.example social\.example/,
  );
  await it.target.sh(`
    systemctl is-enabled --quiet certbot.timer; systemctl is-active --quiet certbot.timer
    test "$(readlink ${served})" = ${le}/live/${name}/fullchain.pem
    test "$(readlink ${tls}/1.privkey.pem)" = ${le}/live/${name}/privkey.pem
    test "$(stat -c %a ${le}/archive/${name}/privkey1.pem)" = 600
    test -z "$(find ${le}/accounts -name private_key.json -perm /077)"`);
});

test("certbot renews it by itself, with the source's account, and nginx serves the new one", async () => {
  const before = await serial();
  assert.match(before, /^serial=\w+$/);
  const said = await it.target.sh("certbot renew --no-random-sleep-on-renew 2>&1");
  assert.deepEqual(
    acme.orders.map((o) => [o.names.sort(), o.proven.sort()]),
    [[names, names]],
    said.stdout,
  );
  const until = Date.now() + 20_000;
  const renewed = async (host: string) => {
    for (;;) {
      const now = await serial(host);
      if (now !== before) return now;
      assert.ok(Date.now() < until, `nginx serves the old one for ${host}; ${said.stdout}`);
    }
  };
  const now = await renewed(name);
  assert.equal(await renewed("social.example"), now);
  // Nothing brings the source's older pair back.
  await it.forward("web/certificates", "web/site", "web/renewal");
  await it.target.sh("systemctl restart nginx");
  assert.equal(await serial(), now);
});

test("back from settle certbot knows nothing of it, nginx serves the newest on, and forth again too", async () => {
  const newest = await serial();
  await it.cutOff("web/renewal", 0.2, "absent");
  await it.must("web/renewal", "absent");
  assert.equal((await it.must("web/renewal", "absent")).outcome, "unchanged");
  assert.equal((await it.target.sh(`cd ${le}; find accounts archive live renewal ! -type d`)).stdout, "");
  await it.target.sh(`test -f ${served}; test ! -L ${served}; systemctl restart nginx`);
  assert.equal(await serial(), newest);
  await it.must("web/renewal");
  await it.target.sh("systemctl restart nginx");
  assert.equal(await serial(), newest);
  await it.must("web/renewal", "absent");
});

test("a certificate that certbot on the target has of its own is never touched", async () => {
  await it.target.put(`${le}/renewal/${name}.conf`, "# its admin's own\n");
  assert.match(
    (await it.must("web/renewal")).stderr,
    /has a certificate mastodon\.social\.example of its own/,
  );
  await it.must("web/renewal", "absent");
  assert.equal((await it.target.sh(`cat ${le}/renewal/${name}.conf`)).stdout, "# its admin's own\n");
});

test("a name that is not proven on this host is told before its certificate ends", async () => {
  await it.target.sh(`rm ${le}/renewal/${name}.conf
    sed -i 's|root ".*/public";|root /var/empty;|' /etc/nginx/sites-available/trunkline; systemctl reload nginx`);
  const answer = await it.step("web/renewal");
  assert.match(answer.stderr, /expected a proof for mastodon\.social\.example to be answered on port 80/);
});

test("what the certificate is stays, how it is proven and who is told does not", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-renewal-"));
  const text = `version = 2.1.0
fullchain = ${le}/live/a/fullchain.pem
[renewalparams]
account = 00ff
authenticator = standalone
pre_hook = systemctl stop nginx
post_hook = systemctl start nginx
server = https://acme.example/directory
elliptic_curve = secp384r1
[[webroot_map]]
old.example = /var/www/old
`;
  writeFileSync(path.join(dir, "a.conf"), text);
  const script = path.join(__dirname, "../../scripts/web/renewal.py");
  const argv = [script, path.join(dir, "a.conf"), "/srv/a b/public"];
  const out = execFileSync("python3", argv, { encoding: "utf8", input: "a.example\nb.example\n" });
  rmSync(dir, { recursive: true });
  assert.equal(
    out,
    `version = 2.1.0
fullchain = ${le}/live/a/fullchain.pem

[renewalparams]
account = 00ff
server = https://acme.example/directory
elliptic_curve = secp384r1
authenticator = webroot
webroot_path = "/srv/a b/public",
renew_hook = systemctl reload nginx
[[webroot_map]]
a.example = "/srv/a b/public"
b.example = "/srv/a b/public"
`,
  );
});
