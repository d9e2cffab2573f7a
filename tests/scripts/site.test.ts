/** What of a source's nginx belongs to the instance, and what of it can go along. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { nginxSite } from "../../rehearsal/mastodon/nginx";

const lib = path.join(__dirname, "../../scripts/lib");
const dir = mkdtempSync(path.join(os.tmpdir(), "trunkline-site-"));
after(() => rmSync(dir, { recursive: true }));

interface Told {
  names: string[];
  others: string[];
  onions: string[];
  between: string[];
  left: string[];
  also: string[];
  files: string[];
  parts: {
    body: number | null;
    realIp: { from: string[]; header: string };
    server: string[];
    locations: string[];
    app: string[];
    http: string[];
    companions: { names: string[]; certificate: string[]; locations: string[] }[];
  };
}

/** Files of /etc/nginx by name; `main` stands in the http block before the sites. */
function told(files: Record<string, string>, main = ""): Told {
  const root = mkdtempSync(path.join(dir, "nginx-"));
  for (const [name, text] of Object.entries({
    "nginx.conf": `events {}\nhttp { include mime.types; ${main} include conf.d/*.conf; include sites-enabled/*; }`,
    ...files,
  })) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  const script = `
import json, sys
import nginxconf, site_parts
nginxconf.ROOT = sys.argv[1] + "/nginx.conf"
tree = nginxconf.load(*nginxconf.on_disk(), nginxconf.ROOT)
site = site_parts.Site(tree, ["social.example", "example.org"], "/home/mastodon/live")
print(json.dumps({"parts": site.carried(), "left": site.left, "names": site.names(), "others": site.others(), "onions": site.onions(), "between": site.between(), "also": site.also_lead(), "files": site.files()}))`;
  return JSON.parse(execFileSync("python3", ["-c", script, root], { cwd: lib, encoding: "utf8" })) as Told;
}

const mastodon = nginxSite("social.example", { root: "/home/mastodon/live/public" });
const tls = "listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key;";
/** Mastodon's own site with more in its TLS server. */
const withMore = (more: string) =>
  told({ "sites-enabled/m": mastodon.replace("  gzip on;\n", `  gzip on;\n${more}\n`) });

test("Mastodon's own site has nothing that is to be carried, and nothing that can't be", () => {
  const { left, parts, names } = told({ "sites-enabled/mastodon": mastodon });
  assert.deepEqual(left, []);
  assert.deepEqual([parts.server, parts.locations, parts.app, parts.http], [[], [], [], []]);
  assert.equal(parts.body, 99 * 1024 ** 2);
  assert.deepEqual(names, ["social.example"]);
});

test("older shapes of Mastodon's site are its own too", () => {
  const old = `
    location ~ ^/(emoji|packs|system|sounds)/ { add_header Cache-Control "public, max-age=31536000, immutable"; try_files $uri @proxy; }
    location /sw.js { add_header Cache-Control "public, max-age=0"; try_files $uri @proxy; }
    location = /favicon.ico { log_not_found off; access_log off; }
    ssl_stapling on; resolver 1.1.1.1; ssl_dhparam /etc/dh.pem; gzip_http_version 1.1; server_tokens off;`;
  const { left, parts } = withMore(old);
  assert.deepEqual(left, []);
  assert.deepEqual(parts.locations, []);
});

test("headers, rules and locations of the admin's own go along, with the zones and maps that they need", () => {
  const { left, parts } = told(
    {
      "sites-enabled/m": mastodon.replace(
        "  gzip on;\n",
        `  include snippets/mine.conf;
  if ($bad_agent) { return 403; }
  location = / { return 302 /explore; }
  location /api/v1/accounts { limit_req zone=sign burst=5; proxy_pass http://backend; proxy_set_header Host $host; }
  location = /robots.txt { alias /home/mastodon/live/public/robots.mine.txt; }
  location = /api/v1/instance { proxy_cache CACHE; access_log /var/log/nginx/api.log mine; proxy_pass http://backend; }
`,
      ),
      "snippets/mine.conf": "add_header X-Clacks-Overhead 'GNU Terry Pratchett' always; deny 192.0.2.0/24;",
    },
    `limit_req_zone $binary_remote_addr zone=sign:1m rate=1r/s; limit_req_zone $uri zone=other:1m rate=1r/s;
     map $http_user_agent $bad_agent { default 0; ~*scraper 1; } map $uri $unused { default 1; }`,
  );
  assert.deepEqual(left, []);
  assert.match(
    parts.server.join("\n"),
    /X-Clacks-Overhead 'GNU Terry Pratchett' always;[^]*deny 192[^]*\$bad_agent/,
  );
  assert.equal(parts.locations.length, 4);
  assert.match(parts.locations.join("\n"), /proxy_pass http:\/\/trunkline_web;/);
  // Its cache and the formats of its logs are not there under the names that they have on the source.
  assert.match(parts.locations.join("\n"), /proxy_cache trunkline;/);
  assert.doesNotMatch(parts.locations.join("\n"), /CACHE|access_log/);
  assert.equal(parts.http.length, 2);
  assert.match(parts.http.join("\n"), /zone=sign:1m[^]*\$bad_agent/);
});

