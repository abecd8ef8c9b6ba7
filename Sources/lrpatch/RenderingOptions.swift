import ArgumentParser
import Formats
import Release
import Verify

/// Files into which a result is rendered.
struct RenderingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Write a report as one HTML file.", valueName: "file"), completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write JUnit's XML: a case for each gate and cell.", valueName: "file"),
    completion: .file())
  var junit: String?

  @Option(
    help: ArgumentHelp(
      "Write a summary as Markdown, for GitHub's step summary too.", valueName: "file"),
    completion: .file())
  var markdown: String?

  @Option(
    help: ArgumentHelp(
      "Write every prompt of passkeys, needles, RULER and benchmarks with its answer as CSV.",
      valueName: "file"),
    completion: .file())
  var csv: String?

  private var files: [(format: ReportFormat, path: String)] {
    [(.html, html), (.junit, junit), (.markdown, markdown), (.csv, csv)].compactMap {
      format, path in
      path.map { (format, $0) }
    }
  }

  var paths: [String] { files.map(\.path) }

  func validate() throws {
    if paths.contains("") { throw ValidationError("a report needs a file name") }
    if Set(paths.map(FileSystem.canonical)).count < paths.count {
      throw ValidationError("two outputs have the same name")
    }
  }

  /// - Throws: `ModelError` of kind `unsafe` if a path holds anything but an older report.
  func requireReplaceable() throws {
    for file in files { try file.format.requireReplaceable(file.path) }
  }

  /// Writes the reports, or replaces older ones.
  func write(
    _ document: ResultDocument, before: ResultDocument? = nil,
    sensitivity: SensitivityDocument? = nil
  ) throws {
    for (format, path) in files {
      try format.write(
        format.text(of: document, before: before, sensitivity: sensitivity), to: path)
    }
  }
}
