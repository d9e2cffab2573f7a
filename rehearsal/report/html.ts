import { bytes, duration, millis, whole } from "./format";
import { kinds, type Ledger, type MediaBooks, type Report, type Switchover } from "./model";
import { escape, latencyPlot } from "./plot";
import { style } from "./style";
import { timeline, waterfall } from "./timeline";
import { lostThings, twice, verdict } from "./verdict";

/** The report as one HTML file that asks for nothing else: no script, no font, no picture from anywhere. */
export function htmlReport(r: Report): string {
  const title = `Rehearsal of ${r.example}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escape(`${title}: ${r.ok ? "good" : "not good"}`)}</title>
<style>${style}</style>
</head>
<body><main>
<h1>Trunkline · ${escape(title)} · ${new Date(r.startedAt).toISOString().slice(0, 16).replace("T", " ")} UTC</h1>
<div class="verdict ${r.ok ? "good" : "bad"}" id="verdict">${r.ok ? "✔" : "✘"} ${escape(verdict(r))}</div>
${tiles(r)}
${fault(r)}
${r.switchover ? plotSection("The moment of the switch", r, r.switchover) : ""}
${r.back ? plotSection("The way back", r, r.back) : ""}
${r.media ? mediaSection(r.media) : ""}
${ledgerSection("The ledger", r.ledger)}
${r.backLedger ? ledgerSection("The ledger after the way back", r.backLedger) : ""}
<div class="two">${federation(r)}${people(r)}</div>
${timeline(r)}
${environment(r)}
<footer>Every figure on this page was measured in this run. The ledger is drawn up by a judge that shares no code with what moved the data.</footer>
</main></body>
</html>
`;
}

function tiles(r: Report): string {
  const tile = (value: string, text: string, bad = false) =>
    `<div class="tile${bad ? " bad" : ""}"><b>${value}</b><span>${text}</span></div>`;
  const { failed, requests, longestStallMs } = r.clients;
  return `<div class="tiles">
${r.switchover ? tile(millis(r.switchover.writePauseMs), `write pause at ${millis(r.switchover.rttMs)} round trip`) : ""}
${r.media ? tile(whole(r.media.objects), `objects in the bucket, ${bytes(r.media.bytes)}`) : ""}
${tile(whole(failed), `of ${whole(requests)} requests failed`, failed > 0 && !r.ok)}
${tile(whole(lostThings(r)), "things lost", lostThings(r) > 0)}
${tile(whole(twice(r)), "things twice", twice(r) > 0)}
${tile(millis(longestStallMs), "longest wait of anyone")}
${tile(duration(r.seconds), "the whole migration")}
</div>`;
}

function fault(r: Report): string {
  if (!r.fault) return "";
  return `<section id="fault"><h2>What was broken on purpose: ${escape(r.fault.name)}</h2>
<p class="note">${escape(r.fault.title)}</p>${[...r.fault.story, r.fault.ending].map((told) => `<p>${escape(told)}</p>`).join("")}</section>`;
}

function plotSection(title: string, r: Report, s: Switchover): string {
  if (s.at === undefined) return "";
  return `<section class="latency"><h2>${title}</h2>
<p class="note">Every request of every person, five seconds before and after. ${whole(s.writesPerSecond)} writes a second.</p>
<div class="scroll">${latencyPlot(r.requests, s)}</div>
<div class="legend"><span><i style="background:var(--read)"></i>read</span><span><i style="background:var(--write)"></i>write</span>
<span><b>✕</b>failed</span><span><i class="box" style="background:var(--pause)"></i>writes are held</span></div>
${waterfall(s)}</section>`;
}

function mediaSection(m: MediaBooks): string {
  return `<section id="media"><h2>The media</h2>
<p class="note">Rows, disk and bucket, each read by the judge himself; links fetched by other servers and readers all along.</p>${facts(
    {
      objects: whole(m.objects),
      bytes: bytes(m.bytes),
      missing: [whole(m.missing), m.missing > 0],
      wrong: [whole(m.wrong), m.wrong > 0],
      "links broken": [whole(m.brokenLinks), m.brokenLinks > 0],
      ...(m.linksFetched === undefined ? {} : { "links fetched": whole(m.linksFetched) }),
      "private files exposed": [whole(m.privateExposed), m.privateExposed > 0],
      "private files withheld, since the store can’t keep them private": whole(m.withheld),
    },
  )}${list(m.findings)}</section>`;
}

