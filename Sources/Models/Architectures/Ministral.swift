extension Architecture {
  /// Ministral 8B: Llama with a sliding window in the layers that the config lists.
  static let ministral = {
    var it = Architecture(modelType: "ministral")
    it.slidingWindow = .byType(missing: 4096)
    it.unsupported = [.transformers4: lacksIt, .mlx: lacksIt]
    return it
  }()
}
