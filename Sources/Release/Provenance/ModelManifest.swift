import Formats
import Models
public import Patch
public import Verify

/// The files that a model consists of, each with its size and SHA-256.
public struct ModelManifest: Equatable, Sendable {
  /// Which of a model's files are listed.
  public enum Scope: Sendable {
    /// Weights, configs and tokenizer: what a runtime reads.
    case runtime
    /// Everything in the folder, without what git keeps there.
    case everything
  }

  /// The name of the folder or file.
  public var name: String
  /// Whether the model is one file, rather than a folder or several shards.
  public var isSingleFile: Bool
  /// The files in the order of their names, folder by folder.
  ///
  /// Names are relative to the model's folder, with slashes.
  public var files: [FileDigest]
  /// Whether some files are symbolic links, as in a Hub cache.
  public var hasLinks: Bool

  /// Reads every file.
  /// - Parameters:
  ///   - ignored: names in the model's folder that are left out, such as that of the manifest
  ///     itself.
  ///   - report: called with the share of all bytes that was read, from 0 to 1.
  /// - Throws: `FileError`; `ModelError` of kind `unsafe` for a link to a folder, or an entry that
  ///   is neither a file nor a folder.
  public init(
    _ session: borrowing ModelSession, _ scope: Scope, ignoring ignored: Set<String> = [],
    report: (Double) -> Void = { _ in }
  ) throws {
    let names: [String]
    let folder: String
    switch session.format {
    case .folder:
      folder = session.path
      names = try Self.names(in: folder, scope, ignoring: ignored.union(Self.gitNames))
      isSingleFile = false
    case .gguf:
      folder = FileSystem.folder(of: session.path)
      names = try GGUFModel.shardPaths(of: session.path).map { FileSystem.name(of: $0) }
      isSingleFile = GGUFSplit(containing: session.path) == nil
    }
    name = try Self.name(of: session)
    let paths = names.map { FileSystem.path($0, in: folder) }
    hasLinks = try paths.contains { try FileStatus(of: $0, followingLinks: false).kind == .link }
    files = try Self.digests(names, paths, report)
  }

  private static func digests(
    _ names: [String], _ paths: [String], _ report: (Double) -> Void
  ) throws -> [FileDigest] {
    let sizes = try paths.map { try FileStatus(of: $0, followingLinks: true).size }
    let total = max(1, sizes.reduce(0, +))
    var read = 0
    return try zip(names, zip(paths, sizes)).map { name, file in
      let hash = try sha256(file: file.0) {
        read += $0
        report(Double(read) / Double(total))
      }
      return FileDigest(name: name, size: file.1, sha256: hash)
    }
  }

  /// The name of the model's folder or file.
  ///
  /// A split model has the name that it would have as a single file.
  /// - Throws: `FileError`.
  public static func name(of session: borrowing ModelSession) throws -> String {
    let path = session.path
    switch session.format {
    case .folder: return FileSystem.name(of: try FileSystem.resolved(path))
    case .gguf:
      return GGUFSplit(containing: path).map { "\($0.prefix).gguf" } ?? FileSystem.name(of: path)
    }
  }

  // MARK: Names

  /// What model signing leaves out by itself.
  static let gitNames: Set<String> = [".git", ".gitattributes", ".github", ".gitignore"]

  private static func names(
    in folder: String, _ scope: Scope, ignoring ignored: Set<String>
  ) throws -> [String] {
    let all = try FileSystem.names(in: folder).filter { !ignored.contains($0) }
    if scope == .runtime {
      return all.filter { isRead($0) && !FileSystem.isFolder("\(folder)/\($0)") }
    }
    return try all.flatMap { name -> [String] in
      let path = "\(folder)/\(name)"
      switch try FileStatus(of: path, followingLinks: false).kind {
      case .file: return [name]
      case .folder: return try names(in: path, scope, ignoring: []).map { "\(name)/\($0)" }
      case .link where try FileStatus(of: path, followingLinks: true).kind == .file: return [name]
      default:
        throw ModelError.unsafe(
          path, "neither a file nor a folder; such a model cannot be listed")
      }
    }
  }

  private static func isRead(_ name: String) -> Bool {
    name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.index.json")
      || readNames.contains(name)
  }

  private static let readNames: Set<String> = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja",
  ]
}
