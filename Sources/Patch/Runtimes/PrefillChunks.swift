/// How a runtime divides a long prompt into chunks, each of which is one forward pass.
///
/// A runtime that chooses the table for each forward pass rotates the keys of the first chunks with
/// the short factors and those of later ones with the long factors.
public struct PrefillChunks: Equatable, Sendable {
  /// The tokens in a chunk by default; nil if prompts are given whole.
  public var size: Int?
  /// The option that sets the size.
  public var option: String
  /// On what the default size depends, in words; nil for one that does not depend on anything.
  public var condition: String?

  init(_ size: Int?, option: String, condition: String? = nil) {
    self.size = size
    self.option = option
    self.condition = condition
  }
}

extension PrefillChunks {
  /// The number of first tokens in chunks that end within a window.
  package static func within(_ window: Int, of chunk: Int) -> Int { window / chunk * chunk }
}

extension RuntimeReading {
  /// The number of first tokens of a long prompt that keep the short rotation, if the prompt is
  /// given in chunks; 0 if there are none.
  /// - Parameter chunk: the tokens in a chunk.
  public func shortTokens(chunk: Int) -> Int {
    guard prefill != nil, let short, let long, short != long else { return 0 }
    switch rule {
    case .kept(let limit), .recomputed(let limit): return PrefillChunks.within(limit, of: chunk)
    case .fixed, .growing: return 0
    }
  }

  /// What the runtime's own chunks do to long prompts, and the option that avoids it; nil if they
  /// do nothing.
  public var chunkWarning: String? {
    guard let prefill, let size = prefill.size else { return nil }
    let tokens = shortTokens(chunk: size)
    guard tokens > 0 else { return nil }
    let condition = prefill.condition.map { " (\($0))" } ?? ""
    return """
      it prefills in chunks of \(size) tokens\(condition), so the first \(tokens) tokens of a long \
      prompt keep short factors; set \(prefill.option) to the window
      """
  }
}
