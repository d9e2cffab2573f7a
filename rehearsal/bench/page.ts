import type { Results } from "./results";
import { markdown, tables } from "./tables";

/** The page of figures: what was measured, when, on what, and how to measure it again. */
export function page(r: Results, command: string): string {
  const listed = (what: Record<string, string>) =>
    Object.entries(what).map(([name, value]) => `${name} ${value}`).join(", "); // prettier-ignore
  return `${[
    "# Figures",
    `Written by \`npm run bench\` from one run; nothing in it is edited by hand.`,
    [
      `- when: ${r.at}, at commit ${r.commit}`,
      `- machine: ${listed(r.machine)}; both servers, the delay between them, and the clients share it`,
      `- servers: Debian 12 with ${listed(r.versions)}`,
    ].join("\n"),
    `To measure again, as root on Debian 12 with nothing else running:\n\n\`\`\`sh\n${command}\n\`\`\``,
    ...tables(r).map(markdown),
  ].join("\n\n")}\n`;
}
