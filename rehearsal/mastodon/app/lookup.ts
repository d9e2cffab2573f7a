import { promises as dns, type LookupAddress } from "node:dns";
import net, { type LookupFunction } from "node:net";

const known = new Map<string, Promise<LookupAddress[]>>();

/**
 * Asks for a name once, however many wait for it: Node asks four at a time, and where a name server loses a question those
 * behind it would wait longer than Mastodon gives a store, or Redis. In Ruby each thread asks for itself.
 */
export const lookup: LookupFunction = (host, options, callback) => {
  addressesOf(host).then(
    ([first, ...more]) => {
      if (options.all) callback(null, [first!, ...more]);
      else callback(null, first!.address, first!.family);
    },
    (e: NodeJS.ErrnoException) => callback(e, []),
  );
};

/** What the name server says of a name, however long it takes. */
export function addressesOf(host: string): Promise<LookupAddress[]> {
  const asked = known.get(host) ?? dns.lookup(host, { all: true });
  known.set(host, asked);
  asked.catch(() => known.delete(host));
  return asked;
}

/** Asks ahead, when a process starts. */
export function learn(host: string): void {
  addressesOf(host).catch(() => undefined); // asked again when it is needed
}

/** Until what was asked ahead is known, or not to be had: Rails starts for longer than a new container's network needs. */
export async function learnt(): Promise<void> {
  await Promise.allSettled(known.values());
}

/** A connection to a name; one that broke, or was none, may be because it leads elsewhere now: it is asked for anew. */
export class NamedSocket extends net.Socket {
  override connect(...to: unknown[]): this {
    const [port, host] = to;
    if (typeof host !== "string") return super.connect(...(to as [string]));
    this.once("error", () => known.delete(host));
    return super.connect({ port: Number(port), host, lookup });
  }
}
