import { bytes, duration, millis, whole } from "./format";
import { kinds, type Ledger, type MediaBooks, type Report, type Switchover } from "./model";
import { stepsOf, titleOf } from "./phases";
import { verdict } from "./verdict";

type Paint = (text: string, colour: "red" | "green" | "dim" | "bold") => string;
const codes = { red: "31", green: "32", dim: "2", bold: "1" };

/** The report for a terminal: what a tired admin wants to know, on one screen. */
export function terminalReport(r: Report, o: { colour?: boolean } = {}): string {
  const paint: Paint = (text, colour) => (o.colour ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text);
  const good = paint(r.ok ? "✔" : "✘", r.ok ? "green" : "red");
  return [
    "",
    `${good} ${paint(`${r.example}: ${verdict(r)}`, "bold")}`,
    "",
    ...facts(r, paint),
    ...fault(r),
    "",
    ...phaseLines(r, paint),
    "",
    ...ledgerLines("ledger", r.ledger, paint),
    ...(r.backLedger ? ["", ...ledgerLines("ledger after the way back", r.backLedger, paint)] : []),
    "",
  ].join("\n");
}

function facts(r: Report, paint: Paint): string[] {
  const { clients: c, federation: f } = r;
  const zero = (n: number, text: string) => (n > 0 ? paint(text, "red") : text);
  const streams = c.streams;
  return [
    ...(r.switchover ? [line("switchover", pause(r.switchover))] : []),
    ...(r.back ? [line("way back", pause(r.back))] : []),
    line(
      "people",
      `${whole(c.requests)} requests, ${zero(c.failed, `${whole(c.failed)} failed`)}, longest wait ${millis(c.longestStallMs)}`,
    ),
    ...(streams
      ? [
          line(
            "live feeds",
            `${whole(streams.clients)} open, ${whole(streams.events)} events, ${whole(streams.reconnects)} reconnects` +
              (streams.reconnects > 0 ? `, away ${millis(streams.longestGapMs)} at most` : ""),
          ),
        ]
      : []),
    line(
      "federation",
      `${whole(f.delivered)} delivered, ${zero(f.dropped, `${whole(f.dropped)} dropped`)}, ${whole(f.retried)} retried` +
        (f.received === undefined ? "" : `; ${whole(f.received)} sent out`),
    ),
    ...(r.media ? mediaLines(r.media, paint) : []),
    line("whole time", duration(r.seconds)),
  ];
}

function mediaLines(m: MediaBooks, paint: Paint): string[] {
  const zero = (n: number, what: string) => (n > 0 ? paint(`${whole(n)} ${what}`, "red") : `0 ${what}`);
  const links = m.linksFetched === undefined ? "" : ` of ${whole(m.linksFetched)} fetched`;
  return [
    line(
      "media",
      `${whole(m.objects)} objects (${bytes(m.bytes)}), ${zero(m.missing, "missing")}, ${zero(m.wrong, "wrong")}`,
    ),
    line(
      "",
      `${zero(m.brokenLinks, "links broken")}${links}, ${zero(m.privateExposed, "private exposed")}, ${whole(m.withheld)} withheld`,
    ),
    ...m.findings.map((f) => paint(`  ! ${f}`, "red")),
  ];
}

function pause(s: Switchover): string {
  const redis = !Number.isFinite(s.redisPauseMs ?? NaN) ? "" : `, Redis ${millis(s.redisPauseMs ?? 0)}`;
  return `writes waited ${millis(s.writePauseMs)}${redis} (round trip ${millis(s.rttMs)}, ${whole(s.writesPerSecond)} writes/s)`;
}

function fault(r: Report): string[] {
  if (!r.fault) return [];
  const { name, title, story, ending } = r.fault;
  return [line("fault", `${name}: ${title}`), ...[...story, ending].map((told) => line("", told))];
}

function phaseLines(r: Report, paint: Paint): string[] {
  const widest = Math.max(1, ...r.phases.map((p) => p.seconds));
  return r.phases.map((p) => {
    const slow = stepsOf(r, p).sort((a, b) => b.seconds - a.seconds)[0];
    const bar = "━".repeat(Math.max(1, Math.round((p.seconds / widest) * 24)));
    const note = slow && slow.seconds > 1 ? paint(`${slow.name} ${duration(slow.seconds)}`, "dim") : "";
    return `  ${titleOf(r, p).padEnd(16)}${duration(p.seconds).padStart(10)}  ${bar.padEnd(26)}${note}`.trimEnd();
  });
}

function ledgerLines(title: string, l: Ledger, paint: Paint): string[] {
  const cell = (n: number, bad: boolean) => {
    const text = whole(n).padStart(14);
    return bad && n > 0 ? paint(text, "red") : text;
  };
  const rows = kinds.map(
    (k) =>
      `  ${k.padEnd(12)}${cell(l.acknowledged[k], false)}${cell(l.lost[k], true)}${cell(l.duplicated[k], true)}`,
  );
  const { tables: t, mediaFiles: m, sequences: s } = l;
  return [
    paint(
      `  ${title.padEnd(12)}${["acknowledged", "lost", "twice"].map((h) => h.padStart(14)).join("")}`,
      "dim",
    ),
    ...rows,
    // Where one server alone has the data there is nothing to compare them with.
    ...(t.compared + t.different.length > 0
      ? [
          line(
            "tables",
            `${whole(t.compared)} compared (${whole(t.rows)} rows), ${t.different.length} differ`,
          ),
        ]
      : []),
    ...(m.compared + m.missing + m.different > 0
      ? [
          line(
            "files",
            `${whole(m.compared)} compared (${bytes(m.bytes)}), ${m.missing} missing, ${m.different} differ`,
          ),
        ]
      : []),
    line("sequences", `${whole(s.compared)} compared, ${s.behind.length} behind`),
    ...(l.excused ?? []).map((text) => line("excused", text)),
    ...l.findings.map((f) => paint(`  ! ${f}`, "red")),
  ];
}

function line(label: string, text: string): string {
  return `  ${label.padEnd(12)}${text}`;
}