test("headers that were put into the app's own location go along", () => {
  const site = mastodon.replace(
    "    proxy_cache CACHE;",
    "    add_header X-Robots-Tag noai;\n    proxy_cache CACHE;",
  );
  assert.deepEqual(told({ "sites-enabled/m": site }).parts.app, ["    add_header X-Robots-Tag noai;"]);
});

test("what lives outside of the app is named, with what in it does not go along", () => {
  const cases: [string, RegExp][] = [
    [
      "location /grafana { proxy_pass http://127.0.0.1:3001; }",
      /location \/grafana.*proxy_pass http:\/\/127.0.0.1:3001/,
    ],
    ["location /blog { root /var/www; }", /location \/blog.*root \/var\/www/],
    ["location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; }", /fastcgi_pass/],
    ["more_set_headers 'Server: x';", /more_set_headers/],
    ["listen 8443 ssl proxy_protocol;", /proxy_protocol/],
    ['auth_basic "closed";', /auth_basic/],
    ["ssl_client_certificate cf.pem; ssl_verify_client on;", /ssl_verify_client on/],
  ];
  for (const [more, what] of cases) {
    const { left } = withMore(more);
    assert.equal(left.length, 1, `${more}: ${left.join("; ")}`);
    assert.match(left[0] ?? "", what);
  }
});

test("what the http block says to all sites is named where the instance's own do not say it anew", () => {
  const stock = `sendfile on; tcp_nopush on; types_hash_max_size 2048; server_names_hash_bucket_size 64; server_tokens off;
    default_type application/octet-stream; types { text/html html; } ssl_protocols TLSv1.2; ssl_prefer_server_ciphers on;
    access_log /var/log/nginx/access.log; error_log /x; log_format a "$uri"; gzip on; gzip_vary on; keepalive_timeout 65;
    limit_req_zone $uri zone=o:1m rate=1r/s; map $uri $b { default 1; } proxy_cache_path /c keys_zone=c:1m;`;
  const site = { "sites-enabled/m": mastodon };
  assert.deepEqual(told(site, stock).left, []);
  for (const rule of ['auth_basic "closed";', "deny 192.0.2.66;", "limit_req zone=o;", "add_header X-A b;"]) {
    const { left } = told(site, stock + rule);
    assert.equal(left.length, 1, `${rule}: ${left.join("; ")}`);
    assert.ok(left[0]?.startsWith(rule.slice(0, -1)), left[0]);
  }
  const list = "deny 192.0.2.66; deny 192.0.2.67;";
  const { left } = told({ ...site, "conf.d/blocked.conf": list });
  assert.equal(left.length, 1);
  assert.match(left[0] ?? "", /^deny, 2 times in the http block \(.*blocked.conf\)$/);
  const anew = mastodon.replace("  gzip on;\n", "  gzip on;\n  add_header X-C d;\n");
  assert.deepEqual(told({ "sites-enabled/m": anew }, "add_header X-A b;").left, []);
});

test("a site of another name that leads to the app is named, and one that does not is not", () => {
  const streams = `server { ${tls} server_name streaming.social.example;
    location / { if ($x) { return 403; } proxy_pass http://127.0.0.1:4000; } }`;
  const shop = `server { ${tls} server_name shop.example; location / { proxy_pass http://127.0.0.1:8080; } }`;
  const hidden =
    "server { listen 127.0.0.1:80; server_name a.onion; location / { proxy_pass http://backend; } }";
  const { also } = told({
    "sites-enabled/m": mastodon,
    "sites-enabled/streams": streams,
    "conf.d/s.conf": shop + hidden,
  });
  assert.equal(also.length, 1);
  assert.match(also[0] ?? "", /^streaming.social.example \(.*sites-enabled.streams\)$/);
});

