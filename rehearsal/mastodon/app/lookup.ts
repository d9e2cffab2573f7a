import { promises as dns, type LookupAddress } from "node:dns";
import net, { type LookupFunction } from "node:net";

const known = new Map<string, Promise<LookupAddress[]>>();

/**
 * Asks for a name once, however many wait for it. Podman's DNS in Debian 12 loses questions for seconds whenever a container
 * comes or goes (measured: 5 s an answer and more, on a busy machine up to 28; containers/aardvark-dns#389), and Node asks
 * four at a time: those behind them would take longer than Mastodon gives a store, or Redis. Docker's own answers at once.
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

/** Until what was asked ahead is known, or not to be had: Rails starts for longer than Podman's DNS loses questions. */
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
