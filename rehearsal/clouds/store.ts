/** What the stand-in clouds have: kept in memory and in one file, so that it outlives a killed engine and this process. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Props } from "./values";

export type Provider = "hcloud" | "vultr" | "cloudflare" | "aws" | "bunny";

export interface Server {
  id: string;
  provider: Provider;
  name: string;
  ipv4?: string;
  ipv6?: string;
  firewalls: string[];
  inputs: Props;
}

export interface FirewallRule {
  protocol: string;
  /** "80", "80-85", "any"; none for icmp and the like. */
  port?: string;
  sources: string[];
}

export interface Firewall {
  id: string;
  provider: Provider;
  name: string;
  rules: FirewallRule[];
  inputs: Props;
}

export interface Address {
  id: string;
  name: string;
  type: "ipv4" | "ipv6";
  ip: string;
  server?: string;
  inputs: Props;
}

export interface SshKey {
  id: string;
  provider: Provider;
  name: string;
  publicKey: string;
  inputs: Props;
}

/** One resource record as the zone's provider keeps it; names are full, without a trailing dot. */
export interface DnsRecord {
  id: string;
  name: string;
  type: string;
  content: string;
  /** None: the zone's own. */
  ttl?: number;
  proxied?: boolean;
  priority?: number;
  comment?: string;
  createdOn: string;
  modifiedOn: string;
}

export interface Zone {
  id: string;
  provider: Provider;
  name: string;
  ttl: number;
  serial: number;
  nameServers: string[];
  records: DnsRecord[];
}

/** Anything else that a cloud keeps: what it was told, by its id. */
export interface Thing {
  id: string;
  /** Its type in the program, or in the API's own words. */
  kind: string;
  inputs: Props;
  /** What the cloud made of it. */
  own: Props;
}

export interface State {
  nextId: number;
  things: Thing[];
  servers: Server[];
  firewalls: Firewall[];
  firewallRules: { id: string; firewall: string; inputs: Props }[];
  attachments: { id: string; firewall: string; servers: string[]; inputs: Props }[];
  addresses: Address[];
  sshKeys: SshKey[];
  /** Reverse names, by address. */
  reverse: Record<string, string>;
  zones: Zone[];
}

const EMPTY: State = {
  nextId: 1001,
  things: [],
  servers: [],
  firewalls: [],
  firewallRules: [],
  attachments: [],
  addresses: [],
  sshKeys: [],
  reverse: {},
  zones: [],
};

/** The state with its file; every change is on disk before it is answered. */
export class Store {
  readonly state: State;

  constructor(private readonly file?: string) {
    const found = file && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as State) : {};
    this.state = { ...structuredClone(EMPTY), ...found };
  }

  id(): string {
    return String(this.state.nextId++);
  }

  /** Changes the state and keeps it. */
  change<T>(work: (state: State) => T): T {
    const result = work(this.state);
    this.save();
    return result;
  }

  private save(): void {
    if (!this.file) return;
    writeFileSync(`${this.file}.new`, JSON.stringify(this.state, undefined, 1), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

/** Removes from a list what fulfils the test; says what was removed. */
export function take<T>(list: T[], test: (item: T) => boolean): T[] {
  const gone = list.filter(test);
  for (const item of gone) list.splice(list.indexOf(item), 1);
  return gone;
}
