/** Parts of the survey's script that need no host: what they make of what they are given. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const scripts = path.join(__dirname, "../../scripts");

/** What an expression over `given` comes to, with modules of the survey at hand. */
function python(imports: string, expression: string, given: unknown): unknown {
  const script = `
import json, sys
sys.path[:0] = ["survey", "lib"]
import ${imports}
given = json.loads(sys.argv[1])
print(json.dumps(${expression}))`;
  const said = execFileSync("python3", ["-B", "-c", script, JSON.stringify(given)], { cwd: scripts });
  return JSON.parse(said.toString());
}

test("what the app reaches on its own host is told, by its host alone", () => {
  const cases: [Record<string, string>, string[]][] = [
    [{ SMTP_SERVER: "smtp.mail.example" }, []],
    [{}, ["SMTP_SERVER is not set"]],
    [{ SMTP_SERVER: "localhost" }, ["SMTP_SERVER is localhost"]],
    [{ SMTP_SERVER: "::1" }, ["SMTP_SERVER is ::1"]],
    [{ SMTP_DELIVERY_METHOD: "sendmail" }, ["SMTP_DELIVERY_METHOD is sendmail"]],
    [{ SMTP_DELIVERY_METHOD: "none" }, []],
    [{ SMTP_SERVER: "m.example", BULK_SMTP_SERVER: "127.0.0.2" }, ["BULK_SMTP_SERVER is 127.0.0.2"]],
    [
      { SMTP_SERVER: "m.example", http_proxy: "http://me:secret@127.0.0.1:8118" },
      ["http_proxy is 127.0.0.1"],
    ],
    [{ SMTP_SERVER: "m.example", http_proxy: "http://[nonsense" }, []],
    [{ SMTP_SERVER: "m.example", STATSD_ADDR: "localhost:8125" }, ["STATSD_ADDR is localhost"]],
    [{ SMTP_SERVER: "m.example", S3_ENDPOINT: "http://127.0.0.1:9000" }, []],
    [
      { SMTP_SERVER: "m.example", S3_ENABLED: "true", S3_ENDPOINT: "http://127.0.0.1:9000" },
      ["S3_ENDPOINT is 127.0.0.1"],
    ],
    [
      { SMTP_SERVER: "m.example", LIBRE_TRANSLATE_ENDPOINT: "http://[::1]:5000" },
      ["LIBRE_TRANSLATE_ENDPOINT is ::1"],
    ],
    [{ SMTP_SERVER: "m.example", LDAP_ENABLED: "true" }, ["LDAP_HOST is not set"]],
    [{ SMTP_SERVER: "m.example", LDAP_ENABLED: "true", LDAP_HOST: "ldap.example" }, []],
    [{ SMTP_SERVER: "m.example", PAM_ENABLED: "true" }, ["PAM_ENABLED is true"]],
    [{ SMTP_SERVER: "m.example", CAS_URL: "https://localhost:8443/cas" }, []],
    [
      { SMTP_SERVER: "m.example", CAS_ENABLED: "true", CAS_URL: "https://localhost:8443/cas" },
      ["CAS_URL is localhost"],
    ],
  ];
  for (const [env, told] of cases)
    assert.deepEqual(python("nearby", "nearby.services(given)", env), told, JSON.stringify(env));
});

