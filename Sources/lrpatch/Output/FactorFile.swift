import Formats
import Patch

/// A file of factors, in the form that its name asks for.
enum FactorFile {
  /// Writes factors as the canonical file, or, if the name ends in .csv, as a table of the long ones.
  /// - Returns: a note if the table leaves something out.
  /// - Throws: `ModelError` of kind `unsafe` if the path exists; `FileError`.
  static func write(_ set: FactorSet, to path: String) throws -> String? {
    guard path.lowercased().hasSuffix(".csv") else {
      try ExclusiveOutput.write(JSONStyle.standard.encode(set.json) + [0x0A], to: path)
      return nil
    }
    try ExclusiveOutput.write(Array(set.csv.utf8), to: path)
    guard set.hasMoreThanCSV else { return nil }
    return
      "a CSV file holds the long factors only; the windows, mscale and all else are left out"
  }
}
