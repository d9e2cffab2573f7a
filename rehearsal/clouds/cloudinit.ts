/** The parts of cloud-init that the rehearsal's servers carry out; anything else is refused, never ignored. */
import { parse } from "yaml";

export interface CloudConfig {
  hostname?: string;
  hostKey?: { private: string; public: string };
  authorizedKeys: string[];
}

type Yaml = { [key: string]: unknown };

/** Settings that change nothing on the lab's Debian image when they have this value. */
const HARMLESS: Record<string, unknown[]> = {
  disable_root: [false],
  ssh_pwauth: [false],
  ssh_deletekeys: [true],
  package_update: [false],
  package_upgrade: [false],
  preserve_hostname: [false],
};

function refuse(what: string): never {
  throw new Error(
    `user data: ${what} is not among the parts of cloud-init that the rehearsal's servers carry out: hostname, fqdn, ` +
      `ssh_keys.ed25519_private/public, ssh_genkeytypes [ed25519], ssh_authorized_keys, users (root or default, with its keys)`,
  );
}

function strings(value: unknown, at: string): string[] {
  if (!Array.isArray(value) || !value.every((v) => typeof v === "string")) {
    throw new Error(`user data: ${at} must be a list of strings`);
  }
  return value as string[];
}

function hostKeyOf(keys: Yaml): { private: string; public: string } {
  const { ed25519_private: secret, ed25519_public: pub, ...others } = keys;
  const surplus = Object.keys(others)[0];
  if (surplus) refuse(`ssh_keys.${surplus}`);
  if (typeof secret !== "string" || typeof pub !== "string") {
    throw new Error("user data: ssh_keys needs both ed25519_private and ed25519_public");
  }
  return { private: secret, public: pub };
}

function keysOfUsers(users: unknown): string[] {
  if (!Array.isArray(users)) throw new Error("user data: users must be a list");
  return users.flatMap((user: unknown) => {
    if (user === "default") return [];
    const { name, ssh_authorized_keys: keys = [], lock_passwd: lock = true, ...others } = user as Yaml;
    const surplus = Object.keys(others)[0];
    if (name !== "root" || lock !== true || surplus) refuse(`users: ${JSON.stringify(surplus ?? name)}`);
    return strings(keys, "users[].ssh_authorized_keys");
  });
}

/** Reads the user data of a server; empty user data asks for nothing. */
export function cloudConfigOf(userData: string): CloudConfig {
  if (userData.trim() === "") return { authorizedKeys: [] };
  if (!userData.startsWith("#cloud-config\n"))
    refuse(`"${userData.split("\n")[0]?.slice(0, 40)}" (only #cloud-config is)`);
  const config: CloudConfig = { authorizedKeys: [] };
  for (const [key, value] of Object.entries((parse(userData) ?? {}) as Yaml)) {
    if (key === "hostname") config.hostname = String(value);
    else if (key === "fqdn") config.hostname ??= String(value).split(".")[0];
    else if (key === "ssh_keys") config.hostKey = hostKeyOf(value as Yaml);
    else if (key === "ssh_authorized_keys") config.authorizedKeys.push(...strings(value, key));
    else if (key === "users") config.authorizedKeys.push(...keysOfUsers(value));
    else if (key === "ssh_genkeytypes" && JSON.stringify(value) === '["ed25519"]') continue;
    else if (!HARMLESS[key]?.includes(value)) refuse(`${key}: ${JSON.stringify(value)}`);
  }
  return config;
}
