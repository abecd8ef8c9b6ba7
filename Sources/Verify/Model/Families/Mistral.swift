/// Llama with a sliding window over the tokens, where the config sets one.
enum Mistral {
  static func make(_ source: ModelSource) throws -> Transformer {
    var model = try Llama.make(source)
    model.setSlidingWindow(source.number("sliding_window", "attention.sliding_window"))
    return model
  }
}

extension Transformer {
  /// In every layer, or from one on.
  mutating func setSlidingWindow(_ window: Double?, from first: Int = 0) {
    guard let window = window.flatMap({ Int(exactly: $0) }), window > 0 else { return }
    for index in layers.indices.dropFirst(first) { layers[index].attention.pattern = .window(window) }
  }
}
