import Formats

/// Reads the keys of a GGUF file that describe the rotary embedding.
struct RopeKeys {
  let header: GGUFHeader
  let path: String

  init(_ header: GGUFHeader, path: String) {
    self.header = header
    self.path = path
  }

  var architecture: String {
    get throws(ModelError) {
      guard let name = header[key: "general.architecture"]?.text else {
        throw .unsupported(path, "the key 'general.architecture' is missing")
      }
      return name
    }
  }

  private func natural(_ key: String) throws(ModelError) -> Int? {
    guard let value = header[key: key] else { return nil }
    return try WholeNumber.read(value.number, found: value.shortText, key, path)
  }

  func geometry(
    frequencyFactors: [Float]?, hasTables: Bool
  ) throws(ModelError) -> RopeGeometry {
    let prefix = try architecture
    guard let window = try natural("\(prefix).context_length") else {
      throw .unsupported(path, "the key '\(prefix.sanitized).context_length' is missing")
    }
    let theta = try real("\(prefix).\(GGUFRopeName.base)") ?? 10_000
    guard theta > 1, theta < 1e15 else {
      throw .unsupported(
        path,
        "the key '\(prefix).\(GGUFRopeName.base)' is \(theta), expected a number between 1 and 1e15"
      )
    }
    let dimensions = try rotaryDimensions(prefix)
    var type = try scalingType(prefix, hasTables: hasTables)
    let original = try natural("\(prefix).\(GGUFRopeName.originalWindow)")
    var originals = [original ?? window]
    if let frequencyFactors, type == "none" {
      type = "llama3"
      if original == nil {
        originals = Self.windows(
          explaining: frequencyFactors, theta: theta, dimensions: dimensions, window: window)
      }
    }
    let isKnown = type != "longrope" || original != nil
    return RopeGeometry(
      architecture: prefix,
      yarnTurns: (Architecture.known(gguf: prefix)?.rope ?? .init()).yarnTurns,
      layers: try natural("\(prefix).block_count"),
      rotaryDimensions: dimensions, theta: theta, window: window, originalWindows: originals,
      isOriginalWindowKnown: isKnown, scalingType: type == "none" ? "default" : type)
  }

  private func real(_ key: String) throws(ModelError) -> Double? {
    guard let value = header[key: key] else { return nil }
    guard let number = value.number, number.isFinite else {
      throw .unsupported(
        path, "the key '\(key.sanitized)' is \(value.shortText), expected a number")
    }
    return number
  }

  /// The type of the scaling, as llama.cpp understands the keys.
  private func scalingType(_ prefix: String, hasTables: Bool) throws(ModelError) -> String {
    let key = "\(prefix).\(GGUFRopeName.type)"
    if let value = header[key: key] {
      guard let text = value.text else {
        throw .unsupported(path, "the key '\(key.sanitized)' is \(value.type.name), not a string")
      }
      let isStretched = try isStretched(prefix)
      return ["linear", "yarn"].contains(text) && !isStretched ? "none" : text
    }
    // Some converters write the tables but not the type.
    if hasTables { return "longrope" }
    return try isStretched(prefix) ? "linear" : "none"
  }

  /// Whether the file has a factor other than 1.
  ///
  /// 0 means 1, as in llama.cpp.
  private func isStretched(_ prefix: String) throws(ModelError) -> Bool {
    var factor = try real("\(prefix).\(GGUFRopeName.factor)")
    if factor == nil { factor = try real("\(prefix).\(GGUFRopeName.legacyFactor)") }
    return ![nil, 0, 1].contains(factor)
  }

  private func rotaryDimensions(_ prefix: String) throws(ModelError) -> Int {
    var dimensions = try natural("\(prefix).rope.dimension_count")
    if dimensions == nil { dimensions = try natural("\(prefix).attention.key_length") }
    if dimensions == nil, let width = try natural("\(prefix).embedding_length"),
      let heads = try natural("\(prefix).attention.head_count")
    {
      dimensions = width / heads
    }
    guard let dimensions else {
      throw .unsupported(path, "the key '\(prefix.sanitized).rope.dimension_count' is missing")
    }
    guard dimensions >= 2, dimensions % 2 == 0, dimensions <= 1 << 16 else {
      throw .unsupported(
        path, "\(dimensions) rotary dimensions, expected an even number of at least 2")
    }
    return dimensions
  }

  /// The original windows that reproduce `rope_freqs.weight` by Llama 3.1's formula.
  ///
  /// The file does not contain the window.
  ///
  /// Candidates are the powers of two, and the window that follows from a factor that is neither 1
  /// nor the greatest one.
  private static func windows(
    explaining factors: [Float], theta: Double, dimensions: Int, window: Int
  ) -> [Int] {
    let stretch = Double(factors.max() ?? 1)
    let frequencies = RotaryFrequencies.inverse(theta: theta, rotaryDimensions: dimensions)
    let between = zip(factors, frequencies).first {
      $0.0 > 1.001 && Double($0.0) < 0.999 * stretch
    }
    let solved = between.map { factor, frequency -> Int in
      let smooth = (1 / Double(factor) - 1 / stretch) / (1 - 1 / stretch)
      return Int(
        (RotaryFrequencies.period(inverseFrequency: frequency) * (1 + 3 * smooth)).rounded())
    }
    let powers = (8...20).map { 1 << $0 }
    let candidates = (powers + (solved.map { [$0] } ?? [])).filter { $0 <= window && $0 > 0 }
    let matching = candidates.filter { candidate in
      let expected = Llama3Scaling.factors(
        theta: theta, rotaryDimensions: dimensions, factor: stretch, originalWindow: candidate)
      return expected.count == factors.count
        && zip(expected, factors).allSatisfy { abs($0 - Double($1)) <= 1e-3 * $0 }
    }
    return matching.isEmpty ? [window] : Array(Set(matching)).sorted()
  }
}
