/// The style sheet of an HTML report: light and dark, for screens and paper.
enum HTMLStyle {
  static let css = """
    :root {
      color-scheme: light dark; --text: #1f2328; --ground: #ffffff; --line: #d1d9e0;
      --soft: #f6f8fa; --good: #1a7f37; --bad: #cf222e; --accent: #0969da;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --text: #e6edf3; --ground: #0d1117; --line: #3d444d; --soft: #151b23;
        --good: #3fb950; --bad: #f85149; --accent: #4493f8;
      }
    }
    body {
      margin: 0; background: var(--ground); color: var(--text);
      font: 15px/1.5 system-ui, sans-serif;
    }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin-top: 2rem; }
    h3 { font-size: 1rem; }
    .scroll { overflow-x: auto; }
    @media (max-width: 30rem) {
      main { padding: .5rem; }
      .gates td, .gates th { overflow-wrap: anywhere; padding: .2rem .3rem; }
    }
    table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums; }
    caption { text-align: left; padding: .2rem 0; }
    th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: right; }
    th:first-child, td:first-child { text-align: left; }
    tbody th { font-weight: normal; }
    thead th { background: var(--soft); }
    .passed { color: var(--good); font-weight: 600; }
    .failed { color: var(--bad); font-weight: 600; }
    .pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
    .words td { text-align: left; min-width: 6rem; }
    .hash { font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere; }
    td.heat { color: #111; }
    figure { margin: .5rem 0; }
    svg { width: 100%; height: auto; color: var(--text); }
    svg .after { stroke: var(--accent); fill: none; }
    svg .before { stroke: var(--bad); fill: none; stroke-dasharray: 5 4; }
    @media print {
      body { font-size: 11px; }
      main { max-width: none; }
      h2 { break-after: avoid; }
      table, figure { break-inside: avoid; }
    }
    """
}
