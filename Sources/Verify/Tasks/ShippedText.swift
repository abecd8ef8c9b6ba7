internal import CTexts
import Formats

/// The text that measurements use where none is given.
public enum ShippedText {
  public static let name = "Herman Melville, Moby-Dick (1851)"

  /// About 1.2 MB of English prose.
  /// - Throws: `FormatError` for a program that is damaged.
  public static func text() throws -> String {
    let packed = unsafe Array(UnsafeBufferPointer(start: moby_dick(), count: moby_dick_size()))
    return String(decoding: try Zstd.decompress(packed, limit: 4 << 20), as: UTF8.self)
  }
}
