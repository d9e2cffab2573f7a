import { duration, millis } from "./format";
import type { PhaseTime, Report, StepTime, Switchover } from "./model";
import { stepsOf, titleOf } from "./phases";
import { escape } from "./plot";

/** The phases one below the other, each with its steps as bars along the phase's own time. */
export function timeline(r: Report): string {
  const rows = r.phases.map((p) => phaseRows({ ...p, phase: titleOf(r, p) }, stepsOf(r, p)));
  const loose = r.steps.filter((s) => !r.phases.some((p) => p.phase === s.phase));
  const rest = loose.length > 0 ? phaseRows({ phase: "steps", seconds: total(loose) }, loose) : "";
  return `<section id="timeline"><h2>Phases and steps</h2>
<p class="note">Each bar lies where its step lay in its phase: <span style="color:var(--bar)">■</span> old server,
<span style="color:var(--bar2)">■</span> new server.</p>
<div class="scroll"><div class="gantt">${rows.join("")}${rest}</div></div></section>`;
}

function phaseRows(p: PhaseTime, steps: StepTime[]): string {
  const from = p.startedAt ?? steps[0]?.startedAt ?? 0;
  const length = Math.max(p.seconds, 0.001);
  let next = 0; // without start times, steps lie one after the other
  const rows = steps.map((s) => {
    const begin = s.startedAt === undefined || !from ? next : (s.startedAt - from) / 1000;
    next = begin + s.seconds;
    return stepRow(s, (begin / length) * 100, (s.seconds / length) * 100);
  });
  return `<div class="phase"><span>${escape(p.phase)}</span><span>${duration(p.seconds)}</span></div>${rows.join("")}`;
}

function stepRow(s: StepTime, left: number, width: number): string {
  const from = Math.min(Math.max(left, 0), 99.5);
  const place = `left:${from.toFixed(2)}%;width:${Math.min(Math.max(width, 0), 100 - from).toFixed(2)}%`;
  const side = /target|new/.test(s.host) ? " target" : "";
  const failed = s.outcome === "failed" ? " failed" : "";
  const note =
    s.outcome === "changed" || s.outcome === "" ? "" : ` <span class="soft">${escape(s.outcome)}</span>`;
  return `<span>${escape(s.name)}${note}</span><span class="soft">${escape(s.host)}</span>
<span class="track${side}${failed}"><i style="${place}"></i></span><span class="n">${duration(s.seconds)}</span>`;
}

/** The numbered steps of the switchover, in milliseconds. */
export function waterfall(s: Switchover): string {
  if (!s.steps || s.steps.length === 0) return "";
  const all = Math.max(
    1,
    s.steps.reduce((sum, x) => sum + x.ms, 0),
  );
  let at = 0;
  const rows = s.steps.map((x) => {
    const place = `left:${((at / all) * 100).toFixed(2)}%;width:${((x.ms / all) * 100).toFixed(2)}%`;
    at += x.ms;
    return `<span>${escape(x.name)}</span><span class="soft">${x.n}</span><span class="track"><i style="${place}"></i></span><span class="n">${millis(x.ms)}</span>`;
  });
  return `<h2 style="margin-top:20px">What the switchover did</h2><div class="scroll"><div class="gantt">${rows.join("")}</div></div>`;
}

function total(steps: StepTime[]): number {
  return steps.reduce((sum, s) => sum + s.seconds, 0);
}
