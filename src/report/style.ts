/** The look of a report. Colours are variables, so that light and dark are two lists of them. */

const LIGHT = `
  color-scheme: light;
  --page: #f6f7f9; --card: #ffffff; --line: #e4e7ec; --soft: #f0f2f5;
  --text: #16202e; --muted: #5d6b7e; --faint: #626f81;
  --good: #0b7a5c; --good-soft: #dcf3ea; --warn: #8f4c00; --warn-soft: #fdeed8; --bad: #b42334; --bad-soft: #fde4e6;
  --calm: #4a5b73; --calm-soft: #e6eaf0; --accent: #3b4fd1;
  --s1: #3b4fd1; --s2: #0b9a84; --s3: #d98a00; --s4: #d33a6a; --s5: #2a8fd0; --s6: #8a4bc4; --s7: #6b9a1e; --s8: #64748b;
  --shadow: 0 1px 2px rgb(20 30 50 / 5%), 0 6px 20px rgb(20 30 50 / 4%);`;
const DARK = `
  color-scheme: dark;
  --page: #0f141b; --card: #171e28; --line: #283140; --soft: #1e2733;
  --text: #e8edf4; --muted: #9aa8ba; --faint: #8796aa;
  --good: #4fd1a5; --good-soft: #12362c; --warn: #f2b056; --warn-soft: #3a2a12; --bad: #ff8591; --bad-soft: #40191f;
  --calm: #a9b8cc; --calm-soft: #263140; --accent: #8e9dff;
  --s1: #8e9dff; --s2: #3fcbb3; --s3: #f2b03d; --s4: #f67a9f; --s5: #63b8f0; --s6: #bd8cf0; --s7: #a5cf57; --s8: #9fb0c4;
  --shadow: none;`;