test("LOCAL_DOMAIN's site and www come along with their certificates; a neighbour does not", () => {
  const { names, others, parts, files, left } = told({
    "sites-enabled/m": mastodon,
    "sites-enabled/accounts": `server { ${tls} server_name example.org;
      location = /.well-known/webfinger { add_header Access-Control-Allow-Origin '*'; return 301 https://social.example$request_uri; }
      location / { return 301 https://social.example; } }`,
    "conf.d/www.conf": `server { listen 443 ssl; server_name www.social.example; ssl_certificate w.pem; ssl_certificate_key w.key;
      return 301 https://social.example$request_uri; }`,
    "sites-enabled/shop": `server { ${tls} server_name shop.example www.shop.example; root /var/www; }`,
    "sites-enabled/default": "server { listen 80 default_server; server_name _; return 444; }",
  });
  assert.deepEqual(left, []);
  assert.deepEqual(names, ["social.example", "www.social.example", "example.org"]);
  assert.deepEqual(others, ["shop.example"]);
  assert.deepEqual(
    parts.companions.map((c) => c.certificate[0]),
    ["w.pem", "a.pem"],
  );
  assert.equal(files.length, 3);
});

/** The instance's site beside another one, which may or may not be its own too. */
function beside(what: string) {
  const text = `server { listen 443 ssl; server_name other.example; ssl_certificate o.pem; ssl_certificate_key o.key; ${what} }`;
  const { names, others, files, parts } = told({ "sites-enabled/m": mastodon, "sites-enabled/other": text });
  const certificates = parts.companions.map((c) => c.certificate[0]);
  return { names, others, files: files.map((file) => path.basename(file)), certificates };
}

test("a site that only leads to the web domain is the instance's own", () => {
  const all = "return 301 https://social.example$request_uri;";
  for (const what of [
    all,
    "return https://Social.Example;",
    "return 308 'https://social.example:443$request_uri';",
    "rewrite ^/(.*)$ https://social.example/$1 permanent;",
    "rewrite ^ https://social.example$request_uri?;",
    `location / { ${all} }`,
    "location / { rewrite ^(.*)$ https://social.example$1 redirect; }",
    `root /var/www/html; index index.html; server_tokens off; access_log off; add_header X-A b; more_set_headers 'C: d'; ${all}`,
    `if ($scheme != "https") { return 301 https://$host$request_uri; } ${all}`,
    `if ($bad_agent) { return 403; } location ~ /\\.ht { deny all; } location / { ${all} }`,
    `location ^~ /.well-known/acme-challenge/ { root /var/www/letsencrypt; try_files $uri =404; } location / { ${all} }`,
    `location ~ ^/\\.well-known/acme-challenge/ { proxy_pass http://127.0.0.1:8888; } location / { ${all} }`,
    `location /.well-known/webfinger { add_header Access-Control-Allow-Origin '*'; ${all} } location / { return 302 https://social.example/about; }`,
    "rewrite ^/about$ https://social.example/about/more; return 301 https://social.example/;",
  ])
    assert.deepEqual(
      beside(what),
      {
        names: ["social.example", "other.example"],
        others: [],
        files: ["m", "other"],
        certificates: ["o.pem"],
      },
      what,
    );
});

test("a site that leads there among other things, or somewhere else, is another's: it is named, and nothing of it goes along", () => {
  const there = "return 301 https://social.example$request_uri;";
  for (const what of [
    "root /var/www/blog; rewrite ^/mastodon$ https://social.example/@me permanent; location / { try_files $uri $uri/ =404; }",
    "root /var/www/blog; rewrite ^/$ https://social.example/ permanent;",
    "return 301 https://social.example.net$request_uri;",
    "return 301 https://social.example-shop.net/;",
    "return 301 https://social.example:8443/;",
    "return 301 https://social.example@shop.example/;",
    "return 301 https://shop.example/?from=https://social.example/;",
    "return 200 https://social.example/;",
    "rewrite ^ https://shop.example/https://social.example/ permanent;",
    `location /blog { root /var/www; } location / { ${there} }`,
    `location /blog { proxy_pass http://127.0.0.1:8000; } location / { ${there} }`,
    `location / { ${there} } location /shop { return 301 https://shop.example/; }`,
    `location / { if (-f $request_filename) { break; } ${there} }`,
    `if ($host = other.example) { return 301 https://shop.example/; } ${there}`,
    "location / { proxy_pass http://127.0.0.1:8000; rewrite ^/social https://social.example/; }",
    `location / { allow 192.0.2.1; ${there} } location /admin { allow 192.0.2.1; deny all; }`,
    `rewrite ^/blog /index.html last; location / { ${there} }`,
    `location ~ ^/(blog|\\.well-known/acme-challenge) { root /var/www; } location / { ${there} }`,
  ])
    assert.deepEqual(
      beside(what),
      { names: ["social.example"], others: ["other.example"], files: ["m"], certificates: [] },
      what,
    );
});