test("DisableForwarding makes nothing of AllowTcpForwarding, for the survey and for the step", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-sshd-"));
  const env = { ...process.env, PATH: `${dir}:${process.env["PATH"]}`, SOURCE_SSH_USER: "root" };
  try {
    for (const [disable, allow, told] of [
      ["no", "yes", "yes"],
      ["no", "local", "local"],
      ["yes", "yes", "no"],
    ] as const) {
      const says = { allowtcpforwarding: allow, disableforwarding: disable };
      const lines = Object.entries(says).map((pair) => pair.join(" "));
      writeFileSync(path.join(dir, "sshd"), `#!/bin/sh\ncat <<.\n${lines.join("\n")}\n.\n`, { mode: 0o755 });
      const step = execFileSync("bash", ["-c", ". access/grant.sh; sshd_forwards"], { cwd: scripts, env });
      assert.equal(step.toString().trim(), told);
      assert.equal(python("machine", "machine.forwarding(given)", says), told);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("backups are known by their programs, also in a script that a line of cron names", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-cron-"));
  try {
    writeFileSync(
      path.join(dir, "nightly.sh"),
      "#!/bin/sh\n# was: borg\nrunuser -u postgres pg_dumpall | gzip\n",
    );
    for (const [line, told] of [
      ["5 3 * * * postgres pg_dump -Fc mastodon_production >/srv/m.dump", ["pg_dump"]],
      [`@daily ${dir}/nightly.sh`, ["pg_dumpall"]],
      ["0 * * * * root /usr/local/bin/restic backup /srv && pgbackrest backup", ["restic", "pgbackrest"]],
      ["{ path=/usr/bin/borgmatic ; argv[]=/usr/bin/borgmatic --list ; }", ["borgmatic", "borgmatic"]],
      ["5 3 * * * mastodon bin/tootctl media remove", []],
      ["5 3 * * * root /opt/cyborg/run restic-exporter", []],
    ] as const)
      assert.deepEqual(python("beside", "beside.saving(given)", line), told, line);
    // Where backups go may not answer any more; nothing of it is opened.
    const away = `(setattr(beside, "mount_of", lambda path: {"fsType": "nfs4"}), beside.saving(given))[1]`;
    assert.deepEqual(python("beside", away, `@daily ${dir}/nightly.sh`), []);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("what a worker of nginx may hold is read from its own lines, and null where nothing says it", () => {
  const told = (text: string) => python("nginx, nginxconf", "nginx.workers(nginxconf.parse(given))", text);
  assert.deepEqual(
    told("worker_rlimit_nofile 65535; events { worker_connections 4096; } http { server_tokens off; }"),
    { connections: 4096, files: 65_535 },
  );
  assert.deepEqual(told("events { multi_accept on; }"), { connections: null, files: null });
});

test("another name is served where the instance's site is, and never on loopback because of somebody else's page", () => {
  const told = (sites: string, port = "80") =>
    python(
      "nginxconf",
      "nginxconf.hosts_beside(nginxconf.parse(given[0]), 'social.example', 'media.social.example', given[1])",
      [`server { listen 127.0.0.1:80; stub_status; } ${sites}`, port],
    );
  const site = "server { listen 203.0.113.7:443 ssl; server_name social.example; }";
  assert.deepEqual(told(site, "443"), ["203.0.113.7"]);
  assert.deepEqual(told(site), ["203.0.113.7"]);
  for (const [listens, where] of [
    ["", ""],
    ["listen 203.0.113.7;", "203.0.113.7"],
    ["listen [2001:db8::7];", "[2001:db8::7]"],
    ["listen 80; listen unix:/run/x;", ""],
  ] as const)
    assert.deepEqual(told(`${site} server { ${listens} server_name social.example; }`), [where], listens);
});

test("rules that count connections to sshd are told, those to other ports or for other ends are not", () => {
  const told = (iptables: string[], nft: string[] = [], port = 22) =>
    python(
      "firewall",
      "(setattr(firewall, 'shown', lambda name, *more: given[name]), firewall.limits(given['port']))[1]",
      { "iptables-save": iptables, nft, port },
    );
  const recent = (ports: string) =>
    `-A ufw-user-input -p tcp -m tcp ${ports} -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j ufw-user-limit`;
  for (const ports of ["--dport 22", "-m multiport --dports 80,22", "--dport 20:30"])
    assert.deepEqual(told([recent(ports)]), [recent(ports).slice(0, 160)], ports);
  for (const rule of [
    recent("--dport 2222"),
    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j LOG",
    "-A INPUT -p tcp -m tcp --dport 443 -m hashlimit --hashlimit-above 9/sec -j DROP",
  ])
    assert.deepEqual(told([rule]), [], rule);
  assert.notDeepEqual(told([recent("--dport 2222")], [], 2222), []);
  const nft = (rule: string) => told([], ["table inet filter {", `\t\t${rule}`, "}"]);
  for (const rule of [
    "tcp dport 22 ct state new limit rate 6/minute accept",
    "tcp dport { 22, 80 } ct state new limit rate over 6/minute drop",
    "tcp dport ssh ct count over 4 reject",
  ])
    assert.deepEqual(nft(rule), [rule]);
  assert.deepEqual(nft("tcp dport 22 accept"), []);
  assert.deepEqual(nft("tcp dport 443 limit rate 6/minute accept"), []);
});

test("a mail server at one of the host's own addresses, or by a name of one, is on this host", () => {
  const told = (server: string, own: string[], more = {}) =>
    python("nearby", "nearby.services(*given)", [{ SMTP_SERVER: server, ...more }, own]);
  assert.deepEqual(told("203.0.113.7", ["203.0.113.7"]), ["SMTP_SERVER is 203.0.113.7"]);
  assert.deepEqual(told("203.0.113.8", ["203.0.113.7"]), []);
  // Who logs in may do so from anywhere, but not on the other server's loopback.
  const login = { SMTP_LOGIN: "mastodon" };
  assert.deepEqual(told("203.0.113.7", ["203.0.113.7"], login), []);
  assert.deepEqual(told("127.0.0.1", ["203.0.113.7"], login), ["SMTP_SERVER is 127.0.0.1"]);
  // By its name, which leads to its loopback.
  assert.deepEqual(
    [["203.0.113.7"], []].map((own) => python("nearby", "nearby.is_own('localhost', given)", own)),
    [true, false],
  );
});

test("what answers others on this host is told by port and service, but not what belongs to the move", () => {
  const socket = (local: string, process: string, pid: number) =>
    `LISTEN 0 128 ${local} 0.0.0.0:* users:(("${process}",pid=${pid},fd=6))`;
  const lines = [
    socket("0.0.0.0:22", "sshd", 1),
    socket("*:443", "nginx", 2),
    socket("[::]:8448", "nginx", 2),
    socket("0.0.0.0:5432", "postgres", 3),
    socket("192.0.2.1:6379", "redis-server", 4),
    socket("127.0.0.1:3306", "mariadbd", 5),
    socket("[::1]:3306", "mariadbd", 5),
    socket("127.0.0.53%lo:53", "systemd-resolve", 6),
    socket("[fe80::1]%eth0:5355", "systemd-resolve", 6),
    socket("0.0.0.0:25", "master", 7),
    socket("[::]:25", "master", 7),
    socket("0.0.0.0:3000", "ruby", 8),
    socket("10.0.0.1:9100", "odd", 9),
    "LISTEN 0 64 0.0.0.0:2049 0.0.0.0:*",
  ].join("\n");
  const units = { 2: "nginx.service", 7: "postfix@-.service", 8: "mastodon-web.service" };
  assert.deepEqual(
    python(
      "listening",
      "listening.strangers(given[0], ['mastodon-web.service'], lambda pid: given[1].get(str(pid)))",
      [lines, units],
    ),
    [
      { port: 25, by: "postfix@-.service" },
      { port: 8448, by: "nginx.service" },
      { port: 9100, by: "odd" },
    ],
  );
});

test("files beside .env.production are told where they set what differs from host to host, without values", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-beside-"));
  try {
    writeFileSync(path.join(dir, ".env.production"), "DB_HOST=localhost\n");
    writeFileSync(path.join(dir, ".env.production.local"), "LOG_LEVEL=debug\nexport DB_PASS='x y'\n");
    writeFileSync(path.join(dir, ".env"), "NODE_ENV=production\n");
    assert.deepEqual(python("mastodon", "mastodon.shadows(given)", dir), [
      { file: path.join(dir, ".env.production.local"), names: ["DB_PASS"] },
    ]);
    // .env loses to .env.production: only what that does not say counts.
    writeFileSync(path.join(dir, ".env"), "DB_HOST=elsewhere\nREDIS_HOST=elsewhere\n");
    assert.deepEqual(python("mastodon", "mastodon.shadows(given)[1:]", dir), [
      { file: path.join(dir, ".env"), names: ["REDIS_HOST"] },
    ]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
