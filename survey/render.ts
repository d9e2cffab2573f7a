import type { Estimate, Pause } from "./estimates";
import { type Finding, type Seen, size } from "./finding";
import type { Raw } from "./raw";
import { mediaRows } from "./render-media";
import type { Cost } from "./storage-estimates";

/**
 * The preview's picture of the migration: both servers, the media's way to a bucket and its cost, what was found, the
 * steps to come, and the expected write pause.
 */
export function render(
  seen: Seen,
  findings: Finding[],
  steps: Estimate[],
  { pause, cost }: { pause?: Pause; cost?: Cost } = {},
): string {
  const media = mediaRows(seen, cost);
  return [
    table("Survey", surveyRows(seen)),
    ...(media.length ? [table("Media", media)] : []),
    findings.length ? `Findings\n${findings.map(renderFinding).join("\n")}` : "Findings\n  none",
    steps.length ? table("Steps", stepRows(steps)) : "Steps\n  none: all is as it should be",
    ...(pause ? [renderPause(pause)] : []),
  ].join("\n\n");
}

function renderPause({ ms, because, measured }: Pause): string {
  const own = measured ? "" : "; your own round trip, until the target is there";
  return `Writes will wait about ${ms} ms in the switchover (${because}${own}).`;
}

export function renderFinding(f: Finding): string {
  const accept = f.acceptable ? ` Or accept it: acceptFindings=${f.code}` : "";
  return `  ${f.level} ${f.code}: ${f.title}\n    found: ${f.evidence}\n    do: ${f.remedy}.${accept}`;
}

/** Where no server moves, nothing is said of a second one. */
function surveyRows(seen: Seen): string[][] {
  const rows = serverRows(seen);
  if (seen.migration.target.provider !== "none") return rows;
  return rows.slice(1, -1).map((row) => row.slice(0, 2));
}

function serverRows({ source, target, at, dns, migration }: Seen): string[][] {
  const both = (read: (host: Raw) => string | null | undefined) =>
    [source, target].map((h) => (h && read(h)) || "-");
  return [
    ["", "source", "target"],
    [
      "address",
      migration.source.host,
      target?.peer ? (target.host.addresses.ipv4[0] ?? "-") : target ? target.host.name : "not there yet",
    ],
    [
      "system",
      ...both((h) => `${h.host.os.name}, ${h.host.arch}, ${h.host.libc.kind} ${h.host.libc.version}`),
    ],
    ["memory, processors", ...both((h) => `${size(h.host.memoryBytes)}, ${h.host.cpus}`)],
    ["disk free", ...both((h) => h.disks.map((d) => `${d.mount} ${size(d.freeBytes)}`).join(", "))],
    ["Mastodon", ...both((h) => h.mastodon?.version)],
    [
      "Postgres",
      ...both(
        (h) =>
          h.postgres && `${h.postgres.version} ${h.postgres.role}, ${size(h.postgres.clusterBytes)}`.trim(),
      ),
    ],
    [
      "Redis",
      ...both((h) => h.redis && `${h.redis.version} ${h.redis.role}, ${size(h.redis.usedBytes)}`.trim()),
    ],
    ["media", ...both((h) => h.media && mediaOf(h.media))],
    [
      "DNS",
      dns
        .map((r) => `${r.name} ${r.type} ${r.values.join(" ")} (${r.proxied ? "proxied" : `${r.ttl} s`})`)
        .join(", ") || "-",
      "",
    ],
    ["stands at", at, `goes to ${migration.phase}`],
  ];
}

function mediaOf(media: NonNullable<Raw["media"]>): string {
  if (media.store !== "local") return media.store;
  const classes = Object.entries(media.classes)
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(([name, c]) => `${name} ${size(c.bytes)}`);
  return `${size(media.bytes)} in ${media.files ?? "?"} files${classes.length ? ` (${classes.join(", ")})` : ""}`;
}

function stepRows(steps: Estimate[]): string[][] {
  const total = steps.reduce((sum, s) => sum + s.seconds, 0);
  return [
    ...steps.map((s, i) => [`${i + 1}`, s.step, duration(s.seconds), s.because]),
    ["", "all", duration(total), ""],
  ];
}

/** 95 → 1 min 35 s. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

function table(title: string, rows: string[][]): string {
  const widths = rows.reduce<number[]>(
    (w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)),
    [],
  );
  const line = (row: string[]) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd();
  return [title, ...rows.map(line)].join("\n");
}
