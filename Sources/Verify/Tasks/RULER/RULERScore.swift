/// RULER's score of an answer.
public enum RULERScore {
  /// The share of the references that the output contains, in upper or lower case.
  ///
  /// This is RULER's `string_match_all`. lm-eval also replaces control characters in the output by
  /// line ends and trims it, which makes no difference for any reference.
  public static func score(_ output: String, references: [String]) -> Double {
    guard !references.isEmpty else { return 0 }
    let bytes = Array(output.lowercased().utf8)
    return references.reduce(0) { $0 + (contains(bytes, Array($1.lowercased().utf8)) ? 1 : 0) }
      / Double(references.count)
  }

  /// Compares bytes, so that a combining mark after a reference does not hide it.
  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    return bytes.indices.contains { start in
      bytes[start] == first && bytes[start...].starts(with: part)
    }
  }
}
