import assert from "node:assert/strict";
import { test } from "node:test";
import { utils } from "ssh2";
import { ConfigError, parseMigration } from "../../config";
import { cloud, good, media, migration, privateKey, publicKey, sourceHostKey, storesConfig } from "./configs";

function problems(change: Record<string, string | undefined>, base: Record<string, string> = good): string[] {
  const all: Record<string, string | undefined> = { ...base, ...change };
  try {
    parseMigration((key) => all[key]);
  } catch (e) {
    assert.ok(e instanceof ConfigError, String(e));
    return e.problems;
  }
  return [];
}

test("a configuration in good order becomes a migration with every default filled in", () => {
  const m = migration();
  assert.equal(m.phase, "settle");
  assert.deepEqual(m.source, {
    host: "198.18.0.10",
    port: 22,
    user: "root",
    hostKey: sourceHostKey.split(" ").slice(0, 2).join(" "),
  });
  assert.equal(m.target.provider, "existing");
  assert.deepEqual(m.dns, { provider: "none", zone: "", names: [], ttl: 60 });
  assert.equal(m.key.public, publicKey.trim().split(" ").slice(0, 2).join(" "));
  assert.deepEqual([m.carryRedis, m.deadlineMs, m.slotKeepMiB, m.accepted], [true, 5000, 10_240, []]);
});

test("a cloud's server has that cloud's defaults", () => {
  const at = (targetProvider: string) => {
    const { target } = migration({ targetProvider }, cloud);
    return "type" in target ? [target.type, target.location, target.image] : [];
  };
  assert.deepEqual(at("hetzner"), ["cx33", "nbg1", "debian-12"]);
  assert.deepEqual(at("vultr"), ["vc2-4c-8gb", "fra", "2136"]);
});

const encrypted = utils.generateKeyPairSync("ed25519", {
  passphrase: "hush",
  cipher: "aes256-cbc",
  rounds: 1,
}).private;

