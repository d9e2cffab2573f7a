import { type Migration, parseMigration } from "../../config";
import { ed25519Pair } from "../../rehearsal/clouds/tls";

const pair = ed25519Pair();

/** A private key as ssh-keygen writes it. */
export const privateKey = pair.private;
export const publicKey = pair.public;
export const sourceHostKey = ed25519Pair().public.trim();
export const targetHostKey = ed25519Pair().public.trim();

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

/** Media to a store that is given by endpoint and keys, and no second server. */
export const media: Record<string, string> = {
  domain: "social.example",
  sourceHost: "198.18.0.10",
  sourceHostKey,
  sshPrivateKey: privateKey,
  targetProvider: "none",
  dnsProvider: "cloudflare",
  dnsZone: "social.example",
  mediaStore: "other",
  mediaBucket: "social-media",
  mediaHost: "media.social.example",
  mediaEndpoint: "https://s3.store.example",
  mediaAccessKey: "app-key",
  mediaSecretKey: "app-secret",
};

/** The same for the other stores; each with what it asks for, and without what it refuses. */
export const storesConfig: Record<"s3" | "r2" | "b2", Record<string, string>> = {
  s3: without(media, { mediaStore: "s3", mediaRegion: "eu-central-1" }),
  r2: without(media, { mediaStore: "r2", cloudflareAccountId: "0123456789abcdef0123456789abcdef" }),
  b2: without(media, {
    mediaStore: "b2",
    mediaCdn: "bunny",
    mediaAccessKey: "0012345678abcdef000000001",
    mediaSecretKey: "K001secret",
    bunnyApiKey: "bunny-api-key-of-the-account",
  }),
};

function without(base: Record<string, string>, change: Record<string, string>): Record<string, string> {
  const { mediaEndpoint, mediaAccessKey, mediaSecretKey, ...rest } = base;
  void [mediaEndpoint, mediaAccessKey, mediaSecretKey];
  return { ...rest, ...change };
}

export function migration(change: Record<string, string> = {}, base = good): Migration {
  const all = { ...base, ...change };
  return parseMigration((key) => all[key]);
}
