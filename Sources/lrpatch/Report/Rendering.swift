import ArgumentParser
import Formats
import Patch
import Verify

/// Files that a result is rendered into.
struct RenderingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write a report as one HTML file.", valueName: "file"), completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write JUnit's XML: a case for each gate and cell.", valueName: "file"), completion: .file())
  var junit: String?

  @Option(
    help: ArgumentHelp("Write a summary as Markdown, for GitHub's step summary too.", valueName: "file"),
    completion: .file())
  var markdown: String?

  var paths: [String] { [html, junit, markdown].compactMap(\.self) }

  func validate() throws {
    if paths.contains("") { throw ValidationError("a rendering needs a name") }
    if Set(paths.map(FileSystem.canonical)).count < paths.count {
      throw ValidationError("two outputs have the same name")
    }
  }

  private var files: [(kind: Rendering, path: String)] {
    [(.html, html), (.junit, junit), (.markdown, markdown)].compactMap { kind, path in path.map { (kind, $0) } }
  }

  /// - Throws: `PatchError` of kind unsafe for a path where something else is than an older rendering.
  func requireReplaceable() throws { for file in files { try file.kind.requireReplaceable(file.path) } }

  /// Older renderings give way.
  func write(_ document: ResultDocument, before: ResultDocument? = nil) throws {
    for (kind, path) in files {
      let text =
        switch kind {
        case .html: HTMLReport(document: document, before: before).text
        case .junit: JUnitReport(document).text
        case .markdown: MarkdownReport(document: document).text
        }
      try kind.replace(path, by: text)
    }
  }
}

/// A file that something is rendered into.
enum Rendering {
  case html, junit, markdown

  /// How those of this program begin; only such a file gives way.
  private var beginning: String {
    switch self {
    case .html: HTMLReport.beginning
    case .junit: JUnitReport.beginning
    case .markdown: MarkdownReport.beginning
    }
  }

  /// - Throws: `PatchError` of kind unsafe for a path where something else is than an older rendering.
  func requireReplaceable(_ path: String) throws {
    // A file beside it can be made and is gone again: what would keep it from being written is known before the work.
    _ = try OutputFile(path: path)
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return }
    let head = status.kind == .file ? try Descriptor(path: path, .read).read(at: 0, count: min(400, status.size)) : []
    let text = String(decoding: head, as: UTF8.self)
    guard status.kind == .file, text.isEmpty || text.hasPrefix(beginning) else {
      throw PatchError.unsafe(path, "exists already and is no such report of this program; name a new path")
    }
  }

  func replace(_ path: String, by text: String) throws {
    try requireReplaceable(path)
    try OutputFile.replace(path, by: Array(text.utf8))
  }
}
