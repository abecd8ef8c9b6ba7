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
  ///   - report: is told the share of all bytes that is read, from 0 to 1.
  /// - Throws: `FileError`; `PatchError` of kind unsafe for a link to a folder, or something that is no file.
  public init(
    _ session: borrowing ModelSession, _ scope: Scope, ignoring ignored: Set<String> = [],
    report: (Double) -> Void = { _ in }
  ) throws {
    let names: [String]
    let folder: String
    switch session.kind {
    case .folder:
      folder = session.path
      names = try Self.names(in: folder, scope, ignoring: ignored.union(Self.gitNames))
      isSingleFile = false
    case .gguf:
      folder = FileSystem.folder(of: session.path)
      let paths = try GGUFModel.shardPaths(of: session.path)
      names = paths.map { FileSystem.name(of: $0) }
      isSingleFile = GGUFSplit(containing: session.path) == nil
    }
    name = try Self.name(of: session)
    files = []
    hasLinks = false
    let paths = names.map { FileSystem.path($0, in: folder) }
    let sizes = try paths.map { try FileStatus(of: $0, followingLinks: true).size }
    let total = max(1, sizes.reduce(0, +))
    var read = 0
    for (name, (path, size)) in zip(names, zip(paths, sizes)) {
      hasLinks = try hasLinks || FileStatus(of: path, followingLinks: false).kind == .link
      let hash = try sha256(file: path) {
        read += $0
        report(Double(read) / Double(total))
      }
      files.append(File(name: name, size: size, sha256: hash))
    }
  }

  /// The name of the model's folder or file; of a split model the name that it would have in one file.
  /// - Throws: `FileError`.
  public static func name(of session: borrowing ModelSession) throws -> String {
    let path = session.path
    switch session.kind {
    case .folder: return FileSystem.name(of: try FileSystem.resolved(path))
    case .gguf: return GGUFSplit(containing: path).map { "\($0.prefix).gguf" } ?? FileSystem.name(of: path)
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
      // By scalars: a carriage return and a line feed are one character to Swift.
      let escapes: [Unicode.Scalar: String] = ["\\": "\\\\", "\n": "\\n", "\r": "\\r"]
      let isPlain = !file.name.unicodeScalars.contains { escapes[$0] != nil }
      let name = file.name.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
      return "\(isPlain ? "" : "\\")\(file.sha256)  \(name)\n"
    }.joined()
  }

  /// What differs from saved sums, a line each; empty where nothing does. Names are compared by their bytes.
  /// - Throws: `PatchError` for a line that is none of `sha256sum`'s, and a name that stands twice.
  public func differences(from sums: [UInt8], _ subject: String) throws(PatchError) -> [String] {
    var expected: [[UInt8]: String] = [:]
    for (index, line) in sums.split(separator: UInt8(ascii: "\n")).enumerated() {
      let place = "\(subject): line \(index + 1)"
      guard let (name, hash) = Self.entry(line) else {
        throw .unsupported(place, "no line of sha256sum: 64 hexadecimal digits and a name")
      }
      guard expected.updateValue(hash, forKey: name) == nil else {
        throw .unsupported(place, "'\(String(decoding: name, as: UTF8.self).sanitized)' stands twice")
      }
    }
    let found = Dictionary(files.map { (Array($0.name.utf8), $0.sha256) }) { first, _ in first }
    let names = Set(expected.keys).union(found.keys).sorted { $0.lexicographicallyPrecedes($1) }
    return names.compactMap { name in
      let shown = String(decoding: name, as: UTF8.self).sanitized
      switch (expected[name], found[name]) {
      case (let old?, let new?): return old == new ? nil : "\(shown): differs"
      case (nil, _): return "\(shown): is not listed"
      default: return "\(shown): is missing"
      }
    }
  }

  /// A line's name and hash, or nil.
  public static func entry(_ line: ArraySlice<UInt8>) -> (name: [UInt8], hash: String)? {
    let isEscaped = line.first == UInt8(ascii: "\\")
    let rest = isEscaped ? line.dropFirst() : line
    let digits = rest.prefix(64)
    guard digits.count == 64, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    let tail = rest.dropFirst(64)
    guard tail.count > 2, tail.first == UInt8(ascii: " "),
      [UInt8(ascii: " "), UInt8(ascii: "*")].contains(tail.dropFirst().first ?? 0)
    else { return nil }
    let name = tail.dropFirst(2)
    let hash = String(decoding: digits, as: UTF8.self).lowercased()
    guard isEscaped else { return (Array(name), hash) }
    var plain: [UInt8] = []
    var follows = false
    for byte in name {
      if follows {
        plain.append(byte == UInt8(ascii: "n") ? 0x0A : byte == UInt8(ascii: "r") ? 0x0D : byte)
        follows = false
      } else if byte == UInt8(ascii: "\\") {
        follows = true
      } else {
        plain.append(byte)
      }
    }
    return (plain, hash)
  }
}
