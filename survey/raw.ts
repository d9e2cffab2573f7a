import type { Mastodon } from "./raw-app";
import type { Postgres, Redis } from "./raw-databases";

/**
 * What `scripts/survey/survey.py` prints about one host: one JSON document, the same shape for the source and
 * the target. Everything is read, nothing is changed, and nothing in it is a secret: of a secret only a
 * salted hash.
 *
 * Rules for every field: sizes in bytes, durations in milliseconds unless the name says otherwise, times as
 * epoch milliseconds of that host's clock. `null` means "could not be told" or "is not there", and whoever
 * could not tell something adds a line to `unread`, with the reason. An absent part (no Postgres on a fresh
 * target) is null as a whole.
 */
export interface Raw {
  /** Version of this shape. */
  format: 1;
  side: "source" | "target";
  host: Host;
  /**
   * Programs that the steps need, by name: rsync, python3, node, ssh, nginx, systemctl, sudo, curl,
   * pg_lsclusters. Value: version or "yes", null if missing.
   */
  tools: Record<string, string | null>;
  disks: Disk[];
  sshd: Sshd | null;
  mastodon: Mastodon | null;
  postgres: Postgres | null;
  redis: Redis | null;
  media: Media | null;
  nginx: Nginx | null;
  trunkline: Trunkline;
  /**
   * Round trip to the other side, if the program told the script where that is (SETTINGS.peer =
   * "address:port"; the time of a TCP connect, best of 3).
   */
  peer: { address: string; rttMs: number | null; error: string | null } | null;
  /** Parts that do not answer yet and are on their way, as after a boot: "Postgres 15/main", "Redis". */
  starting: string[];
  /** What could not be read, and why. */
  unread: { what: string; why: string }[];
}

export interface Host {
  name: string;
  /** /etc/os-release: ID, VERSION_ID, PRETTY_NAME. */
  os: { id: string; version: string; name: string };
  /** `uname -m`. */
  arch: string;
  libc: { kind: "glibc" | "musl" | "unknown"; version: string };
  cpus: number;
  memoryBytes: number;
  /** Python that runs the survey, like 3.11.2. */
  python: string;
  /** Login user of the survey, and whether it is root or may become root by `sudo -n`. */
  login: { user: string; root: boolean; sudo: boolean };
  /**
   * Clock of the host when it answered; whether something keeps it in step (timedatectl), null if unknown.
   */
  clock: { epochMs: number; synchronized: boolean | null };
  /** Addresses of the host's interfaces, loopback left out. */
  addresses: { ipv4: string[]; ipv6: string[] };
  /** `aes` in /proc/cpuinfo (or arm's features): the tunnel's cipher is chosen for it. */
  aes: boolean;
}

/**
 * One mounted file system that holds something of interest (/, Postgres' data, the media, the app,
 * /var/lib/trunkline).
 */
export interface Disk {
  mount: string;
  device: string;
  fsType: string;
  totalBytes: number;
  freeBytes: number;
  /** Mean time of one cache flush of the device since boot, from /proc/diskstats. */
  flushMs: number | null;
}

export interface Sshd {
  port: number;
  /** `sshd -T`: yes, no, local, remote, all; no where DisableForwarding is yes, which makes nothing of it. */
  allowTcpForwarding: string;
  /** Where `ssh -R` listens: no (on loopback), clientspecified (where it says), yes (everywhere, whatever it says). */
  gatewayPorts: string;
  /** Rules of the firewall, as it writes them, that count new connections to its port, and turn away those above a number. */
  limits: string[];
  /** Public ed25519 host key, "ssh-ed25519 AAAA…"; null if the host has none. */
  ed25519HostKey: string | null;
}

export interface Media {
  /** PAPERCLIP_ROOT_PATH or DIR/public/system. */
  dir: string;
  /** Symbolic links resolved. */
  realDir: string;
  /** local: files on this host; s3, swift, azure: elsewhere, and there is nothing to copy. */
  store: "local" | "s3" | "swift" | "azure";
  exists: boolean;
  /**
   * Bytes and files in all and by class (first folder: accounts, media_attachments, cache …). Null: not
   * counted within the deadline.
   */
  bytes: number | null;
  files: number | null;
  classes: Record<string, { bytes: number; files: number }>;
  /** What the rows imply, by class as above; left out where the database did not tell. */
  rows?: MediaRows;
  /** The mount it lies on; `expected`: a mount that fstab or a unit names for it but that is not mounted. */
  mount: string;
  fsType: string;
  expected: { mount: string; what: string; mounted: boolean } | null;
}

