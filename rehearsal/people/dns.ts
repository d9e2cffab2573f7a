import { Resolver } from "node:dns/promises";

/** Resolves names the way a client does: at the lab's own server, and again only when the TTL has run out. */
export class Names {
  private readonly resolver = new Resolver({ timeout: 2000, tries: 2 });
  private readonly known = new Map<string, { address: string; until: number }>();
  private readonly asking = new Map<string, Promise<string>>();

  constructor(
    servers: string[],
    /** Told of each change of address. */
    private readonly onChange: (name: string, from: string, to: string) => void = () => undefined,
  ) {
    this.resolver.setServers(servers);
  }

  async address(name: string): Promise<string> {
    const known = this.known.get(name);
    if (known && known.until > Date.now()) return known.address;
    const asking = this.asking.get(name) ?? this.ask(name).finally(() => this.asking.delete(name));
    this.asking.set(name, asking);
    // A stale answer serves while the name server is away, as with systemd-resolved and unbound.
    return known ? asking.catch(() => known.address) : asking;
  }

  private async ask(name: string): Promise<string> {
    const [first] = await this.resolver.resolve4(name, { ttl: true });
    if (!first) throw new Error(`${name} has no address`);
    const before = this.known.get(name)?.address;
    this.known.set(name, { address: first.address, until: Date.now() + Math.max(1, first.ttl) * 1000 });
    if (before && before !== first.address) this.onChange(name, before, first.address);
    return first.address;
  }
}
