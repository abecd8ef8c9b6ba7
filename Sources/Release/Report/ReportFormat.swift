public import Verify

/// A format in which reports are written.
public enum ReportFormat: CaseIterable, ReplaceableFormat, Sendable {
  case html, junit, markdown, csv

  /// How a file of the format begins.
  public var beginning: String {
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
}
