/** The look of a report: light or dark as the reader's system, narrow or wide, on paper too. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1c2128; --soft: #57606a; --line: #d0d7de; --panel: #f6f8fa;
  --invariant: #b35309; --distinctive: #1a6fc4; --both: #6e7781; --student: #1a7f4b; --teacher: #7a6fb0; --baseline: #8c959f;
  --right: #1a7f4b; --wrong: #c0322b; --for: #e8710a; --against: #2b6fe0;
  --line-0: #1a6fc4; --line-1: #b35309; --line-2: #1a7f4b; --line-3: #8250df; --line-4: #bf3989; --line-5: #57606a; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1318; --text: #e6edf3; --soft: #9aa4af; --line: #343c46; --panel: #181e25;
  --invariant: #f0a04b; --distinctive: #62aef7; --both: #8b949e; --student: #4cc38a; --teacher: #a99cec; --baseline: #7d8793;
  --right: #4cc38a; --wrong: #ff8078; --for: #ff9a3c; --against: #6ea4ff;
  --line-0: #62aef7; --line-1: #f0a04b; --line-2: #4cc38a; --line-3: #b58bff; --line-4: #f778ba; --line-5: #9aa4af; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 1000px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 56px 0 12px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 28px 0 10px; }
p { max-width: 46em; margin: 10px 0; overflow-wrap: anywhere; }
.soft, .explain, figcaption, caption, .none, .id { color: var(--soft); }
.explain, figcaption, caption { font-size: .9rem; }
.lead { max-width: 46em; background: var(--panel); border-left: 4px solid var(--student); border-radius: 4px; padding: 4px 18px; }
.lead p:first-child { font-size: 1.15rem; }
.notice { background: var(--panel); border-left: 4px solid var(--invariant); border-radius: 4px; padding: 10px 14px; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; margin: 18px 0 0; font-size: .95rem; }
a { color: var(--distinctive); }
.scroll { overflow-x: auto; margin: 14px 0; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; width: 100%; }
caption { text-align: left; padding-bottom: 6px; }
caption span { display: inline-block; position: sticky; left: 0; max-width: calc(100vw - 40px); }
th, td { padding: 4px 10px 4px 0; text-align: left; vertical-align: middle; border-bottom: 1px solid var(--line); }
thead th { font-size: .82rem; font-weight: 600; color: var(--soft); vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 10em; max-width: 18em; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
.together { white-space: nowrap; }
.wide-cell { min-width: 130px; width: 22%; }
tr.main th, tr.main td { font-weight: 700; background: var(--panel); }
.facts { width: auto; }
.facts td, .facts th { overflow-wrap: anywhere; padding-right: 24px; }
.confusion { width: auto; border-spacing: 0; }
.confusion td { text-align: center; min-width: 2em; padding: 3px; border: 1px solid var(--page); }
.confusion thead th { text-align: center; padding: 3px; }
.confusion thead th:first-child { text-align: left; }
.confusion td.number { min-width: 4.5em; text-align: right; }
.confusion td.right { background: color-mix(in srgb, var(--right) var(--share), var(--panel)); }
.confusion td.wrong { background: color-mix(in srgb, var(--wrong) var(--share), var(--panel)); }
.confusion td.strong { color: var(--page); }
.timeline td { min-width: 5em; }
.timeline thead td { padding: 0; }
.timeline thead th { vertical-align: bottom; }
.timeline img { width: 100%; }
.rank { display: inline-block; min-width: 1.6em; color: var(--soft); }
svg { display: block; overflow: visible; }
svg text { font-size: 11px; fill: var(--soft); }
.chart { width: 100%; max-width: 420px; height: auto; }
.chart.wide { min-width: 480px; max-width: 720px; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.line-0 { stroke: var(--line-0); } .line-1 { stroke: var(--line-1); } .line-2 { stroke: var(--line-2); }
.line-3 { stroke: var(--line-3); } .line-4 { stroke: var(--line-4); } .line-5 { stroke: var(--line-5); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; list-style: none; margin: 2px 0 0; padding: 0; font-size: .85rem; color: var(--soft); }
.key { display: inline-block; width: 14px; height: 3px; margin-right: 5px; vertical-align: middle; }
.key-0 { background: var(--line-0); } .key-1 { background: var(--line-1); } .key-2 { background: var(--line-2); }
.key-3 { background: var(--line-3); } .key-4 { background: var(--line-4); } .key-5 { background: var(--line-5); }
.student { fill: var(--student); } .teacher { fill: var(--teacher); } .baseline { fill: var(--baseline); }
.invariant { fill: var(--invariant); } .distinctive { fill: var(--distinctive); } .both { fill: var(--both); } .neutral { fill: var(--baseline); }
.for { fill: var(--for); } .against { fill: var(--against); }
.whisker { stroke: var(--text); stroke-width: 1.5; }
.dot { fill: var(--page); stroke: var(--text); stroke-width: 1.2; }
.invariant-text { color: var(--invariant); } .distinctive-text { color: var(--distinctive); } .both-text { color: var(--both); }
.right-text { color: var(--right); } .wrong-text { color: var(--wrong); } .for-text { color: var(--for); } .against-text { color: var(--against); }
figure { margin: 14px 0; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 12px 28px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); gap: 4px 26px; }
.neighbours { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0 18px; border-bottom: 1px solid var(--line); }
.neighbours figure { min-width: 0; }
@media (max-width: 640px) { .neighbours { grid-template-columns: repeat(2, 1fr); } }
.gallery.short { grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); }
.gallery figure, .charts figure { margin: 6px 0 14px; min-width: 0; }
img { display: block; max-width: 100%; height: auto; border-radius: 3px; margin-bottom: 3px; }
.gallery img, .neighbours img { width: 100%; }
.id { font-size: .82rem; overflow-wrap: anywhere; display: block; }
pre { background: var(--panel); border-radius: 4px; padding: 10px 14px; overflow-x: auto; font-size: .85rem; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--distinctive); }
footer { padding-bottom: 48px; margin-top: 48px; color: var(--soft); font-size: .85rem; }
@media print { body { font-size: 11pt; } nav { display: none; } .scroll { overflow: visible; } tr, figure { break-inside: avoid; }
  h2, h3 { break-after: avoid; } * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`;
