import * as pulumi from "@pulumi/pulumi";
import { isIPv6 } from "node:net";
import { readStorage, type Storage } from "./config-storage";
import { isName, Keys, type SshServer } from "./keys";
import { shortest } from "./networks";
import { acceptable } from "./survey/finding";
import type { Phase } from "./survey/phase";

export type { Storage } from "./config-storage";

/** A server that the program makes. */
export interface CloudServer {
  type: string;
  location: string;
  image: string;
  ipv6: boolean;
  adminCidrs: string[];
}

export type Target =
  | ({ provider: "existing"; ipv6?: string } & SshServer)
  | ({ provider: "hetzner" | "vultr" } & CloudServer)
  /** No second server: nothing but the media moves. */
  | { provider: "none" };

/** One migration: what the admin asked for, checked, with every default filled in. */
export interface Migration {
  /** How far the server moves: `survey` where there is no second one. */
  phase: Phase;
  domain: string;
  source: SshServer;
  /** The key that opens both servers; `public` is derived from it. */
  key: { private: string; public: string };
  target: Target;
  /** @property names - empty: the web domain and others of its sites', which only the survey knows. */
  dns: { provider: "none" | "cloudflare" | "hetzner"; zone: string; names: string[]; ttl: number };
  /** Where to look for Mastodon; empty: the survey finds it. */
  mastodon: { dir: string; user: string };
  /**
   * How the app comes to the target: its tree as it is on the source, or its release installed the official way; `auto`:
   * whichever runs there. Repository and ref are for the official way; empty: the source's own.
   */
  app: { install: "auto" | "copy" | "official"; repository: string; ref: string };
  /** Where the media go; undefined: they stay with the server. */
  storage?: Storage;
  carryRedis: boolean;
  copyRateMiB: number;
  drainSeconds: number;
  deadlineMs: number;
  slotKeepMiB: number;
  /** Codes of findings that the admin takes upon himself. */
  accepted: string[];
}

/** What is wrong with the configuration: every problem, a line each. */
export class ConfigError extends pulumi.RunError {
  constructor(readonly problems: string[]) {
    super(`the configuration can't be used as it is:\n${problems.map((p) => `  - ${p}`).join("\n")}`);
  }
}

/** Reads the stack's configuration. @throws ConfigError */
export function readConfig(): Migration {
  const config = new pulumi.Config();
  const plain = optionalSecrets.filter((key) => config.get(key) && !isSecret(config.name, key));
  if (plain.length)
    throw new ConfigError(
      plain.map(
        (k) => `${k} is plain text in the stack's file; write it with pulumi config set --secret ${k}`,
      ),
    );
  return parseMigration((key) => config.get(key));
}

/** Pulumi takes no default for a key that its schema calls secret, and a key without default has to be set. */
const optionalSecrets = ["mediaSecretKey", "bunnyApiKey"];

/** The language host names a stack's secret keys in the environment; the SDK keeps them to itself. */
function isSecret(project: string, key: string): boolean {
  const named = process.env["PULUMI_CONFIG_SECRET_KEYS"];
  return named === undefined || (JSON.parse(named) as string[]).includes(`${project}:${key}`);
}

/** Makes a migration of texts by key, undefined or "" where the key is not set. Pure. @throws ConfigError */
export function parseMigration(get: (key: string) => string | undefined): Migration {
  const c = new Keys(get);
  const migration: Migration = {
    phase: c.phase("phase", "settle"),
    domain: c.name("domain", "your instance's LOCAL_DOMAIN, like social.example"),
    source: c.server("source"),
    key: c.privateKey("sshPrivateKey"),
    target: readTarget(c),
    dns: readDns(c),
    mastodon: { dir: c.folder("mastodonDir"), user: c.user("mastodonUser", "a user name like mastodon") },
    app: readApp(c),
    carryRedis: c.flag("carryRedis", true),
    copyRateMiB: c.whole("copyRateMiB", 0, 0, 100_000),
    drainSeconds: c.whole("drainSeconds", 60, 1, 3600),
    deadlineMs: c.whole("deadlineMs", 5000, 500, 60_000),
    slotKeepMiB: c.whole("slotKeepMiB", 10_240, 256, 10_000_000),
    accepted: readAccepted(c),
  };
  migration.storage = readStorage(c, migration);
  if (migration.target.provider === "none") migration.phase = "survey";
  checkTogether(c, migration);
  if (c.problems.length) throw new ConfigError(c.problems);
  return migration;
}

function readAccepted(c: Keys): string[] {
  const codes = c.list("acceptFindings");
  const known: readonly string[] = acceptable;
  for (const code of codes)
    if (!known.includes(code))
      c.problem("acceptFindings", code, `codes of findings that can be accepted: ${known.join(", ")}`);
  return codes;
}

/** Keys of one kind of target, with the defaults that Pulumi.yaml gives them. */
const onlyForNew = {
  serverType: "",
  serverLocation: "",
  serverImage: "",
  serverIpv6: "true",
  adminCidrs: "",
};
const onlyForExisting = {
  ...{ targetHost: "", targetIpv6: "", targetPort: "22" },
  ...{ targetUser: "root", targetHostKey: "" },
};

