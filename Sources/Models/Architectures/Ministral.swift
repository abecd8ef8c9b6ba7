extension Architecture {
  static let ministral = {
    var it = Architecture(modelType: "ministral")
    it.slidingWindow = .always(missing: nil)
    it.unsupported = [.transformers4: lacksIt, .mlx: lacksIt]
    return it
  }()
}
