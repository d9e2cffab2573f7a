import { type Case, certificate, day, inCloud, onSource, record, seen } from "./worlds";
import { now, source } from "../raws";
import { migration } from "../configs";

export const web: Case[] = [
  ["nginx-site", "error", /no server_name social.example/, onSource((s) => (s.nginx.sites = []))],
  ["nginx-down", "error", /not active/, onSource((s) => (s.nginx.active = false))],
  ["certificate-missing", "error", /fullchain.pem/, certificate({ exists: false })],
  ["certificate-key", "error", /fullchain.pem and .*privkey.pem/, certificate({ matches: false })],
  ["certificate-expired", "error", /3 days ago/, certificate({ notAfterMs: now - 3 * day })],
  ["certificate-soon", "warning", /in 5 days/, certificate({ notAfterMs: now + 5.5 * day })],
  [
    "certificate-name",
    "error",
    /social.example; there is other.example/,
    certificate({ names: ["other.example"] }),
  ],
  ["body-size", "warning", /1.0 MiB/, onSource((s) => (s.nginx.bodyBytes = null))],
  [
    "nginx-workers",
    "warning",
    /^worker_connections 4096 and worker_rlimit_nofile 65535 on the source$/,
    onSource((s) => (s.nginx.workers = { connections: 4096, files: 65_535 })),
  ],
  [
    "nginx-not-carried",
    "error",
    /location \/grafana/,
    onSource((s) => (s.nginx.notCarried = ["location /grafana { … } (proxy_pass http://127.0.0.1:3001)"])),
  ],
  [
    "site-left-behind",
    "error",
    /^streaming.social.example \(/,
    onSource((s) => (s.nginx.alsoLead = ["streaming.social.example (/etc/nginx/sites-enabled/streaming)"])),
  ],
  [
    "nginx-between",
    "warning",
    /^location @proxy: http:\/\/127.0.0.1:8923$/,
    onSource((s) => (s.nginx.between = ["location @proxy: http://127.0.0.1:8923"])),
  ],
  ["other-sites", "note", /shop.example/, onSource((s) => (s.nginx.others = ["shop.example"]))],
  [
    "certificate-end",
    "warning",
    /ends on 2027-01-20; on the source certbot does not know it/,
    certificate({ lineage: null, renewal: null }),
  ],
  [
    "certificate-end",
    "warning",
    /certbot renews it \(dns-cloudflare\)/,
    certificate({ renewal: "dns-cloudflare" }),
  ],
  [
    "certificate-end",
    "warning",
    /files\.example\) ends/,
    certificate({ names: ["social.example", "files.example"] }),
  ],
  [
    "certificate-renewal",
    "note",
    /fullchain.pem ends on 2027-01-20; on the source certbot renews it \(webroot\)/,
    certificate({ names: ["social.example"], renewal: "webroot" }),
  ],
  [
    "dns-other-zone",
    "warning",
    /example.org is not in social.example/,
    inCloud({}, { source: source((s) => s.nginx.names.push("example.org")) }),
  ],
  [
    "dns-stays",
    "warning",
    /^www.social.example is 203.0.113.9; the source is 198.18.0.10$/,
    inCloud({}, { staying: [{ ...record, name: "www.social.example", values: ["203.0.113.9"] }] }),
  ],
  [
    "dns-hidden",
    "error",
    /social.example is 104.16.1.1, the source is 198.18.0.10/,
    seen({ dns: [{ ...record, values: ["104.16.1.1"] }] }),
  ],
  ["dns-missing", "error", /social.example in zone social.example/, inCloud({}, { dns: [] })],
  [
    "dns-cname",
    "error",
    /CNAME to host.example/,
    inCloud({}, { dns: [{ ...record, type: "CNAME", values: ["host.example"] }] }),
  ],
  [
    "dns-elsewhere",
    "error",
    /is 203.0.113.99, the source is 198.18.0.10/,
    inCloud({}, { dns: [{ ...record, values: ["203.0.113.99"] }] }),
  ],
  [
    "dns-several",
    "error",
    /198.18.0.10, 203.0.113.99/,
    inCloud({}, { dns: [{ ...record, values: ["198.18.0.10", "203.0.113.99"] }] }),
  ],
  [
    "dns-aaaa",
    "error",
    /2001:db8::1, and the target has no IPv6/,
    inCloud({ serverIpv6: "false" }, { dns: [record, { ...record, type: "AAAA", values: ["2001:db8::1"] }] }),
  ],
  [
    "dns-aaaa",
    "error",
    /has no 2001:db8::2 on its interfaces/,
    seen({
      migration: migration({ targetIpv6: "2001:db8::2" }),
      dns: [{ ...record, type: "AAAA", values: ["2001:db8::1"] }],
    }),
  ],
  ["dns-proxied-ttl", "error", /A has 300 s/, inCloud({}, { dns: [{ ...record, proxied: true }] })],
  ["dns-proxied", "note", /A is proxied/, inCloud({}, { dns: [{ ...record, proxied: true, ttl: 1 }] })],
  ["dns-ttl", "note", /86400 s/, inCloud({}, { dns: [{ ...record, ttl: 86_400 }] })],
];
