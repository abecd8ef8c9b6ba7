import Formats
public import Verify

/// A format in which ladders are written.
public enum LadderFormat: CaseIterable, Sendable {
  case html, markdown, csv, svg

  /// The beginning of every file that this program writes in the format.
  private var beginning: String {
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

  /// Checks that a file can be written to a path.
  ///
  /// Call it before long work.
  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything but an older file of the form;
  ///   `FileError` if no file can be made there.
  public func requireReplaceable(_ path: String) throws {
    try ReportFile.requireReplaceable(path, beginning: beginning)
  }

  /// Writes a file, or replaces an older one.
  /// - Throws: as `requireReplaceable` does.
  public func write(_ text: String, to path: String) throws {
    try requireReplaceable(path)
    try OutputFile.replace(path, by: Array(text.utf8))
  }
}