/** What is set wrong; the one sentence that it is refused with. */
type Refusal = [
  name: string,
  set: Record<string, string | undefined>,
  says: RegExp,
  base?: Record<string, string>,
];
const refusals: Refusal[] = [
  ["an unknown phase", { phase: "cutover" }, /^phase is "cutover"; write one of survey, prepare, replicate/],
  ["no domain", { domain: undefined }, /^domain is not set; write your instance's LOCAL_DOMAIN/],
  [
    "a domain with a scheme",
    { domain: "https://social.example" },
    /^domain is "https:\/\/social.example"; write/,
  ],
  [
    "a source by name",
    { sourceHost: "old.example" },
    /^sourceHost is "old.example"; write the server's public IPv4 address.*names move/,
  ],
  [
    "a source with user and port",
    { sourceHost: "root@198.18.0.10:22" },
    /^sourceHost is .*write the server's public IPv4/,
  ],
  [
    "a port out of range",
    { sourcePort: "70000" },
    /^sourcePort is "70000"; write a whole number from 1 to 65535/,
  ],
  ["a user with a blank", { sourceUser: "ro ot" }, /^sourceUser is "ro ot"; write a user name/],
  [
    "an RSA host key",
    { sourceHostKey: "ssh-rsa AAAAB3NzaC1yc2E" },
    /^sourceHostKey is "ssh-rsa \.\.\."; write the line of .*ed25519.*ssh-rsa key/,
  ],
  [
    "an ECDSA host key",
    { sourceHostKey: "ecdsa-sha2-nistp256 AAAA" },
    /^sourceHostKey is "ecdsa-sha2-nistp256/,
  ],
  [
    "a host key as ssh-keyscan prints it",
    { sourceHostKey: `198.18.0.10 ${sourceHostKey}` },
    /^sourceHostKey is "198.18.0.10 ssh-ed25519/,
  ],
  [
    "a fingerprint for a host key",
    { sourceHostKey: "SHA256:abc" },
    /^sourceHostKey is "SHA256:abc"; write the line/,
  ],
  [
    "a host key cut off",
    { sourceHostKey: sourceHostKey.split(" ").slice(0, 2).join(" ").slice(0, -10) },
    /^sourceHostKey is "ssh-ed25519 .*; write the line of .*68 characters: this one is cut off or damaged/,
  ],
  [
    "a host key of a wrong length inside",
    { sourceHostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAH${"A".repeat(43)}` },
    /^sourceHostKey is .*cut off or damaged/,
  ],
  ...["0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1"].map((host): Refusal => [
    `${host} as the source`,
    { sourceHost: host },
    new RegExp(`^sourceHost is "${host}"; write the server's public IPv4 .*leads to no other server`),
  ]),
  [
    "this machine as the target",
    { targetHost: "127.0.0.1" },
    /^targetHost is "127.0.0.1"; write the server's/,
  ],
  [
    "an IPv6 address of one's own",
    { sourceHost: "::1" },
    /^sourceHost is "::1"; write the server's public IPv4/,
  ],
  ["a private host key", { sourceHostKey: privateKey }, /^sourceHostKey is a private key; write/],
  [
    "no private key",
    { sshPrivateKey: "" },
    /^sshPrivateKey is not set; set it with: pulumi config set --secret --raw/,
  ],
  ["a public key for the private one", { sshPrivateKey: publicKey }, /^sshPrivateKey is a public key/],
  ["a private key with Windows line ends", { sshPrivateKey: privateKey.replaceAll("\n", "\r\n") }, /CRLF/],
  ["a private key with a passphrase", { sshPrivateKey: encrypted }, /^sshPrivateKey has a passphrase/],
  [
    "a private key cut off",
    { sshPrivateKey: privateKey.slice(0, 120) + "\n-----END OPENSSH PRIVATE KEY-----\n" },
    /^sshPrivateKey can't be read/,
  ],
  [
    "a private key by its file's name",
    { sshPrivateKey: "~/.ssh/id_ed25519" },
    /^sshPrivateKey is no private key/,
  ],
  [
    "an unknown provider",
    { targetProvider: "aws" },
    /^targetProvider is "aws"; write existing, hetzner, vultr or none/,
  ],
  [
    "an existing target without address",
    { targetHost: "" },
    /^targetHost is not set; write the server's public IPv4/,
  ],
  ["an existing target without host key", { targetHostKey: "" }, /^targetHostKey is not set/],
  [
    "one server for both",
    { targetHost: "198.18.0.10" },
    /^targetHost is "198.18.0.10"; write another server/,
  ],
  ["one host key for both", { targetHostKey: sourceHostKey }, /^targetHostKey is .*same as sourceHostKey/],
  [
    "a bad IPv6 address",
    { targetIpv6: "2001::db8::1" },
    /^targetIpv6 is "2001::db8::1"; write an IPv6 address/,
  ],
  [
    "a size for an existing target",
    { serverType: "cx33" },
    /^serverType is for a server that the program makes, but targetProvider is "existing"/,
  ],
  [
    "no IPv6 for an existing target",
    { serverIpv6: "false" },
    /^serverIpv6 is for a server that the program makes, but targetProvider is "existing"; take serverIpv6 out/,
  ],
  ["no IPv6 for no server", { serverIpv6: "false" }, /^serverIpv6 is for a server .* "none"/, media],
  ...Object.entries({ targetPort: "2222", targetUser: "admin" }).map(([key, value]): Refusal => [
    `${key} for a new target`,
    { [key]: value },
    new RegExp(
      `^${key} is for a server that is there already, but targetProvider is "hetzner"; or write exist`,
    ),
    cloud,
  ]),
  [
    "an address for a new target",
    { targetHost: "198.18.1.10" },
    /^targetHost is for a server that is there already, but targetProvider is "hetzner"/,
    cloud,
  ],
  [
    "no networks for a new target",
    { adminCidrs: "" },
    /^adminCidrs is not set; write the networks you manage from/,
    cloud,
  ],
  [
    "an address for a network",
    { adminCidrs: "203.0.113.7" },
    /^adminCidrs is "203.0.113.7"; write networks like/,
    cloud,
  ],
  [
    "an address with the length of its network",
    { adminCidrs: "198.51.100.4/24" },
    /^adminCidrs is "198.51.100.4\/24"; write 198.51.100.0\/24 for that network, or 198.51.100.4\/32 for one/,
    cloud,
  ],
  [
    "an IPv6 address with the length of its network",
    { adminCidrs: "::/0,2001:db8:0:7::10/56" },
    /^adminCidrs is "2001:db8:0:7::10\/56"; write 2001:db8::\/56 for that network, or 2001:db8:0:7::10\/128 for/,
    cloud,
  ],
  ...["fe80::1%eth0/64", "198.51.100.0/024", "198.51.100.007/32"].map((cidr): Refusal => [
    `the network ${cidr}`,
    { adminCidrs: cidr },
    /^adminCidrs is ".*"; write networks like 203.0.113.7\/32/,
    cloud,
  ]),
  [
    "a size with a blank",
    { serverType: "cx 33" },
    /^serverType is "cx 33"; write the name .* like cx33/,
    cloud,
  ],
  [
    "a place with an end",
    { serverLocation: "nbg1;" },
    /^serverLocation is "nbg1;"; write .* like nbg1/,
    cloud,
  ],
  ["a network too narrow", { adminCidrs: "203.0.113.7/33" }, /^adminCidrs is "203.0.113.7\/33"/, cloud],
  [
    "a name for an OS at Vultr",
    { targetProvider: "vultr", serverImage: "debian-12" },
    /^serverImage is "debian-12"; write the number/,
    cloud,
  ],
  ["no zone for a DNS provider", { dnsZone: "" }, /^dnsZone is not set; write the zone at cloudflare/, cloud],
  [
    "a zone without DNS provider",
    { dnsZone: "social.example" },
    /^dnsZone has no use while dnsProvider is "none"/,
  ],
  [
    "a name outside the zone",
    { dnsNames: "social.other" },
    /^dnsNames is "social.other"; write names inside the zone social.example/,
    cloud,
  ],
  [
    "a name with a trailing dot",
    { dnsNames: "social.example." },
    /^dnsNames is "social.example."; write full names without a trailing dot/,
    cloud,
  ],
  ["a TTL too short for Cloudflare", { dnsTtl: "30" }, /^dnsTtl is "30"; write 60 or more/, cloud],
  ["a TTL that is none", { dnsTtl: "1m" }, /^dnsTtl is "1m"; write a whole number from 30/],
  ["a relative folder", { mastodonDir: "live" }, /^mastodonDir is "live"; write a full path/],
  ...["$(id)", "mast odon", "-x", "m".repeat(33)].map((user): Refusal => [
    `Mastodon run by ${user}`,
    { mastodonUser: user },
    /^mastodonUser is ".*"; write a user name like mastodon/,
  ]),
  [
    "a finding that there is not",
    { acceptFindings: "other-walsender,typo-code" },
    /^acceptFindings is "typo-code"; write codes of findings that can be accepted: archiver, .*unlogged-tables$/,
  ],
  [
    "a finding that can't be accepted",
    { acceptFindings: "tablespaces" },
    /^acceptFindings is "tablespaces"; write codes of findings that can be accepted/,
  ],
  [
    "an unknown way of installing",
    { appInstall: "docker" },
    /^appInstall is "docker"; write auto, copy or official/,
  ],
  [
    "a repository for what is copied",
    { appInstall: "copy", appRepository: "https://git.example/m.git" },
    /^appRepository has no use while appInstall is "copy"/,
  ],
  [
    "a repository over ssh",
    { appRepository: "git@git.example:m.git" },
    /^appRepository is .* write an https address/,
  ],
  [
    "a password in the repository's address",
    { appRepository: "https://me:token@git.example/m.git" },
    /^appRepository is .*without user and password/,
  ],
  ["a ref that is an option", { appRef: "--upload-pack=x" }, /^appRef is .* write a tag, branch or commit/],
  ["a flag that is none", { carryRedis: "no" }, /^carryRedis is "no"; write true or false/],
  ["a rate below nothing", { copyRateMiB: "-1" }, /^copyRateMiB is "-1"; write a whole number/],
  ["a deadline too short", { deadlineMs: "5" }, /^deadlineMs is "5"; write a whole number from 500/],
  [
    "retire without the domain",
    { phase: "retire" },
    /^confirmRetire is not set; write social.example: from retire there is no way back/,
  ],
  [
    "retire with another domain",
    { phase: "retire", confirmRetire: "yes" },
    /^confirmRetire is "yes"; write social.example/,
  ],
];

const { s3, r2, b2 } = storesConfig;
refusals.push(
  ["an unknown store", { mediaStore: "azure" }, /^mediaStore is "azure"; write s3, r2, b2 or other/, good],
  ...Object.entries({
    ...{ mediaAcl: "false", mediaCache: "false", mediaKeepLocal: "false", mediaPruneDays: "3" },
    ...{ mediaPruneCardDays: "3", mediaLeadDays: "7", mediaSample: "5" },
  }).map(([key, value]): Refusal => [
    `${key} without store`,
    { [key]: value },
    new RegExp(`^${key} is for media in a bucket, but mediaStore is not set; take ${key} out`),
  ]),
  ["ACLs for S3", { mediaAcl: "false" }, /^mediaAcl is for mediaStore other: what s3 does is known/, s3],
  ["ACLs for R2", { mediaAcl: "false" }, /^mediaAcl is for mediaStore other: what r2 does is known/, r2],
  [
    "an unknown store for a bucket",
    { mediaStore: "azure" },
    /^mediaStore is "azure"; write s3, r2, b2 or other/,
    { ...good, mediaBucket: "media" },
  ],
  ["a bucket without store", { mediaBucket: "media" }, /^mediaBucket is for media in a bucket/],
  [
    "no store and no second server",
    { mediaStore: "", ...unset() },
    /^mediaStore is not set; write s3, r2/,
    media,
  ],
  ["a short bucket name", { mediaBucket: "ab" }, /^mediaBucket is "ab"; write a bucket name of 3 to 63/, s3],
  ["a bucket name short for B2", { mediaBucket: "media" }, /write a bucket name of 6 to 63/, b2],
  ["capitals in a bucket name", { mediaBucket: "Media" }, /lowercase letters, digits and hyphens/, media],
  ["dots in a bucket name", { mediaBucket: "media.social" }, /^mediaBucket is .* without dots/, s3],
  ["a name that B2 keeps", { mediaBucket: "b2-media" }, /without b2-: the store keeps that/, b2],
  ["a name that AWS keeps", { mediaBucket: "media-s3alias" }, /without -s3alias/, s3],
  [
    "a media host outside the zone",
    { mediaHost: "media.other.example" },
    /^mediaHost is .*inside the zone/,
    media,
  ],
  [
    "the instance as media host",
    { mediaHost: "social.example", ...unset("dnsZone", "dnsProvider") },
    /^mediaHost is .*a name of its own/,
    media,
  ],
  [
    "the bucket in the endpoint's host",
    { mediaEndpoint: "https://social-media.s3.store.example" },
    /without the bucket/,
    media,
  ],
  [
    "the bucket in the endpoint's path",
    { mediaEndpoint: "https://s3.store.example/social-media" },
    /without the bucket/,
    media,
  ],
  [
    "an endpoint without TLS",
    { mediaEndpoint: "http://s3.store.example" },
    /^mediaEndpoint is .*the https URL/,
    media,
  ],
  [
    "an endpoint with no such port",
    { mediaEndpoint: "https://s3.store.example:99999" },
    /^mediaEndpoint is .*with a port from 1 to 65535/,
    media,
  ],
  [
    "an endpoint at AWS",
    { mediaEndpoint: "https://s3.store.example" },
    /^mediaEndpoint is for mediaStore other/,
    s3,
  ],
  ["no region at AWS", { mediaRegion: "" }, /^mediaRegion is not set; write the bucket's region/, s3],
  ["a region at B2", { mediaRegion: "eu" }, /^mediaRegion has no use for mediaStore b2/, b2],
  ["an unknown place at R2", { mediaRegion: "mars" }, /^mediaRegion is "mars"; write a location/, r2],
  ["no secret key", { mediaSecretKey: "" }, /^mediaSecretKey is not set; write the secret/, media],
  [
    "a key of the admin's at AWS",
    { mediaAccessKey: "AKIA" },
    /^mediaAccessKey has no use for mediaStore s3/,
    s3,
  ],
  [
    "no account at R2",
    { cloudflareAccountId: "" },
    /^cloudflareAccountId is not set; write the account's id/,
    r2,
  ],
  ["cloudfront before R2", { mediaCdn: "cloudfront" }, /^mediaCdn is "cloudfront"; write r2 or given/, r2],
  ["nginx before R2", { mediaCdn: "nginx" }, /^mediaCdn is "nginx"; write r2 or given/, r2],
  ["r2's domain before S3", { mediaCdn: "r2" }, /^mediaCdn is "r2"; write cloudfront or nginx/, s3],
  ["a CDN given without its name", { mediaCdn: "given" }, /^mediaCdnHost is not set/, media],
  [
    "a CDN's name that nobody asked for",
    { mediaCdnHost: "x.b-cdn.net" },
    /^mediaCdnHost is for mediaCdn given/,
    media,
  ],
  ["no key for bunny.net", { bunnyApiKey: "" }, /^bunnyApiKey is not set/, b2],
  [
    "cloudfront without a zone",
    { dnsProvider: "none", dnsZone: "" },
    /^dnsProvider is "none"; write cloudflare or hetzner/,
    s3,
  ],
  ["a size for no server", { serverType: "cx33" }, /^serverType is for a server .* "none"/, media],
  ["an unknown media phase", { mediaPhase: "x" }, /^mediaPhase is "x"; write one of survey/, media],
  [
    "removing the disk copy unconfirmed",
    { phase: "retire", mediaKeepLocal: "false" },
    /^confirmRetire is not set/,
    media,
  ],
);

/** Keys to be taken out: all of the media's where none is named. */
function unset(...keys: string[]): Record<string, undefined> {
  const all = keys.length ? keys : Object.keys(media).filter((k) => k.startsWith("media"));
  return Object.fromEntries(all.map((k) => [k, undefined]));
}

for (const [name, set, says, base] of refusals)
  test(`refused: ${name}`, () => {
    const found = problems(set, base);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", says);
  });

test("networks and single addresses are taken as they are written", () => {
  const cidrs = [
    "0.0.0.0/0",
    "::/0",
    "203.0.113.7/32",
    "198.18.0.0/15",
    "2001:db8::7/128",
    "2001:DB8:1::/48",
  ];
  const { target } = migration({ adminCidrs: cidrs.join(", ") }, cloud);
  assert.deepEqual("adminCidrs" in target && target.adminCidrs, cidrs);
});

test("an IPv6 address of the target is taken in the spelling that records and interfaces have", () => {
  for (const targetIpv6 of ["2001:DB8::10", "2001:db8:0:0::10", "2001:0db8:0:0:0:0:0:10"]) {
    const { target } = migration({ targetIpv6 });
    assert.equal(target.provider === "existing" && target.ipv6, "2001:db8::10", targetIpv6);
  }
});

test("an endpoint's own port is kept", () => {
  const { storage } = migration({ mediaEndpoint: "https://s3.store.example:9000" }, media);
  assert.equal(storage?.endpoint, "https://s3.store.example:9000");
});

test("all mistakes are named in one run", () => {
  assert.deepEqual(
    problems({ phase: "x", domain: "x", sourcePort: "x", dnsTtl: "x" }).map((p) => p.split(" ")[0]),
    ["phase", "domain", "sourcePort", "dnsTtl"],
  );
});

test("no problem ever shows a private key", () => {
  for (const broken of [privateKey.replaceAll("\n", "\r\n"), privateKey.slice(0, 200), encrypted])
    for (const key of ["sshPrivateKey", "sourceHostKey"])
      assert.doesNotMatch(problems({ [key]: broken }).join(), /b3BlbnNzaC1rZXk/);
});

test("a key's comment and a missing line end make no difference", () => {
  assert.equal(
    migration({ sourceHostKey: `${sourceHostKey} root@old` }).source.hostKey,
    migration().source.hostKey,
  );
  assert.equal(migration({ sshPrivateKey: privateKey.trimEnd() }).key.private.at(-1), "\n");
});
