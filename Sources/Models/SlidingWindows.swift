import Formats

extension ModelFolder {
  /// The sliding window of each layer, in tokens, or nil for a layer that attends to everything.
  /// - Parameter layers: the number of layers.
  /// - Throws: `ModelError` if `layer_types` contradicts the other members.
  package func slidingWindows(layers: Int) throws(ModelError) -> [Int?] {
    let none = [Int?](repeating: nil, count: layers)
    switch architecture.slidingWindow {
    case .none:
      try requireLayerTypes(none)
      return none
    case .always(let missing):
      let window = try slidingWindow(missing: missing)
      let windows = none.map { _ in window }
      try requireLayerTypes(windows)
      return windows
    case .byType(let missing):
      let window = try slidingWindow(missing: missing)
      guard let types = textConfig["layer_types"]?.elements else { return none.map { _ in window } }
      return types.prefix(layers).map { $0.text == "sliding_attention" ? window : nil }
    case .switched:
      var windows = none
      if textConfig["use_sliding_window"]?.flag == true,
        let window = try slidingWindow(missing: Self.switchedWindow)
      {
        let first = try hyperparameters.optionalIndex(.firstWindowedLayer) ?? layers
        for index in windows.indices.dropFirst(first) { windows[index] = window }
      }
      try requireLayerTypes(windows)
      return windows
    }
  }

  /// The window of a config that turns it on but does not contain it.
  private static let switchedWindow = 4096

  /// The window of the config, which `null` turns off.
  private func slidingWindow(missing: Int?) throws(ModelError) -> Int? {
    guard let value = textConfig["sliding_window"] else { return missing }
    if value.isNull { return nil }
    // transformers masks everything with a window of 0.
    return try WholeNumber.read(
      value.double, found: value.shortText, "sliding_window", "\(path)/\(Self.configName)")
  }

  /// The names of layers without a window.
  private static let fullTypes: Set<String> = ["full_attention", "attention"]

  /// Refuses a `layer_types` that differs from the other members, because runtimes differ in which
  /// of them they obey.
  private func requireLayerTypes(_ windows: [Int?]) throws(ModelError) {
    guard let types = textConfig["layer_types"]?.elements else { return }
    guard types.count == windows.count else {
      throw .unsupported(
        "\(path)/\(Self.configName)",
        "'layer_types' has \(types.count) entries for \(windows.count) layers")
    }
    for (index, (type, window)) in zip(types, windows).enumerated() {
      let slides = type.text == "sliding_attention"
      guard slides || Self.fullTypes.contains(type.text ?? ""), slides == (window != nil) else {
        throw .unsupported(
          "\(path)/\(Self.configName)",
          "'layer_types' gives layer \(index) '\((type.text ?? "").sanitized)', but the other members give it \(window == nil ? "no" : "a") sliding window"
        )
      }
    }
  }
}

extension GGUFModel {
  /// The key of a sliding window that keeps attention from reaching across `window` tokens, and its
  /// size; nil if the file has none.
  ///
  /// llama.cpp reads the key and turns the window off. Other readers of the file obey it.
  package func slidingWindow(below window: Int) -> (key: String, tokens: Int)? {
    guard case .always = architecture.slidingWindow, let name = Hyperparameter.slidingWindow.gguf
    else { return nil }
    let key = "\(geometry.architecture).\(name)"
    guard let tokens = first.header[key: key]?.integer, (1..<window).contains(tokens) else {
      return nil
    }
    return (key, tokens)
  }
}
