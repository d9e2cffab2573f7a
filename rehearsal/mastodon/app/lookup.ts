import { promises as dns, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";

const known = new Map<string, Promise<LookupAddress[]>>();

/**
 * Asks for a name once, however many wait for it. Podman's DNS in Debian 12 loses questions for seconds whenever a container
 * comes or goes (measured: 1 to 2 s an answer; containers/aardvark-dns#389), and Node asks four at a time: those behind
 * them would take longer than Mastodon gives a store. Docker's own answers at once.
 */
export const lookup: LookupFunction = (host, options, callback) => {
  const asked = known.get(host) ?? dns.lookup(host, { all: true });
  known.set(host, asked);
  asked.then(
    ([first, ...more]) => {
      if (options.all) callback(null, [first!, ...more]);
      else callback(null, first!.address, first!.family);
    },
    (e: NodeJS.ErrnoException) => {
      known.delete(host);
      callback(e, []);
    },
  );
};
