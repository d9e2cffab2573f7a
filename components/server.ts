import type * as pulumi from "@pulumi/pulumi";
import type { Migration } from "../config";
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

export interface ServerArgs {
  migration: Migration;
  /** What its addresses are called in reverse DNS. */
  reverseName: pulumi.Input<string>;
  /** It can't be deleted. */
  protect: boolean;
}

/** The target as it is now, found at its cloud and not in the stack; undefined where there is none yet. */
export async function lookUpTarget(migration: Migration): Promise<SshServer | undefined> {
  const { target, key } = migration;
  if (target.provider === "none") return undefined;
  const common = { side: "target", privateKey: key.private };
  if (target.provider === "existing") return { ...common, ...target, pinned: target };
  const found = await cloud(target.provider).lookUp(migration.domain);
  return (
    found && {
      ...common,
      host: found.address,
      port: 22,
      user: "root",
      pinned: { fingerprint: found.fingerprint },
    }
  );
}

/** The target as this run wants it; undefined where no server moves. */
export function targetServer(args: ServerArgs): TargetServer | undefined {
  const { target } = args.migration;
  if (target.provider === "none") return undefined;
  if (target.provider === "existing")
    return { ...target, address: target.host, ipv6: target.ipv6 ?? "", fresh: false };
  return cloud(target.provider).make("server", args);
}

/** A cloud's file is loaded only where it is used, so that nobody needs the plugins of the others. */
function cloud(
  provider: "hetzner" | "vultr",
): typeof import("./server-hetzner") | typeof import("./server-vultr") {
  return provider === "hetzner" ? require("./server-hetzner") : require("./server-vultr");
}