function readTarget(c: Keys): Target {
  const provider = c.oneOf("targetProvider", ["existing", "hetzner", "vultr", "none"], "existing");
  if (provider === "existing" || provider === "none")
    c.allUnused(onlyForNew, `is for a server that the program makes, but targetProvider is "${provider}"`);
  if (provider === "existing") return { provider, ipv6: readIpv6(c), ...c.server("target") };
  c.allUnused(
    onlyForExisting,
    `is for a server that is there already, but targetProvider is "${provider}"; or write existing there`,
  );
  return provider === "none" ? { provider } : { provider, ...readCloudServer(c, provider) };
}

/** As `ip` and DNS spell it, which it is compared with. */
function readIpv6(c: Keys): string | undefined {
  const ipv6 = c.text("targetIpv6");
  const known = isIPv6(ipv6) && !ipv6.includes("%");
  if (ipv6 && !known) c.problem("targetIpv6", ipv6, "an IPv6 address like 2001:db8::10");
  return known ? shortest(ipv6) : undefined;
}

function readCloudServer(c: Keys, provider: "hetzner" | "vultr"): CloudServer {
  const defaults = { hetzner: ["cx33", "nbg1", "debian-12"], vultr: ["vc2-4c-8gb", "fra", "2136"] }[provider];
  const [type = "", location = "", image = ""] = defaults;
  const server = {
    type: c.text("serverType") || type,
    location: c.text("serverLocation") || location,
    image: c.text("serverImage") || image,
    ipv6: c.flag("serverIpv6", true),
    adminCidrs: c.cidrs("adminCidrs"),
  };
  for (const [key, name, like] of [
    ["serverType", server.type, type],
    ["serverLocation", server.location, location],
  ] as const)
    if (!/^[a-z][a-z0-9-]*$/.test(name))
      c.problem(key, name, `the name that ${provider} has for it, like ${like}`);
  if (provider === "vultr" && !/^\d+$/.test(server.image))
    c.problem("serverImage", server.image, "the number of an OS at Vultr, like 2136 for Debian 12");
  return server;
}

function readApp(c: Keys): Migration["app"] {
  const install = c.oneOf("appInstall", ["auto", "copy", "official"], "auto");
  for (const key of ["appRepository", "appRef"])
    if (install === "copy") c.unused(key, 'has no use while appInstall is "copy"');
  const [repository, ref] = [c.text("appRepository"), c.text("appRef")];
  // The address is told and logged, so it may hold no password.
  if (repository && !/^(https:\/\/[^\s/@]+|file:\/\/)\/[^\s@]+$/.test(repository))
    c.problem(
      "appRepository",
      repository.replace(/\/\/[^/]*@/, "//***@"),
      "an https address without user and password, like https://github.com/me/mastodon.git",
    );
  if (ref && !/^[A-Za-z0-9][\w./+-]*$/.test(ref))
    c.problem("appRef", ref, "a tag, branch or commit, like v4.5.3");
  return { install, repository, ref };
}

function readDns(c: Keys): Migration["dns"] {
  const provider = c.oneOf("dnsProvider", ["none", "cloudflare", "hetzner"], "none");
  const names = c.list("dnsNames").map((n) => n.toLowerCase());
  for (const n of names)
    if (!isName(n)) c.problem("dnsNames", n, "full names without a trailing dot, like social.example");
  const ttl = c.whole("dnsTtl", 60, 30, 86_400);
  if (provider === "none") {
    c.unused("dnsZone", 'has no use while dnsProvider is "none"; write cloudflare or hetzner there');
    return { provider, zone: "", names, ttl };
  }
  const zone = c.name(
    "dnsZone",
    `the zone at ${provider} that holds the instance's records, like example.com`,
  );
  for (const n of names)
    if (isName(n) && zone && n !== zone && !n.endsWith(`.${zone}`))
      c.problem("dnsNames", n, `names inside the zone ${zone}`);
  if (provider === "cloudflare" && ttl < 60)
    c.problem("dnsTtl", String(ttl), "60 or more: Cloudflare takes no less");
  return { provider, zone, names, ttl };
}

/** Refuses what only two keys together make wrong. */
function checkTogether(c: Keys, m: Migration): void {
  if (m.target.provider === "existing" && m.target.host) {
    if (m.target.host === m.source.host && m.target.port === m.source.port)
      c.problem("targetHost", m.target.host, "another server than sourceHost: a migration needs two");
    if (m.target.hostKey && m.target.hostKey === m.source.hostKey)
      c.problem("targetHostKey", m.target.hostKey, "the target's own key: it is the same as sourceHostKey");
  }
  if (m.target.provider === "none" && !c.text("mediaStore"))
    c.problem(
      "mediaStore",
      "",
      's3, r2, b2 or other: with targetProvider "none" nothing but the media moves',
    );
  const confirm = c.text("confirmRetire");
  const last = m.phase === "retire" || (m.storage?.phase === "retire" && !m.storage.keepLocal);
  if (last && (!confirm || confirm !== m.domain))
    c.problem(
      "confirmRetire",
      confirm,
      `${m.domain || "the domain"}: from retire there is no way back, so it is asked for once more`,
    );
}
