import Formats

/// The identity of a model: a hash of its config and of samples of its weights.
public struct ModelIdentity: Codable, Equatable, Sendable {
  /// The SHA-256 of the files' names, sizes, and first and last mebibytes.
  public var sha256: String

  /// Reads what identifies a model.
  /// - Throws: `FileError`.
  public init(path: String) throws {
    let names =
      FileSystem.isFolder(path)
      ? try FileSystem.names(in: path).filter {
        $0 == "config.json" || $0.hasSuffix(".safetensors")
      }.sorted()
        .map { "\(path)/\($0)" }
      : GGUFSplit(containing: path)?.paths ?? [path]
    var text = ""
    for name in names {
      let file = try Descriptor(path: name, .read)
      let size = try file.status().size
      let sample = min(size, 1 << 20)
      let (first, last) = (
        try file.read(at: 0, count: sample), try file.read(at: size - sample, count: sample)
      )
      text +=
        "\(FileSystem.name(of: name)) \(size) \(Formats.sha256(first)) \(Formats.sha256(last))\n"
    }
    sha256 = Formats.sha256(Array(text.utf8))
  }
}
