import Formats

/// The files that a model consists of, each with its size and SHA-256.
public struct ModelManifest: Equatable, Sendable {
  public struct File: Equatable, Sendable {
    /// Relative to the model's folder, with slashes.
    public var name: String
    /// In bytes.
    public var size: Int
    public var sha256: String

    public init(name: String, size: Int, sha256: String) {
      self.name = name
      self.size = size
      self.sha256 = sha256
    }
  }

  public enum Scope: Sendable {
    /// Weights, configs and tokenizer: what a runtime reads.
    case runtime
    /// All that is in the folder, without what git keeps there.
    case everything
  }

  /// Of the folder or file.
  public var name: String
  /// Whether the model is one file rather than a folder or several shards.
  public var isSingleFile: Bool
  /// In the order of their names, folder by folder.
  public var files: [File]
  /// Whether some are symbolic links, as in a Hub cache.
  public var hasLinks: Bool

  /// - Parameters:
  ///   - ignored: names in the model's folder that are left out, such as those of the manifest itself.
  ///   - report: is told of bytes as they are read.
  /// - Throws: `FileError`; `PatchError` of kind unsafe for a link to a folder, or something that is no file.
  public init(
    _ session: borrowing ModelSession, _ scope: Scope, ignoring ignored: Set<String> = [],
    report: (Int) -> Void = { _ in }
  ) throws {
    let names: [String]
    let folder: String
    switch session.kind {
    case .folder:
      folder = session.path
      name = FileSystem.name(of: try FileSystem.resolved(folder))
      names = try Self.names(in: folder, scope, ignoring: ignored.union(Self.gitNames))
      isSingleFile = false
    case .gguf:
      folder = FileSystem.folder(of: session.path)
      let paths = try GGUFModel.shardPaths(of: session.path)
      names = paths.map { FileSystem.name(of: $0) }
      name = FileSystem.name(of: session.path)
      isSingleFile = paths.count == 1
    }
    files = []
    hasLinks = false
    for name in names {
      let path = FileSystem.path(name, in: folder)
      hasLinks = try hasLinks || FileStatus(of: path, followingLinks: false).kind == .link
      let size = try FileStatus(of: path, followingLinks: true).size
      files.append(File(name: name, size: size, sha256: try sha256(file: path, report: report)))
    }
  }

  /// What model signing leaves out by itself.
  static let gitNames: Set<String> = [".git", ".gitattributes", ".github", ".gitignore"]

  private static func names(in folder: String, _ scope: Scope, ignoring ignored: Set<String>) throws -> [String] {
    let all = try FileSystem.names(in: folder).filter { !ignored.contains($0) }
    if scope == .runtime { return all.filter { isRead($0) && !FileSystem.isFolder("\(folder)/\($0)") } }
    return try all.flatMap { name -> [String] in
      let path = "\(folder)/\(name)"
      switch try FileStatus(of: path, followingLinks: false).kind {
      case .file: return [name]
      case .folder: return try names(in: path, scope, ignoring: []).map { "\(name)/\($0)" }
      case .link where try FileStatus(of: path, followingLinks: true).kind == .file: return [name]
      default: throw PatchError.unsafe(path, "neither a file nor a folder; such a model cannot be listed")
      }
    }
  }

  private static func isRead(_ name: String) -> Bool {
    name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.index.json")
      || [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
      ].contains(name)
  }
}

// MARK: SHA256SUMS

extension ModelManifest {
  /// As `sha256sum` writes and `sha256sum -c` reads it.
  public var sums: String {
    files.map { file in
      let isPlain = !file.name.contains { $0 == "\n" || $0 == "\\" || $0 == "\r" }
      let name = file.name.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "\\r")
      return "\(isPlain ? "" : "\\")\(file.sha256)  \(name)\n"
    }.joined()
  }

  /// What differs from saved sums, a line each; empty where nothing does.
  /// - Throws: `PatchError` for a line that is none of `sha256sum`'s.
  public func differences(from sums: String, _ subject: String) throws(PatchError) -> [String] {
    var expected: [String: String] = [:]
    for (index, line) in sums.split(separator: "\n").enumerated() {
      guard let match = line.wholeMatch(of: /(\\?)([0-9a-fA-F]{64}) [ *](.+)/) else {
        throw .unsupported("\(subject): line \(index + 1)", "no line of sha256sum: 64 hexadecimal digits and a name")
      }
      let name = match.1.isEmpty ? String(match.3) : Self.unescaped(match.3)
      expected[name] = match.2.lowercased()
    }
    let found = Dictionary(files.map { ($0.name, $0.sha256) }) { first, _ in first }
    return Set(expected.keys).union(found.keys).sorted().compactMap { name in
      switch (expected[name], found[name]) {
      case (let old?, let new?): old == new ? nil : "\(name.sanitized): differs"
      case (nil, _): "\(name.sanitized): is not listed"
      default: "\(name.sanitized): is missing"
      }
    }
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        result.append(character == "n" ? "\n" : character == "r" ? "\r" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}
