import Formats
public import Verify

/// A format in which reports are written, and the rules for replacing an older report.
public enum ReportFormat: CaseIterable, Sendable {
  case html, junit, markdown, csv

  /// The beginning of every report that this program writes in the format.
  private var beginning: String {
    switch self {
    case .html: HTMLReport.beginning
    case .junit: JUnitReport.beginning
    case .markdown: MarkdownReport.beginning
    case .csv: ResultCells.header
    }
  }

  /// The report of a result.
  /// - Parameters:
  ///   - before: the same measurements before the patch, which JUnit and CSV do not show.
  ///   - sensitivity: which of the factors matter, which only HTML shows.
  public func text(
    of document: ResultDocument, before: ResultDocument? = nil,
    sensitivity: SensitivityDocument? = nil
  ) -> String {
    switch self {
    case .html: HTMLReport(document, before: before, sensitivity: sensitivity).text
    case .junit: JUnitReport(document).text
    case .markdown: MarkdownReport(document, before: before).text
    case .csv: ResultCells(document.measured).csv
    }
  }

  /// Checks that a report can be written to a path.
  ///
  /// Call it before long work.
  /// - Throws: `ModelError` of kind `unsafe` if the path holds anything but an older report;
  ///   `FileError` if no file can be made there.
  public func requireReplaceable(_ path: String) throws {
    try ReportFile.requireReplaceable(path, beginning: beginning)
  }

  /// Writes a report, or replaces an older one.
  /// - Throws: as `requireReplaceable` does.
  public func write(_ text: String, to path: String) throws {
    try requireReplaceable(path)
    try OutputFile.replace(path, by: Array(text.utf8))
  }
}
