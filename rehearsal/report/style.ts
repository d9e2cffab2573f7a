/** The look of the report: the system's own fonts, light or dark as the reader's system is, and fit to be printed. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5d6878; --line: #dfe3e9; --grid: #e9ecf1;
  --good: #0f7b4f; --good-bg: #e2f5ec; --bad: #c02626; --bad-bg: #fdeaea;
  --read: #8fa3bd; --write: #2f6fde; --pause: #f3c64a55; --pause-ink: #8a6100;
  --bar: #2f6fde; --bar2: #17917f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #1a2029; --ink: #e8ecf2; --soft: #98a4b5; --line: #2c3542; --grid: #262e3a;
    --good: #4cd097; --good-bg: #12301f; --bad: #ff7b7b; --bad-bg: #3a1a1c;
    --read: #66788f; --write: #6ea3ff; --pause: #d9a92d44; --pause-ink: #ecc45c;
    --bar: #5b92f5; --bar2: #35b8a4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 15px; font-weight: 600; color: var(--soft); margin: 0 0 10px; }
h2 { font-size: 17px; margin: 0 0 4px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin-top: 16px; }
p.note { color: var(--soft); margin: 0 0 12px; }
.verdict { border-radius: 10px; padding: 18px 22px; font-size: 22px; line-height: 1.3; font-weight: 650; }
.verdict.good { background: var(--good-bg); color: var(--good); }
.verdict.bad { background: var(--bad-bg); color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 12px; margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 24px; line-height: 1.25; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile span { color: var(--soft); font-size: 13px; }
.tile.bad b { color: var(--bad); }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 16px; }
.two section { min-width: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 13px; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.bad { color: var(--bad); font-weight: 650; }
ul.findings { color: var(--bad); margin: 10px 0 0; padding-left: 20px; }
.scroll { overflow-x: auto; }
svg.plot { width: 100%; min-width: 620px; height: auto; display: block; }
svg .grid { stroke: var(--grid); } svg .mark { stroke: var(--soft); }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .pause { fill: var(--pause); } svg .pause-label { fill: var(--pause-ink); font-weight: 600; }
svg .read { fill: var(--read); } svg .write { fill: var(--write); }
svg .failed { stroke: var(--bad); stroke-width: 2.2; fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 18px; color: var(--soft); font-size: 13px; margin-top: 8px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 6px; }
.legend i.box { border-radius: 2px; } .legend b { color: var(--bad); margin-right: 5px; }
.gantt { display: grid; grid-template-columns: minmax(120px, max-content) minmax(50px, max-content) 1fr max-content; gap: 3px 12px; font-size: 13px; align-items: center; }
.gantt .phase { grid-column: 1 / -1; font-weight: 650; font-size: 14px; margin-top: 10px; display: flex; justify-content: space-between; border-bottom: 1px solid var(--line); }
.gantt .track { background: var(--grid); border-radius: 3px; height: 9px; position: relative; min-width: 80px; }
.gantt .track i { position: absolute; top: 0; bottom: 0; min-width: 3px; border-radius: 3px; background: var(--bar); }
.gantt .target .track i, .gantt .track.target i { background: var(--bar2); }
.gantt .track.failed i { background: var(--bad); }
.gantt .soft { color: var(--soft); } .gantt .n { text-align: right; font-variant-numeric: tabular-nums; }
footer { color: var(--soft); font-size: 13px; margin-top: 20px; }
@media print { body { background: none; } section, .tile { break-inside: avoid; } }
`;
