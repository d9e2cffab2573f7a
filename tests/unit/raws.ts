import type { Raw } from "../../survey/raw";
import type { RedisUse, Unit } from "../../survey/raw-app";

const GiB = 1024 ** 3;
export const now = Date.UTC(2026, 10, 21);
const day = 86_400_000;

/** What the survey tells of a source in good order, before anything has been done. */
export function source(change: (raw: Filled) => void = () => undefined): Raw {
  const raw: Filled = {
    format: 1,
    side: "source",
    host: host("old", "198.18.0.10"),
    tools: {
      ...{ rsync: "3.2.7", python3: "3.11.2", nginx: "1.22.1", systemctl: "252", curl: "7.88.1" },
      certbot: "2.1.0",
    },
    disks: [disk("/", 200, 120)],
    sshd: {
      port: 22,
      allowTcpForwarding: "yes",
      gatewayPorts: "no",
      limits: [],
      ed25519HostKey: "ssh-ed25519 AAAA",
    },
    mastodon: {
      version: "4.5.3",
      dir: "/home/mastodon/live",
      realDir: "/home/mastodon/live",
      user: "mastodon",
      uid: 990,
      gid: 990,
      home: "/home/mastodon",
      appBytes: 2 * GiB,
      git: {
        ...{ origin: "https://github.com/mastodon/mastodon.git", head: "3f2a".repeat(10), published: true },
        ...{ changed: [], own: [], count: 0 },
      },
      stamp: "of 4.5.3",
      env: {
        path: "/home/mastodon/live/.env.production",
        keys: ["LOCAL_DOMAIN", "SECRET_KEY_BASE"],
        values: { LOCAL_DOMAIN: "social.example", DB_HOST: "/var/run/postgresql", REDIS_HOST: "127.0.0.1" },
        hashes: Object.fromEntries(secrets.map((name) => [name, `hash of ${name}`])),
        database: {
          host: "/var/run/postgresql",
          port: 5432,
          name: "mastodon_production",
          user: "mastodon",
        },
        redis: ["", "SIDEKIQ_", "CACHE_"].map((prefix) => redisUse({ prefix })),
        nearby: [],
        shadows: [],
      },
      units: {
        web: [unit("mastodon-web.service")],
        sidekiq: [unit("mastodon-sidekiq.service")],
        streaming: [unit("mastodon-streaming@4000.service")],
      },
      encryptedRows: 12,
      beside: { onion: [], jobs: [], backups: [], listening: [] },
    },
    postgres: postgres(),
    redis: {
      version: "7.0.15",
      kind: "redis",
      port: 6379,
      unit: "redis-server.service",
      configFile: "/etc/redis/redis.conf",
      role: "master",
      masterHost: null,
      masterPort: null,
      linkUp: null,
      usedBytes: 0.5 * GiB,
      maxmemoryPolicy: "noeviction",
      appendonly: true,
      rdbSaving: false,
      replicas: [],
      loopback: true,
      lacks: [],
      requiresPassword: false,
      databases: 16,
      otherDatabases: [],
    },
    media: {
      dir: "/home/mastodon/live/public/system",
      realDir: "/home/mastodon/live/public/system",
      store: "local",
      exists: true,
      bytes: 20 * GiB,
      files: 40_000,
      classes: {
        cache: { bytes: 15 * GiB, files: 30_000 },
        media_attachments: { bytes: 5 * GiB, files: 10_000 },
      },
      mount: "/",
      fsType: "ext4",
      expected: null,
    },
    nginx: {
      version: "1.22.1",
      active: true,
      sites: ["/etc/nginx/sites-available/mastodon"],
      names: ["social.example"],
      notCarried: [],
      others: [],
      alsoLead: [],
      onions: [],
      between: [],
      stamp: "of the site",
      bodyBytes: 99 * 1024 ** 2,
      workers: { connections: 768, files: null },
      certificates: [
        {
          cert: "/etc/letsencrypt/live/social.example/fullchain.pem",
          key: "/etc/letsencrypt/live/social.example/privkey.pem",
          exists: true,
          matches: true,
          names: ["social.example"],
          notAfterMs: now + 60 * day,
          issuer: "R11",
          lineage: "social.example",
          renewal: "nginx",
        },
      ],
    },
    trunkline: noTrace(),
    peer: null,
    starting: [],
    unread: [],
  };
  change(raw);
  return raw;
}

/** What the survey tells of a fresh server. */
export function target(change: (raw: Raw) => void = () => undefined): Raw {
  const raw: Raw = {
    format: 1,
    side: "target",
    host: host("new", "198.18.1.10"),
    tools: { rsync: null, python3: "3.11.2", nginx: null, systemctl: "252", curl: "7.88.1" },
    disks: [disk("/", 160, 150)],
    sshd: {
      port: 22,
      allowTcpForwarding: "yes",
      gatewayPorts: "no",
      limits: [],
      ed25519HostKey: "ssh-ed25519 AAAA",
    },
    mastodon: null,
    postgres: null,
    redis: null,
    media: null,
    nginx: null,
    trunkline: noTrace(),
    peer: { address: "198.18.0.10:22", rttMs: 20, error: null },
    starting: [],
    unread: [],
  };
  change(raw);
  return raw;
}

