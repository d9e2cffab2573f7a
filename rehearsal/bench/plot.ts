import { millis } from "../report/format";
import { escape } from "../report/plot";
import { isOurs } from "./goals";
import type { Switch } from "./measure";
import type { Results } from "./results";

const width = 960;
const margin = { left: 210, right: 190, top: 34, bottom: 30 };
const inner = width - margin.left - margin.right;
const rowHeight = 30;
const decades = [10, 100, 1_000, 10_000, 100_000];

interface Row {
  label: string;
  ours: boolean;
  switches: Switch[];
}

/** Every switch as a dot: how long no client was told of a write. Time is on a logarithmic scale; a bar is the median. */
export function plot(r: Results): string {
  const rows = [...ourRows(r), ...peerRows(r)];
  const height = margin.top + rows.length * rowHeight + margin.bottom;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="how long writes stood still, by contender">`,
    style,
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="title" x="${margin.left}" y="18">how long no write was acknowledged, each switch a dot</text>`,
    ...decades.map((ms) => level(ms, height)),
    ...rows.map((row, i) => drawn(row, margin.top + (i + 0.5) * rowHeight)),
    "</svg>",
  ].join("\n")}\n`;
}

function ourRows(r: Results): Row[] {
  return (r.pauses ?? []).flatMap(({ rttMs, there, back }) => [
    { label: `Trunkline there, ${rttMs} ms`, ours: true, switches: there.switches },
    { label: `Trunkline back, ${rttMs} ms`, ours: true, switches: back.switches },
  ]);
}

function peerRows(r: Results): Row[] {
  return (r.peers ?? []).map((p) => ({
    label: `${p.name}, ${p.rttMs} ms, side by side`,
    ours: isOurs(p),
    switches: p.switches,
  }));
}

const x = (ms: number) => margin.left + (Math.log10(Math.max(ms, 10) / 10) / 4) * inner;

function level(ms: number, height: number): string {
  const [at, end] = [x(ms).toFixed(1), height - margin.bottom];
  return (
    `<line class="grid" x1="${at}" x2="${at}" y1="${margin.top}" y2="${end}"/>` +
    `<text x="${at}" y="${end + 16}" text-anchor="middle">${ms < 1000 ? `${ms} ms` : `${ms / 1000} s`}</text>`
  );
}

function drawn({ label, ours, switches }: Row, y: number): string {
  const sorted = switches.map((s) => s.silenceMs).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  const bad = switches.reduce((n, s) => n + s.lost + s.duplicated, 0);
  const kind = bad ? "bad" : ours ? "ours" : "other";
  const dots = sorted.map((ms) => `<circle class="${kind}" cx="${x(ms).toFixed(1)}" cy="${y}" r="3.2"/>`);
  const at = x(median).toFixed(1);
  const said = `${millis(median)}${bad ? `, ${bad} lost or doubled` : ""}`;
  return [
    `<text class="row" x="${margin.left - 12}" y="${y + 4}" text-anchor="end">${escape(label)}</text>`,
    ...dots,
    `<line class="median" x1="${at}" x2="${at}" y1="${y - 9}" y2="${y + 9}"/>`,
    `<text class="${kind}" x="${width - margin.right + 10}" y="${y + 4}">${said}</text>`,
  ].join("\n");
}

/** A picture in a page of somebody else's: it brings its own background, and needs no other file. */
const style = `<style>
.page { fill: #ffffff; } text { font: 12px system-ui, sans-serif; fill: #5d6878; }
.title { font-weight: 600; } .row { fill: #1b2330; } .grid { stroke: #e3e7ed; }
circle { fill-opacity: 0.55; } .ours { fill: #2f6fde; } .other { fill: #7a8798; } .bad { fill: #c02626; }
.median { stroke: #1b2330; stroke-width: 1.6; }
</style>`;
