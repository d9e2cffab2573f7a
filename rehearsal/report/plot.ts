import { millis } from "./format";
import type { RequestSample, Switchover } from "./model";

const width = 960;
const height = 340;
const margin = { left: 60, right: 14, top: 26, bottom: 40 };
const inner = { w: width - margin.left - margin.right, h: height - margin.top - margin.bottom };

/** Milliseconds shown on each side of the switch. */
export const around = 5000;

/**
 * Every request around the switch as a dot, at its start and its latency, as SVG. Time is on a logarithmic scale, so
 * that 8 ms and 150 ms can both be read; failed requests are crosses, which also tells them apart without colour.
 */
export function latencyPlot(samples: RequestSample[], s: Switchover): string {
  const at = s.at ?? 0;
  const held = Number.isFinite(s.writePauseMs) ? s.writePauseMs : 0;
  const shown = samples.filter((r) => r.t >= at - around && r.t <= at + around);
  const top = Math.max(200, held, ...shown.map((r) => r.ms)) * 1.4;
  const x = (t: number) => margin.left + ((t - at + around) / (2 * around)) * inner.w;
  const y = (ms: number) => margin.top + inner.h * (1 - Math.log(Math.max(ms, 1)) / Math.log(top));
  return [
    `<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label(shown, s)}">`,
    shade(x(at), x(at + held), s),
    ...[1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000]
      .filter((v) => v < top)
      .map((v) => levelLine(v, y(v))),
    ...[-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map((sec) => secondMark(sec, x(at + sec * 1000))),
    ...shown.filter((r) => r.ok).map((r) => dot(r, x(r.t), y(r.ms), at)),
    ...shown.filter((r) => !r.ok).map((r) => cross(r, x(r.t), y(r.ms), at)),
    `<text class="axis" x="${margin.left}" y="${margin.top - 11}">how long each request took</text>`,
    `<text class="axis" x="${width - margin.right}" y="${height - 4}" text-anchor="end">seconds from the start of the pause</text>`,
    `</svg>`,
  ].join("\n");
}

function shade(from: number, to: number, s: Switchover): string {
  const w = Math.max(1.5, to - from);
  return (
    `<rect class="pause" x="${from.toFixed(1)}" y="${margin.top}" width="${w.toFixed(1)}" height="${inner.h}"/>` +
    `<text class="pause-label" x="${(from + w + 5).toFixed(1)}" y="${margin.top + 13}">writes wait ${millis(s.writePauseMs)}</text>`
  );
}

function levelLine(ms: number, y: number): string {
  return (
    `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>` +
    `<text class="tick" x="${margin.left - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${ms < 1000 ? `${ms} ms` : `${ms / 1000} s`}</text>`
  );
}

function secondMark(sec: number, x: number): string {
  const y = height - margin.bottom;
  const text = sec === 0 ? "0" : `${sec > 0 ? "+" : "−"}${Math.abs(sec)}`;
  return (
    `<line class="mark" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${y}" y2="${y + 5}"/>` +
    `<text class="tick" x="${x.toFixed(1)}" y="${y + 18}" text-anchor="middle">${text}</text>`
  );
}

function dot(r: RequestSample, x: number, y: number, at: number): string {
  const kind = r.write ? "write" : "read";
  return `<circle class="${kind}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.6"><title>${tip(r, at)}</title></circle>`;
}

function cross(r: RequestSample, x: number, y: number, at: number): string {
  const [l, t] = [(x - 4).toFixed(1), (y - 4).toFixed(1)];
  return `<path class="failed" d="M${l} ${t}l8 8m0 -8l-8 8"><title>${tip(r, at)}, failed</title></path>`;
}

function tip(r: RequestSample, at: number): string {
  const sec = ((r.t - at) / 1000).toFixed(2);
  return `${escape(r.kind)} at ${sec} s: ${millis(r.ms)}`;
}

function label(shown: RequestSample[], s: Switchover): string {
  const failed = shown.filter((r) => !r.ok).length;
  return `${shown.length} requests around the switch, ${failed} failed; writes waited ${millis(s.writePauseMs)}`;
}

/** Text as HTML and SVG take it. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