/** A source on which every part is there. */
export type Filled = Raw & {
  [part in "mastodon" | "postgres" | "redis" | "media" | "nginx" | "sshd"]: NonNullable<Raw[part]>;
} & { postgres: { database: NonNullable<NonNullable<Raw["postgres"]>["database"]> } };

/** The traces that a migration leaves on the source, phase by phase. */
export const traces = {
  prepare: (raw: Raw) => {
    raw.trunkline.paths = ["/opt/trunkline", "/var/lib/trunkline"];
    raw.trunkline.keys = ["ssh-ed25519 c2VydmVyLWhvc3Qta2V5 trunkline-tunnel"];
  },
  replicate: (raw: Raw) => {
    traces.prepare(raw);
    Object.assign(raw.trunkline, {
      roles: ["trunkline_repl", "trunkline_app"],
      slots: ["trunkline_target"],
      hba: true,
    });
    raw.trunkline.units = { "trunkline-agent.service": "active" };
  },
  shift: (raw: Raw) => {
    traces.replicate(raw);
    Object.assign(raw.trunkline, { proxy: true, appStopped: true });
  },
  switch: (raw: Raw) => {
    traces.shift(raw);
    if (raw.postgres) Object.assign(raw.postgres, { role: "standby", standbySignal: true });
    if (raw.redis) Object.assign(raw.redis, { role: "replica", masterHost: "127.0.0.1", masterPort: 26379 });
  },
  retire: (raw: Raw) => {
    raw.trunkline.retired = true;
    if (raw.postgres) raw.postgres.role = "down";
  },
};

const secrets = [
  "SECRET_KEY_BASE",
  "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
  "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
  "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
  "VAPID_PRIVATE_KEY",
  "VAPID_PUBLIC_KEY",
];

function host(name: string, address: string): Raw["host"] {
  return {
    name,
    os: { id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)" },
    arch: "x86_64",
    libc: { kind: "glibc", version: "2.36" },
    cpus: 4,
    memoryBytes: 8 * GiB,
    python: "3.11.2",
    login: { user: "root", root: true, sudo: true },
    clock: { epochMs: now, synchronized: true },
    addresses: { ipv4: [address], ipv6: [] },
    aes: true,
  };
}

function disk(mount: string, total: number, free: number): Raw["disks"][number] {
  return {
    mount,
    device: "/dev/sda1",
    fsType: "ext4",
    totalBytes: total * GiB,
    freeBytes: free * GiB,
    flushMs: 1,
  };
}

export function unit(name: string, change: Partial<Unit> = {}): Unit {
  const program = "/home/mastodon/.rbenv/shims/bundle";
  const rest = { active: "active", enabled: "enabled", queues: [], custom: false };
  return {
    name,
    program,
    environmentFiles: [],
    listening: [],
    needs: ["postgresql.service"],
    ...rest,
    ...change,
  };
}

export function redisUse(change: Partial<RedisUse> = {}): RedisUse {
  return { prefix: "", host: "127.0.0.1", port: 6379, path: null, database: 0, tls: false, ...change };
}

function postgres(): Filled["postgres"] {
  return {
    major: 15,
    version: "15.8",
    port: 5432,
    unit: "postgresql@15-main.service",
    cluster: "15/main",
    dataDir: "/var/lib/postgresql/15/main",
    role: "primary",
    standbySignal: false,
    systemId: "7400000000000000001",
    database: {
      name: "mastodon_production",
      user: "mastodon",
      bytes: 10 * GiB,
      owner: "mastodon",
      encoding: "UTF8",
      collate: "en_US.UTF-8",
      provider: "c",
      collationVersion: "2.36",
      actualCollationVersion: "2.36",
    },
    otherDatabases: [],
    connections: 30,
    clusterBytes: 11 * GiB,
    settings: {
      wal_level: "replica",
      max_connections: "100",
      superuser_reserved_connections: "3",
      max_wal_senders: "10",
      max_replication_slots: "10",
      synchronous_standby_names: "",
    },
    slots: [],
    walsenders: [],
    archiver: { failed: 0, archived: 0, lastFailedMs: null, lastArchivedMs: null },
    clients: [],
    unlogged: [],
    prepared: 0,
    longTransactions: [],
    tablespaces: [],
    extensions: ["plpgsql"],
    walBytesPerSecond: 100_000,
    walSinceCheckpointBytes: 10_000_000,
    standby: null,
  };
}

function noTrace(): Raw["trunkline"] {
  return {
    paths: [],
    keys: [],
    roles: [],
    slots: [],
    hba: false,
    units: {},
    proxy: false,
    appStopped: false,
    sidekiqQuiet: false,
    journal: null,
    appInstalled: false,
    backup: false,
    retired: false,
  };
}
