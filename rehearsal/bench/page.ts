import { type Found, type Results, type Stamp } from "./results";
import { markdown, tables } from "./tables";

/** What each part of the results is called on the page. */
const titles: Record<Exclude<keyof Found, "versions">, string> = {
  pauses: "write pause",
  peers: "side by side",
  seeding: "seeding",
  copying: "first copy of media",
  media: "media by their number",
  program: "the program",
  rehearsal: "rehearsal",
};

/** The page of figures: what was measured, when, on what, and how to measure it again. `picture` is a file beside it. */
export function page(r: Results, picture: string): string {
  const [reached, ...rest] = tables(r).map(markdown);
  return `${[
    "# Figures",
    "`npm run bench -- --figures docs/figures.md` wrote this page from what it measured; nothing in it is edited by hand.",
    ...(reached ? [reached] : ["Nothing has been measured yet."]),
    `![How long no write was acknowledged, each switch a dot](${picture})`,
    ...rest,
    "## How it was measured",
    about(r),
    "To measure again, as root on Debian 12 with nothing else running: `npm run bench`; `npm run bench -- --help` tells how to measure a part.",
  ].join("\n\n")}\n`;
}

function about(r: Results): string {
  const listed = (what: Record<string, string>) =>
    Object.entries(what).map(([name, value]) => `${name} ${value}`).join(", "); // prettier-ignore
  const parts = Object.entries(titles).map(([part, title]) => {
    const found = (r[part as keyof typeof titles] ?? []) as Partial<Stamp>[];
    const when = [...new Set(found.map(told))];
    const failed = r.failures[part] ? `; the last time: ${r.failures[part]}` : "";
    return `- ${title}: ${when.join("; ") || "not measured"}${failed}`;
  });
  return [
    `- machine: ${listed(r.machine)}; both servers, the delay between them, and the clients share it`,
    `- servers: Debian 12 with ${listed(r.versions)}`,
    ...parts,
  ].join("\n");
}

const told = ({ at, commit, busy = 0 }: Partial<Stamp>) =>
  `${at} at commit ${commit} (load average ${busy} when it began)`;
