/// The shards of a split GGUF model: `NAME-00001-of-00003.gguf` and so on, as llama.cpp's
/// gguf-split writes them.
///
/// Every shard carries `split.no` (its index from 0), `split.count` and `split.tensors.count` (of
/// all shards together).
public struct GGUFSplit: Equatable, Sendable {
  /// The folder that contains the shards.
  public var folder: String
  /// The part of the file names before the shard number: `NAME`.
  public var prefix: String
  /// The number of shards.
  public var count: Int

  /// The set to which a file belongs by its name, or nil if it does not have a shard's name.
  public init?(containing path: String) {
    let name = FileSystem.name(of: path)
    guard let match = name.wholeMatch(of: /(.*)-(\d{5})-of-(\d{5})\.gguf/),
      let count = Int(match.3), let number = Int(match.2), count >= 1, (1...count) ~= number
    else { return nil }
    folder = FileSystem.folder(of: path)
    prefix = String(match.1)
    self.count = count
  }

  /// The shards' paths, first to last.
  public var paths: [String] {
    (1...count).map { "\(folder)/\(prefix)-\(Self.digits($0))-of-\(Self.digits(count)).gguf" }
  }

  /// Checks that all shards are there.
  /// - Throws: `FormatError` with the path of the first missing shard.
  public func requireAllShards() throws(FormatError) {
    let present = paths.filter(FileSystem.exists)
    guard present.count == count else {
      let missing = paths.first { !present.contains($0) } ?? ""
      throw FormatError(.incompleteSplit(expected: count, found: present.count))
        .inFile(missing)
    }
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
