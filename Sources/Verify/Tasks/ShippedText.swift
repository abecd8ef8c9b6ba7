internal import CTexts
import Formats

/// The text that measurements use if none is given.
public enum ShippedText {
  /// The author and title, as results name the text.
  public static let name = "Herman Melville, Moby-Dick (1851)"

  /// The training script for mixed-window data, in Python, for transformers' Trainer.
  public static var trainingRecipe: [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: training_recipe(), count: training_recipe_size()))
  }

  /// About 1.2 MB of English prose.
  /// - Throws: `FormatError` if the program itself is damaged.
  public static func text() throws -> String {
    let packed = unsafe Array(UnsafeBufferPointer(start: moby_dick(), count: moby_dick_size()))
    return String(decoding: try Zstd.decompress(packed, limit: 4 << 20), as: UTF8.self)
  }
}
