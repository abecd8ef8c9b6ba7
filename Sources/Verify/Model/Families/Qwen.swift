/// Qwen 2, with biases on queries, keys and values, and Qwen 3, with norms over the heads of queries and keys: both are
/// told by their tensors. llama.cpp keeps their pairs as halves.
enum Qwen {
  static func make(_ source: ModelSource) throws -> Transformer {
    var model = try Llama.make(source)
    model.shape.rotatesNeighbours = false
    // The first layers attend to everything, the others to a window, if it is switched on.
    if source.flag("use_sliding_window") == true {
      let full = source.number("max_window_layers", "").flatMap { Int(exactly: $0) } ?? model.layers.count
      model.setSlidingWindow(source.number("sliding_window", ""), from: full)
    }
    return model
  }
}
