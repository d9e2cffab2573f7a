/** The databases' part of what a host tells about itself; the rules stand in raw.ts. */

export interface Postgres {
  major: number;
  /** Full server version, 15.8. */
  version: string;
  port: number;
  /** The systemd service that it runs in; null: none, or it is down. */
  unit: string | null;
  /** Debian's cluster name, "15/main"; null if it is not a Debian cluster. */
  cluster: string | null;
  dataDir: string;
  /** `down`: installed but not answering. */
  role: "primary" | "standby" | "down";
  /** standby.signal lies in the data directory (true on a primary: it is fenced at its next start). */
  standbySignal: boolean;
  systemId: string | null;
  /** From here on null or empty when role is down. */
  database: {
    name: string;
    user: string;
    bytes: number;
    owner: string;
    encoding: string;
    collate: string;
    /** Provider c (libc), i (ICU), b (builtin). */
    provider: string;
    /** Recorded and actual collation version (null below 15 and for C). */
    collationVersion: string | null;
    actualCollationVersion: string | null;
  } | null;
  /** Databases of the same cluster that are not the app's; `postgres` and templates left out. */
  otherDatabases: string[];
  /** Sessions of clients just now, in all of its databases. */
  connections: number | null;
  /** Bytes of the whole cluster: what a base backup copies. */
  clusterBytes: number | null;
  /** pg_settings, as text: wal_level, max_wal_senders, max_replication_slots, max_connections, superuser_reserved_connections, reserved_connections (16 and later), max_worker_processes,
   *  max_prepared_transactions, max_locks_per_transaction, wal_keep_size, max_slot_wal_keep_size,
   * shared_buffers, archive_mode, archive_command, synchronous_standby_names, data_checksums,
   * listen_addresses, hba_file, ssl, password_encryption. */
  settings: Record<string, string>;
  slots: { name: string; type: string; active: boolean; walStatus: string | null }[];
  walsenders: {
    application: string;
    user: string;
    state: string;
    client: string | null;
    lagBytes: number | null;
  }[];
  archiver: {
    failed: number;
    archived: number;
    lastFailedMs: number | null;
    lastArchivedMs: number | null;
  } | null;
  /** Who is connected to the app's database besides the app. */
  clients: { user: string; application: string; client: string | null }[];
  /** Qualified names. */
  unlogged: string[];
  prepared: number;
  /** Client transactions older than 60 s. */
  longTransactions: { pid: number; seconds: number; application: string; user: string }[];
  /** Tablespaces outside the data directory. */
  tablespaces: { name: string; location: string }[];
  extensions: string[];
  /** WAL written between two looks at least a second apart; null too where SETTINGS.walRateOf does not name the role. */
  walBytesPerSecond: number | null;
  walSinceCheckpointBytes: number | null;
  /** A standby: lag of replay, and whether its receiver is streaming. */
  standby: {
    streaming: boolean;
    senderHost: string | null;
    senderPort: number | null;
    replayLagBytes: number | null;
  } | null;
}

export interface Redis {
  version: string;
  /** redis or valkey. */
  kind: string;
  port: number;
  /** As above. */
  unit: string | null;
  /** The file that it was started with and can keep its role in; "" without one. */
  configFile: string;
  role: "master" | "replica" | "down";
  /** Host and port of the master of a replica. */
  masterHost: string | null;
  masterPort: number | null;
  linkUp: boolean | null;
  usedBytes: number | null;
  maxmemoryPolicy: string | null;
  appendonly: boolean | null;
  rdbSaving: boolean | null;
  replicas: { address: string; port: number; state: string }[];
  /** It answers on 127.0.0.1 at `port` (0: it has a socket only), where the tunnel ends. */
  loopback: boolean;
  /** Commands of the steps that the app's login may not use. */
  lacks: string[];
  /** A password is set. */
  requiresPassword: boolean;
  databases: number | null;
  /** Numbers of databases with keys in them, without the one of REDIS_URL or REDIS_DB. */
  otherDatabases: number[];
}