test("a home page at LOCAL_DOMAIN is named: its files do not go along", () => {
  const { left } = told({
    "sites-enabled/m": mastodon,
    "sites-enabled/home": `server { ${tls} server_name example.org; root /var/www/home;
      location = /.well-known/webfinger { return 301 https://social.example$request_uri; } }`,
  });
  assert.equal(left.length, 1);
  assert.match(left[0] ?? "", /root \/var\/www\/home/);
  const others = (block: string) =>
    told({
      "sites-enabled/m": mastodon,
      "sites-enabled/home": `server { ${tls} server_name example.org; ${block} }`,
    }).left;
  const webfinger = "location /.well-known/webfinger { return 301 https://social.example$request_uri; }";
  const files = others(
    `root /var/www/home; rewrite ^/old$ /new; ${webfinger} location / { try_files $uri $uri/ =404; }`,
  );
  assert.match(files.join(), /^root \/var\/www\/home/);
  for (const nobody of [
    `root /var/www/html; ${webfinger} location / { return 301 https://social.example$request_uri; }`,
    "root /var/www/html; return 301 https://social.example$request_uri;",
    `root /home/mastodon/live/public; ${webfinger} location / { try_files $uri =404; }`,
  ])
    assert.deepEqual(others(nobody), [], nobody);
});

test("whose word counts on the client's address, wherever it is said", () => {
  const ranges =
    "set_real_ip_from 192.0.2.0/24; set_real_ip_from 2001:db8::/32; real_ip_header CF-Connecting-IP;";
  const wanted = { from: ["192.0.2.0/24", "2001:db8::/32"], header: "CF-Connecting-IP" };
  assert.deepEqual(withMore(ranges).parts.realIp, wanted);
  assert.deepEqual(told({ "sites-enabled/m": mastodon, "conf.d/cdn.conf": ranges }).parts.realIp, wanted);
  const byDefault = { from: ["10.0.0.1"], header: "X-Real-IP" };
  assert.deepEqual(withMore("set_real_ip_from 10.0.0.1;").parts.realIp, byDefault);
});

test("a program between nginx and the app is told, whichever way it is named; Trunkline's own is not", () => {
  const through = (to: string, more = "") =>
    told({ "sites-enabled/m": mastodon.replaceAll("http://backend;", `${to};`) + more }).between;
  assert.deepEqual(through("http://backend"), []);
  assert.deepEqual(through("http://localhost:3000"), []);
  const [location, ...rest] = through("http://127.0.0.1:8923");
  assert.match(location ?? "", /^location @\w+: http:\/\/127\.0\.0\.1:8923$/);
  assert.deepEqual(rest, []);
  assert.equal(through("http://anubis", "upstream anubis { server unix:/run/anubis.sock; }").length, 1);
  assert.deepEqual(through("http://$trunkline_web_0"), []);
});

test("an onion's site is not another site that may stay: it is told as what it is", () => {
  const onion = `server { listen 127.0.0.1:8080; server_name abc.onion; location / { proxy_pass http://backend; } }
    server { listen 80; server_name shop.example; }`;
  const { names, others, left, onions } = told({ "sites-enabled/m": mastodon, "sites-enabled/onion": onion });
  assert.deepEqual([names, others, left, onions], [["social.example"], ["shop.example"], [], ["abc.onion"]]);
});

test("the app behind a socket or on a port of its own is still the app", () => {
  const site = mastodon.replace("server 127.0.0.1:3000", "server unix:/run/mastodon/web.sock");
  const script = `
import nginxconf, site_parts
tree = nginxconf.parse(open("${dir}/one").read())
ports = site_parts.app_addresses([("web", "mastodon-web.service", "SOCKET=/run/mastodon/web.sock"), ("streaming", "mastodon-streaming@4001.service", "")])
site = site_parts.Site(tree, ["social.example"], "/x", ports)
print(ports, site.is_ours("http://backend"), site.is_ours("http://unix:/run/mastodon/web.sock:/"), site.is_ours("http://unix:/run/x"))`;
  writeFileSync(path.join(dir, "one"), site);
  const said = execFileSync("python3", ["-c", script], { cwd: lib, encoding: "utf8" });
  assert.equal(said.trim(), "('unix:/run/mastodon/web.sock', '127.0.0.1:4001') True True False");
});