/** Media as the database's rows tell them, and how that compares with the disk. Counts are of files. */
export interface MediaRows {
  /** `bytes` are those of the originals: the rows know no others. */
  classes: Record<string, { bytes: number; files: number }>;
  /** Files of accounts that are suspended: they must not be public. */
  suspended: number;
  /** Rows whose file is not on the disk, files that no row stands for; null: there was no time to compare. */
  withoutFile: number | null;
  withoutRow: number | null;
  /** Up to five of each. */
  examples: { withoutFile: string[]; withoutRow: string[] };
}

export interface Nginx {
  version: string;
  active: boolean;
  /** Site files that name the web domain; the first is the one that serves it. */
  sites: string[];
  /** Names that the instance's sites serve, the web domain first. */
  names: string[];
  /** What stands in the instance's sites and is not carried to the target, a line each. */
  notCarried: string[];
  /** Names of sites that have nothing to do with the instance. */
  others: string[];
  /** Sites of other names that hand requests to this app too, with their files. */
  alsoLead: string[];
  /** Names of onion services that nginx serves, whoever's. */
  onions: string[];
  /** Where the instance's own site hands the app's requests to something else: `location @proxy: http://127.0.0.1:8923`. */
  between: string[];
  /** Hash of the text of the files in which these sites stand. */
  stamp: string;
  /** client_max_body_size of that site in bytes; null: not set (nginx's own 1 MiB). */
  bodyBytes: number | null;
  certificates: Certificate[];
  /** What nginx.conf says that a worker may hold: worker_connections and worker_rlimit_nofile; null: not said. */
  workers: { connections: number | null; files: number | null };
}

export interface Certificate {
  cert: string;
  key: string;
  exists: boolean;
  /** The key fits the certificate. */
  matches: boolean | null;
  names: string[];
  notAfterMs: number | null;
  issuer: string | null;
  /** certbot's name for it; null if it is not certbot's. */
  lineage: string | null;
  /** What renews it on this host: certbot's way of proving (nginx, webroot, dns-…), or null if it is not certbot's. */
  renewal: string | null;
}

/** Traces of Trunkline on the host, whichever step made them. */
export interface Trunkline {
  /** /opt/trunkline, /etc/trunkline, /var/lib/trunkline that are there. */
  paths: string[];
  /** Public keys with the mark of Trunkline in the login user's authorized_keys: "ssh-ed25519 AAAA… trunkline-tunnel". */
  keys: string[];
  /** Replication role, application role, slots by name (source and target). */
  roles: string[];
  slots: string[];
  hba: boolean;
  /** Units trunkline-* by name with their state (active, failed, inactive). */
  units: Record<string, string>;
  /** The web domain's site on this host is Trunkline's proxy. */
  proxy: boolean;
  /** Every unit of Mastodon on this host is stopped and masked. */
  appStopped: boolean;
  /** Sidekiq units are quiet (TSTP sent and kept). */
  sidekiqQuiet: boolean;
  /**
   * switchover's journal: the last run's direction and step, whether it came to an end (made or undone), and whether the data
   * have been brought here; null: it never ran.
   */
  journal: { direction: "forward" | "back"; step: string; done: boolean; promoted: boolean } | null;
  /** app/tree and app/secrets are through on this target. */
  appInstalled: boolean;
  /** Backups are set up on this target. */
  backup: boolean;
  /** host/retire is through on this source. */
  retired: boolean;
  /** How far the media have gone to object storage on this host; left out where nothing of it is here. */
  storage?: StorageTraces;
}

export interface StorageTraces {
  /** /etc/trunkline/storage.conf is there. */
  tools: boolean;
  /** Epoch seconds since when browsers are told of the media host; null: never. */
  announced: number | null;
  /** The bulk copy has begun; it came to its end. */
  begun: boolean;
  copied: boolean;
  /** The check before the switch has passed. */
  checked: boolean;
  /** Old links are redirected. */
  links: boolean;
  /** The app writes to the bucket; a switch is under way, in either direction. */
  switched: boolean;
  switching: boolean;
  /** Every key was accounted for; the disk copy is gone. */
  verified: boolean;
  cleaned: boolean;
}