function ledgerSection(title: string, l: Ledger): string {
  const bad = (n: number) => `<td class="n${n > 0 ? " bad" : ""}">${whole(n)}</td>`;
  const rows = kinds.map(
    (k) =>
      `<tr><td>${k}</td><td class="n">${whole(l.acknowledged[k])}</td>${bad(l.lost[k])}${bad(l.duplicated[k])}</tr>`,
  );
  const { tables: t, mediaFiles: m, sequences: s } = l;
  const whole_ = (name: string, compared: string, n: number, what: string) =>
    `<tr><td>${name}</td><td>${compared}</td><td class="n${n > 0 ? " bad" : ""}">${whole(n)} ${what}</td></tr>`;
  return `<section class="ledger"><h2>${title}</h2>
<p class="note">What was acknowledged to anyone, and what of it the server that now holds the data does not have, or has twice.</p>
<div class="scroll"><table><tr><th></th><th class="n">acknowledged</th><th class="n">lost</th><th class="n">twice</th></tr>${rows.join("")}</table></div>
<p class="note" style="margin-top:16px">${t.compared > 0 ? "The two servers compared, whole" : "Looked at as a whole"}:</p>
<div class="scroll"><table>
${t.compared + t.different.length === 0 ? "" : whole_("tables", `${whole(t.compared)} with ${whole(t.rows)} rows, by checksum`, t.different.length, "differ")}
${m.compared + m.missing + m.different === 0 ? "" : whole_("media files", `${whole(m.compared)} with ${bytes(m.bytes)}, by checksum`, m.missing + m.different, "missing or different")}
${whole_("sequences", whole(s.compared), s.behind.length, "behind")}
</table></div>${excused(l)}${list(l.findings)}</section>`;
}

function excused(l: Ledger): string {
  return (l.excused ?? [])
    .map((text) => `<p class="note">Not counted as lost: ${escape(text)}.</p>`)
    .join("");
}

function list(findings: string[]): string {
  if (findings.length === 0) return "";
  return `<ul class="findings">${findings.map((f) => `<li>${escape(f)}</li>`).join("")}</ul>`;
}

function federation({ federation: f }: Report): string {
  return `<section><h2>Remote servers</h2><p class="note">They deliver and retry by Mastodon’s rules.</p>${facts(
    {
      "delivered to us": whole(f.delivered),
      "dropped for ever": [whole(f.dropped), f.dropped > 0],
      "tries put off": whole(f.retried),
      ...(f.received === undefined ? {} : { "delivered by us": whole(f.received) }),
      ...(f.pending === undefined ? {} : { "under way at the end": whole(f.pending) }),
    },
  )}</section>`;
}

function people({ clients: c }: Report): string {
  const s = c.streams;
  return `<section><h2>People</h2><p class="note">They post, upload, follow, read, and keep live feeds open.</p>${facts(
    {
      requests: whole(c.requests),
      failed: [whole(c.failed), c.failed > 0],
      "longest wait": millis(c.longestStallMs),
      ...(c.writeStallMs === undefined
        ? {}
        : { "longest wait of a write at the switch": millis(c.writeStallMs) }),
      ...(s ? { "live feeds": whole(s.clients), "events seen live": whole(s.events) } : {}),
      ...(s
        ? {
            reconnects: `${whole(s.reconnects)}${s.reconnects > 0 ? `, away ${millis(s.longestGapMs)} at most` : ""}`,
          }
        : {}),
    },
  )}</section>`;
}

function environment(r: Report): string {
  const all = Object.fromEntries(Object.entries(r.environment).map(([k, v]) => [k, escape(v)]));
  return `<section><h2>Where this was rehearsed</h2>${facts(all)}</section>`;
}

function facts(all: Record<string, string | [string, boolean]>): string {
  const row = ([k, v]: [string, string | [string, boolean]]) =>
    `<tr><td>${escape(k)}</td>${typeof v === "string" ? `<td class="n">${v}</td>` : `<td class="n${v[1] ? " bad" : ""}">${v[0]}</td>`}</tr>`;
  return `<table>${Object.entries(all).map(row).join("")}</table>`;
}
