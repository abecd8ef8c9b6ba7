public import Verify

/// A format in which ladders are written.
public enum LadderFormat: CaseIterable, ReplaceableFormat, Sendable {
  case html, markdown, csv, svg

  /// How a file of the format begins.
  public var beginning: String {
    switch self {
    case .html: HTMLReport.beginning
    case .markdown: MarkdownReport.beginning
    case .csv: LadderCSV.beginning
    case .svg: LadderPlot.beginning
    }
  }

  /// The file of a ladder.
  public func text(of document: LadderDocument) -> String {
    let tables = LadderTables(document)
    return switch self {
    case .html: LadderHTML(document: document, tables: tables).text
    case .markdown: LadderMarkdown(tables: tables).text
    case .csv: LadderCSV(document: document, tables: tables).text
    case .svg: LadderPlot(tables: tables).document
    }
  }
}
