import * as pulumi from "@pulumi/pulumi";
import type { CloudServer, Migration } from "../config";
import type { SshServer } from "./ssh";

/** The new server, wherever it comes from. */
export interface TargetServer {
  address: pulumi.Input<string>;
  /** "" where it has none. */
  ipv6: pulumi.Input<string>;
  port: number;
  user: string;
  hostKey: pulumi.Input<string>;
  /** It is made by the program and may have to boot first. */
  fresh: boolean;
}

/**
 * Ids at the cloud of what bears this migration's label, by the part that it plays. All of it is imported: for what
 * the stack has already that is nothing, and what a killed run left it takes over.
 */
export interface Made {
  server?: string;
  sshKey?: string;
  /** A key with the same public half that somebody else has put there: used, and left alone. Not every cloud minds two. */
  foreignKey?: string;
  firewall?: string;
  ipv4?: string;
  ipv6?: string;
  /** Of the host key that the server was made with. */
  fingerprint?: string;
}

/** What a cloud knows of a migration. */
export interface Found {
  address?: string;
  made: Made;
}

export interface TargetArgs {
  migration: Migration;
  made: Made;
  /** What its addresses are called in reverse DNS. */
  reverseName: pulumi.Input<string>;
  /** It can't be deleted. */
  protect: boolean;
}

/** What a cloud's file makes a server with. */
export interface ServerArgs extends TargetArgs {
  wanted: CloudServer;
}

/** The target as it is now, found at its cloud and not in the stack; no server where there is none yet. */
export async function lookUpTarget(migration: Migration): Promise<{ server?: SshServer; made: Made }> {
  const { target, key } = migration;
  if (target.provider === "none") return { made: {} };
  const common = { side: "target", privateKey: key.private };
  if (target.provider === "existing") return { server: { ...common, ...target, pinned: target }, made: {} };
  const { address, made } = await cloud(target.provider).lookUp(migration);
  if (!address) return { made };
  const pinned = { fingerprint: made.fingerprint ?? "" };
  return { server: { ...common, host: address, port: 22, user: "root", pinned }, made };
}

/** The target as this run wants it; undefined where no server moves. */
export function targetServer(args: TargetArgs): TargetServer | undefined {
  const { target } = args.migration;
  if (target.provider === "none") return undefined;
  if (target.provider === "existing")
    return { ...target, address: target.host, ipv6: target.ipv6 ?? "", fresh: false };
  return cloud(target.provider).make("server", { ...args, wanted: target });
}

/** The host key's label for a server; refused where the server that is there was made with another. */
export function keyLabel(ours: string, { made, migration }: TargetArgs): string {
  if (made.server === undefined || made.fingerprint === ours) return ours;
  throw new pulumi.RunError(
    `${migration.target.provider} has a server for ${migration.domain} already (id ${made.server}), but this stack has not made it: ` +
      `its host key is another. What to do: if another stack made it, go on with that stack; if it is of no use any more, ` +
      `delete it at ${migration.target.provider} and run \`pulumi up\` again`,
  );
}

/** A cloud's file is loaded only where it is used, so that nobody needs the plugins of the others. */
function cloud(
  provider: "hetzner" | "vultr",
): typeof import("./server-hetzner") | typeof import("./server-vultr") {
  return provider === "hetzner" ? require("./server-hetzner") : require("./server-vultr");
}
