import https from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateAuthority } from "../lab/ca";

export type Handler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

interface Site {
  names: string[];
  context: SecureContext;
  handler: Handler;
}

/** One address on which many names are served with TLS, each by its own certificate and handler. */
export class Door {
  private readonly sites: Site[] = [];
  private readonly server: https.Server;

  private constructor(
    readonly address: string,
    private readonly ca: Pick<CertificateAuthority, "certificateFor">,
  ) {
    const SNICallback = (name: string, done: (e: Error | null, context?: SecureContext) => void) => {
      const site = this.site(name);
      if (site) done(null, site.context);
      else done(new Error(`nobody serves ${name} at ${address}`));
    };
    this.server = https.createServer({ SNICallback }, (req, res) => void this.handle(req, res));
    this.server.keepAliveTimeout = 60_000;
  }

  static async open(address: string, ca: Pick<CertificateAuthority, "certificateFor">): Promise<Door> {
    const door = new Door(address, ca);
    await new Promise<void>((resolve, reject) => {
      door.server.once("error", reject).listen(443, address, resolve);
    });
    return door;
  }

  /** Serves these names from now on; `*.` stands for one more label. The last one who takes a name has it. */
  async serve(names: string[], handler: Handler): Promise<void> {
    const { cert, key } = await this.ca.certificateFor(names);
    this.sites.unshift({ names, context: createSecureContext({ cert, key }), handler });
  }

  /** Whether anyone serves the name here. */
  serves(name: string): boolean {
    return this.site(name) !== undefined;
  }

  forget(name: string): void {
    for (const site of this.sites) site.names = site.names.filter((n) => n !== name);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private site(name: string): Site | undefined {
    const host = name.toLowerCase();
    const wild = host.replace(/^[^.]+\./, "*.");
    return this.sites.find((s) => s.names.includes(host)) ?? this.sites.find((s) => s.names.includes(wild));
  }

  private async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const site = this.site((req.headers.host ?? "").replace(/:\d+$/, ""));
    try {
      if (site) await site.handler(req, res);
      else res.writeHead(421).end();
    } catch {
      // Whoever asked has gone, or what stands behind has: the line is cut, as it would be.
      res.destroy();
    }
  }
}
