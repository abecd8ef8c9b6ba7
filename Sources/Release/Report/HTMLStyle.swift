/// The style sheet of an HTML report: light and dark, for screens and paper.
enum HTMLStyle {
  static let css = """
    :root {
      color-scheme: light dark; --text: #1f2328; --ground: #ffffff; --line: #d1d9e0;
      --soft: #f6f8fa; --good: #1a7f37; --bad: #cf222e;
      --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #9a6700; --c5: #bf3989;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --text: #e6edf3; --ground: #0d1117; --line: #3d444d; --soft: #151b23;
        --good: #3fb950; --bad: #f85149;
        --c0: #4493f8; --c1: #f0883e; --c2: #3fb950; --c3: #a371f7; --c4: #d29922; --c5: #db61a2;
      }
    }
    body {
      margin: 0; background: var(--ground); color: var(--text);
      font: 15px/1.5 system-ui, sans-serif;
    }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
    .headline { font-size: 1.2rem; font-weight: 600; }
    h2 { font-size: 1.15rem; margin-top: 2rem; }
    h3 { font-size: 1rem; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums; }
    caption { text-align: left; padding: .2rem 0; }
    th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: right; }
    th:first-child, td:first-child { text-align: left; }
    td { white-space: nowrap; }
    .gates td, .words td, .hashes td { white-space: normal; }
    tbody th { font-weight: normal; }
    thead th { background: var(--soft); }
    .passed { color: var(--good); font-weight: 600; }
    .failed { color: var(--bad); font-weight: 600; }
    .pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
    .words td, .words th { text-align: left; }
    .words td { min-width: 4rem; }
    .words td:nth-child(n + 5), .words td:last-child { min-width: 14rem; overflow-wrap: anywhere; }
    .hashes { font-family: ui-monospace, monospace; font-size: .8rem; }
    .hashes tbody th, .hashes td:last-child { overflow-wrap: anywhere; }
    .hashes tbody th { min-width: 6rem; }
    td.heat { color: #111; }
    td.holds { color: #111; background: #78beeb; }
    td.fails { color: #111; background: #e69f50; }
    .panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1rem; }
    figure { margin: .5rem 0; }
    svg { width: 100%; height: auto; color: var(--text); }
    .plot svg, .panels svg { max-width: 42rem; }
    svg .curve { fill: none; stroke-width: 2; }
    svg .bar { stroke-width: 1.5; }
    svg .dashed { stroke-dasharray: 6 4; }
    .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
    .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
    .key { display: inline-block; margin-right: 1.2rem; }
    .key svg { width: 30px; height: 10px; }
    .unseen {
      position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
      white-space: nowrap;
    }
    td { position: relative; }
    ul { padding-left: 1.3rem; }
    pre { white-space: pre-wrap; }
    code { overflow-wrap: anywhere; }
    @media (max-width: 30rem) {
      main { padding: .5rem; }
      table { font-size: .85rem; }
      th, td { padding: .2rem .3rem; }
    }
    @media print {
      body { font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      .plot svg { max-width: 26rem; }
      .scroll { overflow: visible; }
      main { max-width: none; }
      h2 { break-after: avoid; }
      table, figure { break-inside: avoid; }
    }
    """
}
