import { utils } from "ssh2";
import { type Migration, parseMigration } from "../../config";

const pair = utils.generateKeyPairSync("ed25519");

/** A private key as ssh-keygen writes it. */
export const privateKey = pair.private;
export const publicKey = pair.public;
export const sourceHostKey = utils.generateKeyPairSync("ed25519").public.trim();
export const targetHostKey = utils.generateKeyPairSync("ed25519").public.trim();

/** A configuration in good order: an existing target, DNS by hand. */
export const good: Record<string, string> = {
  domain: "social.example",
  sourceHost: "198.18.0.10",
  sourceHostKey,
  sshPrivateKey: privateKey,
  targetHost: "198.18.1.10",
  targetHostKey,
};

/** The same with a server that the program makes, and a zone that it adopts. */
export const cloud: Record<string, string> = {
  domain: "social.example",
  sourceHost: "198.18.0.10",
  sourceHostKey,
  sshPrivateKey: privateKey,
  targetProvider: "hetzner",
  adminCidrs: "203.0.113.7/32",
  dnsProvider: "cloudflare",
  dnsZone: "social.example",
};

export function migration(change: Record<string, string> = {}, base = good): Migration {
  const all = { ...base, ...change };
  return parseMigration((key) => all[key]);
}
