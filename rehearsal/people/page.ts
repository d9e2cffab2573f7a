import { now } from "./record";
import type { Web } from "./web";

/** The page that browsers have open: what its policy lets them load pictures from. They open it anew now and then. */
export class Page {
  /** When the page that they have was opened. */
  since = 0;
  private policy?: string;
  private opened = 0;

  constructor(
    private readonly web: Web,
    private readonly everyMs = 30_000,
  ) {}

  /** Why the page does not show this picture; undefined when it does. */
  async refuses(url: string, token: string): Promise<string | undefined> {
    if (now() - this.opened > this.everyMs) await this.reload(token);
    const allowed = /img-src ([^;]*)/.exec(this.policy ?? "")?.[1]?.split(" ");
    const own = url.startsWith(this.web.home);
    if (!allowed || own || allowed.some((host) => host.startsWith("https:") && url.startsWith(host)))
      return undefined;
    return `the page's policy is without ${new URL(url).origin}`;
  }

  /** A page that can't be loaded now leaves the old one on the screen. */
  private async reload(token: string): Promise<void> {
    const asked = (this.opened = now());
    const reply = await this.web.send({ kind: "page", method: "GET", path: "/about", token });
    if (!reply.ok) return;
    this.policy = String(reply.headers["content-security-policy"] ?? "");
    this.since = asked;
  }
}