export const STYLE = `
:root {${LIGHT} }
@media (prefers-color-scheme: dark) { :root:not([data-theme='light']) {${DARK} } }
:root[data-theme='dark'] {${DARK} }

* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text); font-size: 15px; line-height: 1.5;
  font-family: Inter, 'Segoe UI', system-ui, -apple-system, 'Helvetica Neue', Roboto, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
}
main, header.bar > div, footer { max-width: 1160px; margin: 0 auto; padding: 0 28px; }
h1, h2, h3, p, figure, ul, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -.022em; font-weight: 700; overflow-wrap: anywhere; }
h2 { font-size: 20px; letter-spacing: -.012em; font-weight: 650; margin: 44px 0 14px; }
h3 { font-size: 15px; font-weight: 620; }
h2 small { font-weight: 400; font-size: 14px; color: var(--muted); margin-left: 8px; letter-spacing: 0; }
code, .mono { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace; font-size: .87em; }
a { color: var(--accent); }

header.bar { border-bottom: 1px solid var(--line); background: var(--card); }
header.bar > div { display: flex; align-items: center; justify-content: space-between; height: 54px; }
.brand { display: flex; align-items: center; gap: 10px; font-weight: 680; letter-spacing: -.01em; }
.brand svg { width: 22px; height: 22px; color: var(--accent); }
.brand span { color: var(--muted); font-weight: 400; }
button.theme {
  font: inherit; font-size: 13px; color: var(--muted); background: var(--soft); border: 1px solid var(--line);
  border-radius: 8px; padding: 4px 12px; cursor: pointer;
}
button.theme:hover { color: var(--text); }
button.theme:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

.hero { padding: 38px 0 26px; }
.hero .line { display: flex; flex-wrap: wrap; align-items: center; gap: 14px; }
.hero p.about { color: var(--muted); margin-top: 6px; max-width: 72ch; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 28px; margin-top: 18px; color: var(--muted); font-size: 13.5px; }
.facts dt { display: inline; } .facts dd { display: inline; color: var(--text); margin-left: 6px; }

.pill {
  display: inline-block; padding: 2px 11px; border-radius: 999px; font-size: 13px; font-weight: 600; white-space: nowrap;
  background: var(--calm-soft); color: var(--calm);
}
.pill.good { background: var(--good-soft); color: var(--good); }
.pill.warn { background: var(--warn-soft); color: var(--warn); }
.pill.bad { background: var(--bad-soft); color: var(--bad); }
.hero .pill { font-size: 14px; padding: 4px 14px; }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }
.error { padding: 18px 22px; border-left: 4px solid var(--bad); margin-bottom: 22px; }
.error p { margin-top: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.error .remedy { color: var(--muted); }

.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 16px; }
.tile { padding: 18px 20px; display: flex; gap: 16px; align-items: center; min-height: 104px; }
.tile .label { color: var(--muted); font-size: 13px; }
.tile .value { font-size: 29px; line-height: 1.15; font-weight: 680; letter-spacing: -.02em; }
.tile .more { color: var(--faint); font-size: 12.5px; }
.ring { width: 66px; height: 66px; flex: none; }
.ring circle { fill: none; stroke-width: 7; }
.ring .track { stroke: var(--soft); }
.ring .good { stroke: var(--good); } .ring .warn { stroke: var(--warn); } .ring .bad { stroke: var(--bad); }

.two { display: grid; grid-template-columns: repeat(2, 1fr); gap: 16px; }
.flow { padding: 18px 20px; } .flow figcaption p { color: var(--muted); font-size: 13px; }
.flow svg { width: 100%; height: auto; display: block; margin-top: 10px; }
.flow .ribbon { opacity: .26; } .flow .ribbon.good { fill: var(--good); opacity: .2; }
.flow .ribbon.calm { fill: var(--calm); } .flow .ribbon.warn { fill: var(--warn); opacity: .34; }
.flow .node.read { fill: var(--text); opacity: .78; } .flow .node.good { fill: var(--good); }
.flow .node.calm { fill: var(--calm); } .flow .node.warn { fill: var(--warn); }
.flow text { fill: var(--text); font-size: 13.5px; dominant-baseline: middle; }
.flow .rows { font-weight: 660; } .flow .name { fill: var(--muted); } .flow .share { fill: var(--faint); font-size: 12px; }

.chart { padding: 18px 20px 12px; min-width: 0; }
.chart figcaption p { color: var(--muted); font-size: 13px; margin-top: 1px; }
.chart.wide { grid-column: 1 / -1; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 3px 16px; margin-top: 8px; font-size: 13px; color: var(--muted); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; background: currentColor; }
.plot { position: relative; margin-top: 8px; } .plot svg { width: 100%; height: auto; display: block; overflow: visible; }
.grid line { stroke: var(--line); stroke-width: 1; }
.axis text { fill: var(--faint); font-size: 13.5px; }
.cursor[x1='-9'] { display: none; } .cursor { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 3; }
.stroke { fill: none; stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round; stroke: currentColor; }
.fill { fill: currentColor; opacity: .13; } .bar, .dot { fill: currentColor; }
.s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } .s4 { color: var(--s4); }
.s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); } .s8 { color: var(--s8); }
.tip {
  position: absolute; top: 4px; pointer-events: none; background: var(--card); border: 1px solid var(--line); border-radius: 9px;
  padding: 7px 11px; font-size: 12.5px; box-shadow: 0 4px 18px rgb(0 0 0 / 14%); white-space: nowrap; z-index: 2;
}
.tip b { display: block; font-weight: 620; } .tip span { display: block; color: var(--muted); }
.tip i { display: inline-block; width: 8px; height: 8px; border-radius: 2px; margin-right: 6px; background: currentColor; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 560; color: var(--muted); font-size: 12.5px; padding: 11px 14px; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { padding: 9px 14px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
th.number, td.number { text-align: right; white-space: nowrap; }
td .sub { display: block; font-weight: 400; color: var(--faint); font-size: 12.5px; overflow-wrap: anywhere; }
td.name { font-weight: 560; min-width: 210px; }
details summary { cursor: pointer; color: var(--accent); font-size: 13px; }
details ul { list-style: none; margin: 6px 0 2px; font-size: 12.5px; color: var(--muted); }
pre { margin: 3px 0 9px; padding: 8px 11px; background: var(--soft); border-radius: 8px; font-size: 12.5px; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--text); }
.gauge { display: inline-block; width: 74px; height: 6px; border-radius: 3px; background: var(--soft); overflow: hidden; vertical-align: middle; }
.gauge i { display: block; height: 100%; border-radius: 3px; background: var(--good); } .gauge i.warn { background: var(--warn); } .gauge i.bad { background: var(--bad); }
.track { position: relative; height: 10px; min-width: 180px; background: var(--soft); border-radius: 5px; margin-top: 6px; }
.track i { position: absolute; top: 0; height: 100%; min-width: 3px; border-radius: 5px; background: var(--accent); }
.track i.skipped { background: var(--calm); opacity: .5; } .track i.conflict { background: var(--warn); }
.bars { width: 100%; height: auto; display: block; padding: 14px 18px; }
.bars text { fill: var(--text); font-size: 14px; } .bars .amount { fill: var(--muted); } .bars rect { fill: currentColor; }
.advice { list-style: none; } .advice li { padding: 13px 20px; border-bottom: 1px solid var(--line); display: grid; grid-template-columns: 92px 1fr; gap: 4px 14px; }
.advice li:last-child { border-bottom: 0; } .advice p { overflow-wrap: anywhere; } .advice p b { font-weight: 620; }
.advice small { grid-column: 2; color: var(--faint); overflow-wrap: anywhere; }
.advice code { grid-column: 2; justify-self: start; background: var(--soft); border-radius: 7px; padding: 3px 9px; overflow-wrap: anywhere; }
.empty { color: var(--muted); padding: 18px 0; } .card > .empty { padding: 20px; }
.note, .problems { color: var(--faint); font-size: 12.5px; font-weight: 400; }
.problems { margin-top: 28px; }
footer { color: var(--faint); font-size: 12.5px; padding-top: 40px; padding-bottom: 46px; overflow-wrap: anywhere; }

@media (max-width: 900px) { .tiles { grid-template-columns: repeat(2, 1fr); } .two { grid-template-columns: 1fr; } }
@media (max-width: 520px) { .tiles { grid-template-columns: 1fr; } main, header.bar > div, footer { padding: 0 16px; } h1 { font-size: 27px; } }
@media print { body { background: none; } button.theme { display: none; } .card { box-shadow: none; break-inside: avoid; } }
`;
