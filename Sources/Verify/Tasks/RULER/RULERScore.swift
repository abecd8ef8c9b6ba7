/// RULER's scoring of the tasks that are run.
public enum RULERScore {
  /// `string_match_all`: the share of the references that the output contains, in whatever case.
  ///
  /// lm-eval also turns the output's control characters into line ends and trims it, which no reference can tell.
  public static func score(_ output: String, references: [String]) -> Double {
    guard !references.isEmpty else { return 0 }
    let bytes = Array(output.lowercased().utf8)
    return references.reduce(0) { $0 + (contains(bytes, Array($1.lowercased().utf8)) ? 1 : 0) }
      / Double(references.count)
  }

  /// Byte by byte, so that a combining mark after a reference does not hide it.
  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    return bytes.indices.contains { start in
      bytes[start] == first && bytes[start...].starts(with: part)
    }
  }
}
