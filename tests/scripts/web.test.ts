import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const scripts = path.join(__dirname, "../../scripts");
const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-web-"));
after(() => rmSync(dir, { recursive: true }));

/** The source's site as a proxy. */
function proxied(site: string): { status: number | null; text: string } {
  writeFileSync(path.join(dir, "site"), site);
  const env = {
    PROXY_MARK: "mark",
    PROXY_DOMAIN: "social.example",
    PROXY_TARGET: "198.18.1.10",
    PROXY_TRUST: "/etc/trust.pem",
    PROXY_APP: "/home/mastodon/live",
    PROXY_MEDIA: "/srv/media dir",
    PROXY_MEDIA_PORT: "18090",
  };
  const out = spawnSync("python3", [path.join(scripts, "web/proxy.py"), path.join(dir, "site")], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  return { status: out.status, text: out.stdout };
}

const tls =
  "listen 443 ssl; server_name social.example; ssl_certificate a.pem; ssl_certificate_key 'b;{.pem';";

test("only TLS servers of the domain become proxies; everything else stays byte for byte", () => {
  const others = `# a comment with } and {
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server { listen 80; server_name social.example; return 301 https://$host$request_uri; }
server { listen 443 ssl; server_name files.social.example; root "/srv/{odd}"; }
`;
  const { text } = proxied(
    `${others}server { ${tls} location / { proxy_pass http://backend; if ($a ~ "}") { return 1; } } }\n`,
  );
  assert.ok(text.includes(others));
  assert.ok(!text.includes("http://backend"));
  assert.ok(text.includes("ssl_certificate_key 'b;{.pem';"));
  assert.equal(text.match(/proxy_pass https:/g)!.length, 1);
});

test("a neighbour that sends some of its visitors to the instance stays byte for byte", () => {
  const blog = `server { listen 443 ssl; server_name blog.example; ssl_certificate c.pem; ssl_certificate_key c.key; root /var/www/blog;
  rewrite ^/mastodon$ https://social.example/@me permanent;
  location / { try_files $uri $uri/ =404; } }
`;
  const { text } = proxied(`${blog}server { ${tls} }\n`);
  assert.ok(text.includes(blog), text);
  assert.equal(text.match(/proxy_pass https:/g)!.length, 1);
});

test("names in capitals, wildcards, several names and several blocks", () => {
  const { text } =
    proxied(`server { listen [::]:443 ssl http2; server_name www.social.example SOCIAL.example; }
server { listen 443 ssl; server_name .social.example; }
server { listen 8443 quic; server_name social.example; }`);
  assert.equal(text.match(/proxy_pass https:/g)!.length, 2);
  assert.ok(text.includes("listen [::]:443 ssl http2;"));
});

test("a body size that the source set stays, one that it did not set is Mastodon's", () => {
  assert.match(proxied(`server { ${tls} client_max_body_size 500m; }`).text, /client_max_body_size 500m;/);
  assert.match(proxied(`server { ${tls} }`).text, /client_max_body_size 100m;/);
});

test("what stands before the servers goes into the http block where the file has it itself", () => {
  const { text } = proxied(`events {}\nhttp {\n  server { ${tls} }\n}\n`);
  assert.match(text, /^events \{\}\nhttp \{\n# mark\nmap \$http_upgrade/);
  assert.match(text, /\n\}\n$/);
});

test("who had to show a certificate has to still, but for the path by which the move is proven", () => {
  const { text } = proxied(`server { ${tls} ssl_client_certificate ca.pem; ssl_verify_client on; }`);
  assert.match(text, /ssl_client_certificate ca\.pem;/);
  assert.match(
    text,
    /ssl_verify_client optional;[^]*\$uri = \/\.trunkline[^]*!= SUCCESS\) \{ return 400; \}/,
  );
  assert.ok(!text.includes("ssl_verify_client on"));
  assert.match(proxied(`server { ${tls} ssl_verify_client optional; }`).text, /ssl_verify_client optional;/);
});

test("a site is asked on loopback, or where it listens if that is an address of its own", () => {
  const asked = (listens: string, name = "social.example") => {
    const script =
      "import sys, nginxconf; print(nginxconf.address_of(nginxconf.parse(sys.stdin.read()), 'social.example'))";
    const input = `server { ${listens} server_name ${name}; }`;
    return execFileSync("python3", ["-c", script], {
      cwd: path.join(scripts, "lib"),
      input,
      encoding: "utf8",
    }).trim();
  };
  for (const [listens, address] of [
    ["listen 443 ssl; listen [::]:443 ssl;", "127.0.0.1"],
    ["listen *:443 ssl http2;", "127.0.0.1"],
    ["listen [::]:443 ssl;", "[::1]"],
    ["listen 203.0.113.7:80; listen 203.0.113.7:443 ssl;", "203.0.113.7"],
    ["listen [2001:db8::7]:443 ssl; listen 203.0.113.7:443 ssl;", "203.0.113.7"],
    ["listen [2001:db8::7]:443 ssl;", "[2001:db8::7]"],
    ["listen 203.0.113.7:443 ssl; listen 127.0.0.1:443 ssl;", "127.0.0.1"],
    ["listen 203.0.113.7:8443 ssl; listen unix:/run/a:443 ssl;", "127.0.0.1"],
  ] as const)
    assert.equal(asked(listens), address, listens);
  assert.equal(asked("listen 203.0.113.7:443 ssl;", "shop.example"), "127.0.0.1");
});

test("a site without a TLS server of the domain, or a broken one, is refused", () => {
  for (const site of [
    "server { listen 80; server_name social.example; }",
    "server { listen 443 ssl; server_name other; }",
    `server { ${tls}`,
  ])
    assert.notEqual(proxied(site).status, 0);
});

/** What a dotenv reader makes of a file. */
const parse = (text: string) =>
  JSON.parse(
    execFileSync(
      "python3",
      ["-c", "import json, sys, dotenv; print(json.dumps(dotenv.parse(sys.stdin.read())))"],
      {
        cwd: path.join(scripts, "lib"),
        input: text,
        encoding: "utf8",
      },
    ),
  ) as Record<string, string>;

test("dotenv: what Ruby's reader makes of quotes, comments, export, variables and several lines", () => {
  const text = `# comment
A=plain
export B = 'single "$A" # no comment' # comment
C="double \\"q\\" \\$A $A \${A}"
D=bare # comment
E=pass#word
F=
G: yaml
H="two
lines"
I='it'"s
  J=indented
A_B.C=dotted
K=last
K=wins`;
  const { H, ...rest } = parse(text);
  assert.equal(H, "two\nlines");
  assert.deepEqual(rest, {
    A: "plain",
    B: 'single "$A" # no comment',
    C: 'double "q" $A plain plain',
    D: "bare",
    E: "pass",
    F: "",
    G: "yaml",
    I: `'it'"s`,
    J: "indented",
    "A_B.C": "dotted",
    K: "wins",
  });
});

/** .env.production for the target. */
function rewritten(env: string, login?: string): string {
  writeFileSync(path.join(dir, "env"), env);
  const file = path.join(dir, "login");
  if (login) writeFileSync(file, login);
  else rmSync(file, { force: true });
  return execFileSync("python3", [path.join(scripts, "app/rewrite_env.py"), path.join(dir, "env"), file], {
    env: { ...process.env, EDIT_PREPARED: "no", EDIT_PROXIES: "198.18.0.10", POOLER: "6432", REDIS: "6380" },
    encoding: "utf8",
  });
}

test(".env.production: the pooler's login, whatever characters are in it", () => {
  const env = parse(
    rewritten("DB_HOST=/run\nDB_USER=m\nOTHER='x y'\r\n", "*:*:*:trunkline_app:a\\:b\\\\c d$e#f\n"),
  );
  assert.deepEqual(
    [env["DB_USER"], env["DB_PASS"], env["DB_HOST"], env["OTHER"]],
    ["trunkline_app", "a:b\\c d$e#f", "127.0.0.1", "x y"],
  );
});

test(".env.production: URLs keep their options and lose what belongs to the source's host", () => {
  const env = parse(
    rewritten(`DATABASE_URL="postgres://me:p%40ss@db.internal:5433/masto?sslmode=require&pool=5"
REDIS_URL=rediss://:s%23cret@redis.internal:6390/2
SIDEKIQ_REDIS_URL=unix:///run/redis.sock?db=3`),
  );
  assert.equal(env["DATABASE_URL"], "postgres://me:p%40ss@127.0.0.1:6432/masto?pool=5");
  assert.equal(env["REDIS_URL"], "redis://:s%23cret@127.0.0.1:6380/2");
  assert.equal(env["SIDEKIQ_REDIS_URL"], "redis://127.0.0.1:6380/3");
});

test(".env.production: proxies that an admin trusts stay trusted; the defaults are named where there were none", () => {
  assert.equal(
    parse(rewritten("TRUSTED_PROXY_IP=10.9.9.9 172.16.0.1"))["TRUSTED_PROXY_IP"],
    "10.9.9.9,172.16.0.1,127.0.0.1,198.18.0.10",
  );
  assert.match(
    parse(rewritten("A=1"))["TRUSTED_PROXY_IP"]!,
    /^127\.0\.0\.0\/8,::1,10\.0\.0\.0\/8,.*198\.18\.0\.10$/,
  );
});

test(".env.production: rewriting what was rewritten changes nothing", () => {
  const once = rewritten("DB_HOST=a\nREDIS_HOST=b\nDB_SSLMODE=prefer\n");
  assert.equal(parse(once)["DB_SSLMODE"], "disable");
  assert.equal(rewritten(once), once);
});
