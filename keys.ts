import { isIPv4 } from "node:net";
import { type ParsedKey, utils as ssh } from "ssh2";
import { isServer, networkOf } from "./networks";
import { isPhase, type Phase, phases } from "./survey/phase";

/** A server that is there already. */
export interface SshServer {
  host: string;
  port: number;
  user: string;
  /** "ssh-ed25519 AAAA…", without a comment. */
  hostKey: string;
}

/** Reads single keys, and collects what is wrong with them, so that one run names every mistake. */
export class Keys {
  readonly problems: string[] = [];

  constructor(private readonly get: (key: string) => string | undefined) {}

  /** One sentence in the house's form: key, what it is, what to write instead. */
  problem(key: string, value: string, instead: string): void {
    const shown = value.length > 80 ? `${value.slice(0, 77)}...` : value;
    this.problems.push(`${key} is ${value ? JSON.stringify(shown) : "not set"}; write ${instead}`);
  }

  /** Pulumi fills in the schema's default, so that one can't be told from a key that is not set. */
  unused(key: string, why: string, byDefault = ""): void {
    const text = this.text(key);
    if (text && text !== byDefault)
      this.problems.push(`${key} ${why}; take ${key} out (pulumi config rm ${key})`);
  }

  /** The same of several keys, each with its default. */
  allUnused(defaults: Record<string, string>, why: string): void {
    for (const [key, byDefault] of Object.entries(defaults)) this.unused(key, why, byDefault);
  }

  text(key: string): string {
    return (this.get(key) ?? "").trim();
  }

  list(key: string): string[] {
    return this.text(key)
      .split(",")
      .map((s) => s.trim())
      .filter(Boolean);
  }

  flag(key: string, byDefault: boolean): boolean {
    const text = this.text(key);
    if (text && text !== "true" && text !== "false") this.problem(key, text, "true or false");
    return text ? text === "true" : byDefault;
  }

  whole(key: string, byDefault: number, min: number, max: number): number {
    const text = this.text(key);
    if (!text) return byDefault;
    const n = Number(text);
    if (!/^-?\d+$/.test(text) || n < min || n > max)
      this.problem(key, text, `a whole number from ${min} to ${max}`);
    return n;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], byDefault: T): T {
    const text = this.text(key) || byDefault;
    const found = allowed.find((a) => a === text);
    if (!found) this.problem(key, text, allowed.join(", ").replace(/, ([^,]*)$/, " or $1"));
    return found ?? byDefault;
  }

  phase(key: string, byDefault: Phase): Phase {
    const text = this.text(key) || byDefault;
    if (!isPhase(text)) this.problem(key, text, `one of ${phases.join(", ")}`);
    return isPhase(text) ? text : "survey";
  }

  name(key: string, instead: string): string {
    const text = this.text(key).toLowerCase();
    if (!isName(text)) this.problem(key, text, instead);
    return text;
  }

  folder(key: string): string {
    const text = this.text(key);
    if (text && !/^\/[^\0\n]+$/.test(text)) this.problem(key, text, "a full path like /home/mastodon/live");
    return text.replace(/\/+$/, "");
  }

  /** "" where it is not set. */
  user(key: string, instead: string): string {
    const text = this.text(key);
    if (text && !/^[a-z_][a-z0-9_.-]{0,31}$/i.test(text)) this.problem(key, text, instead);
    return text;
  }

  cidrs(key: string): string[] {
    const list = this.list(key);
    if (!list.length)
      this.problem(
        key,
        "",
        "the networks you manage from, like 203.0.113.7/32, or 0.0.0.0/0,::/0 for everyone",
      );
    for (const cidr of list) {
      const network = networkOf(cidr);
      if (!network) this.problem(key, cidr, "networks like 203.0.113.7/32 or 2001:db8::/64");
      else if (network !== cidr)
        this.problem(
          key,
          cidr,
          `${network} for that network, or ${cidr.replace(/\/.*/, network.includes(":") ? "/128" : "/32")} for one address`,
        );
    }
    return list;
  }

  server(which: "source" | "target"): SshServer {
    const host = this.text(`${which}Host`);
    if (!isIPv4(host))
      this.problem(
        `${which}Host`,
        host,
        "the server's public IPv4 address, like 203.0.113.7: names move with the migration",
      );
    else if (!isServer(host))
      this.problem(
        `${which}Host`,
        host,
        "the server's public IPv4 address, like 203.0.113.7: this one leads to no other server",
      );
    const user = this.user(`${which}User`, "a user name like root or admin") || "root";
    const port = this.whole(`${which}Port`, 22, 1, 65_535);
    return { host, port, user, hostKey: this.hostKey(`${which}HostKey`) };
  }

  /** The key's type and body; a comment is dropped, so that it makes no difference. */
  hostKey(key: string): string {
    const text = this.text(key);
    const [type = "", body = "", ...rest] = text.split(/\s+/);
    const instead =
      "the line of /etc/ssh/ssh_host_ed25519_key.pub on that server, like ssh-ed25519 AAAAC3Nza...";
    if (/PRIVATE KEY/.test(text)) this.problems.push(`${key} is a private key; write ${instead}`);
    else if (/^(ssh-rsa|ecdsa-|ssh-dss)/.test(type))
      this.problem(
        key,
        `${type} ...`,
        `${instead}: the command provider can't speak with a server by its ${type} key`,
      );
    else if (
      type !== "ssh-ed25519" ||
      !/^AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/]*={0,2}$/.test(body) ||
      rest.join(" ").includes("ssh-")
    )
      this.problem(key, text, instead);
    else if (!isWhole(body))
      this.problem(key, text, `${instead}, with all its 68 characters: this one is cut off or damaged`);
    else return `${type} ${body}`;
    return "";
  }

  privateKey(key: string): { private: string; public: string } {
    const text = this.get(key) ?? "";
    const wrong = wrongKey(text);
    if (wrong) {
      this.problems.push(`${key} ${wrong}; set it with: pulumi config set --secret --raw ${key} < FILE`);
      return { private: "", public: "" };
    }
    const parsed = parseKey(text) as ParsedKey;
    return {
      private: text.endsWith("\n") ? text : `${text}\n`,
      public: `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`,
    };
  }
}

/** What is wrong with the text of a private key, if anything. */
function wrongKey(text: string): string | undefined {
  if (!text.trim()) return "is not set";
  if (/^(ssh-|ecdsa-)/.test(text.trim())) return "is a public key; it has to be the private one";
  if (!text.includes("PRIVATE KEY-----")) return "is no private key in OpenSSH or PEM form";
  if (text.includes("\r"))
    return "has Windows line ends (CRLF), which the servers' tools refuse; convert it (dos2unix)";
  const parsed = parseKey(text);
  if (!(parsed instanceof Error)) return undefined;
  return /passphrase|encrypted/i.test(parsed.message)
    ? "has a passphrase; take one without (ssh-keygen -p -N '' on a copy)"
    : "can't be read: it is cut off or damaged";
}

function parseKey(text: string): ParsedKey | Error {
  const parsed = ssh.parseKey(text);
  return Array.isArray(parsed) ? (parsed[0] ?? new Error("no key")) : parsed;
}

export function isName(text: string): boolean {
  return text.length <= 253 && /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(text);
}

/** Whether the body of an ed25519 key holds what it says: its type in 11 bytes, and 32 bytes of key. */
function isWhole(body: string): boolean {
  const blob = Buffer.from(body, "base64");
  return body.length === 68 && blob.length === 51 && blob.readUInt32BE(15) === 32;
}
