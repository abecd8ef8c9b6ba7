package import Formats

/// Reads the members of a config that describe the rotary embedding, and refuses a config that
/// gives one of them different values in different places.
package struct RopeConfig {
  package let config: JSONValue
  package let path: String

  package init(_ config: JSONValue, _ path: String) {
    self.config = config
    self.path = path
  }

  /// `rope_scaling` if it has members, else `rope_parameters`, else nil.
  package var scaling: JSONValue? {
    for name in ["rope_scaling", "rope_parameters"] {
      if let object = config[name], let members = object.members, !members.isEmpty {
        return object
      }
    }
    return nil
  }

  package func geometry(_ architecture: Architecture) throws(ModelError) -> RopeGeometry {
    let window = try natural("max_position_embeddings", in: config)
    guard let window else { throw missing("max_position_embeddings") }
    try refuseMalformedScaling(architecture)
    try refuseTablesByLayerType()
    let theta = try theta(architecture)
    let type = scaling.flatMap { $0["rope_type"]?.text ?? $0["type"]?.text } ?? "default"
    let originals = try originalWindows(architecture, window: window, type: type)
    return RopeGeometry(
      architecture: architecture.name, yarnTurns: architecture.rope.yarnTurns,
      layers: try natural("num_hidden_layers", in: config),
      rotaryDimensions: try rotaryDimensions(architecture), theta: theta, window: window,
      originalWindows: originals ?? [window],
      isOriginalWindowKnown: originals != nil || !["longrope", "su"].contains(type),
      scalingType: type)
  }

  /// Refuses members of a kind at which transformers fails.
  private func refuseMalformedScaling(_ architecture: Architecture) throws(ModelError) {
    for name in ["rope_scaling", "rope_parameters"] {
      guard let object = config[name], !object.isNull else { continue }
      guard object.members != nil else {
        throw .unsupported(path, "'\(name)' is \(object.kind), expected an object or null")
      }
      for member in ["rope_type", "type"] {
        guard let type = object[member], type.text == nil else { continue }
        throw .unsupported(path, "'\(member)' in \(name) is \(type.kind), expected a string")
      }
      for member in [architecture.rope.thetaKey, "original_max_position_embeddings"]
      where object[member]?.isNull == true {
        throw .unsupported(path, "'\(member)' in \(name) is null, expected a number")
      }
    }
    let theta = architecture.rope.thetaKey
    if config[theta]?.isNull == true {
      throw .unsupported(path, "'\(theta)' is null, expected a number")
    }
  }

  private func rotaryDimensions(_ architecture: Architecture) throws(ModelError) -> Int {
    let dimensions: Int
    switch architecture.rope.dimensions {
    case .latent:
      guard let rope = try natural("qk_rope_head_dim", in: config) else {
        throw missing("qk_rope_head_dim")
      }
      dimensions = rope
    case .head:
      let partial = try partialRotaryFactor() ?? 1
      guard partial == 1 || architecture.rope.isPartial else {
        throw .unsupported(
          path,
          "'partial_rotary_factor' is \(partial), but runtimes rotate whole heads of '\(architecture.name)'"
        )
      }
      // Truncated, as in every runtime.
      dimensions = Int(Double(try headDimension()) * partial)
    }
    guard dimensions >= 2, dimensions % 2 == 0, dimensions <= 1 << 16 else {
      throw .unsupported(
        path, "\(dimensions) rotary dimensions, expected an even number of at least 2")
    }
    return dimensions
  }

  private func headDimension() throws(ModelError) -> Int {
    if let explicit = try natural("head_dim", in: config) { return explicit }
    guard let hidden = try natural("hidden_size", in: config) else { throw missing("hidden_size") }
    guard let heads = try natural("num_attention_heads", in: config) else {
      throw missing("num_attention_heads")
    }
    return hidden / heads
  }

  /// `partial_rotary_factor`, or nil if the config does not contain it.
  package func partialRotaryFactor() throws(ModelError) -> Double? {
    try agreed("partial_rotary_factor", range: 0.01...1)?.double
  }

  /// The RoPE base.
  package func theta(_ architecture: Architecture) throws(ModelError) -> Double {
    try agreed(architecture.rope.thetaKey, range: 1.0001...1e15)?.double
      ?? architecture.rope.defaultTheta
  }

  /// The RoPE base as the text in the config, so that it can be written back unchanged.
  package func thetaValue(_ architecture: Architecture) throws(ModelError) -> JSONValue {
    try agreed(architecture.rope.thetaKey, range: 1.0001...1e15)
      ?? .number(architecture.rope.defaultTheta)
  }

  /// A number that may be at the top level, in `rope_scaling` and in `rope_parameters`.
  /// - Throws: `ModelError` if two of these places have different numbers.
  private func agreed(
    _ name: String, range: ClosedRange<Double>
  ) throws(ModelError) -> JSONValue? {
    var found: (place: String, value: JSONValue)?
    for (place, object) in [
      ("the top level", config), ("rope_scaling", config["rope_scaling"] ?? .null),
      ("rope_parameters", config["rope_parameters"] ?? .null),
    ] {
      guard let value = object[name], !value.isNull else { continue }
      guard let number = value.double, range.contains(number) else {
        throw .unsupported(
          path,
          "'\(name)' at \(place) is not a number from \(range.lowerBound) to \(range.upperBound)")
      }
      if let found, found.value.double != number {
        throw .unsupported(
          path,
          "'\(name)' is \(found.value.double ?? 0) at \(found.place) and \(number) in \(place); runtimes would use different values"
        )
      }
      found = found ?? (place, value)
    }
    return found?.value
  }

  /// The possible original windows, or nil if the config does not contain any.
  private func originalWindows(
    _ architecture: Architecture, window: Int, type: String
  ) throws(ModelError) -> [Int]? {
    let name = "original_max_position_embeddings"
    var found: (place: String, window: Int)?
    for (place, object) in [
      ("at the top level", config), ("in rope_scaling", config["rope_scaling"] ?? .null),
      ("in rope_parameters", config["rope_parameters"] ?? .null),
    ] {
      guard let value = try natural(name, in: object) else { continue }
      if let found, found.window != value {
        throw .unsupported(
          path, "'\(name)' is \(found.window) \(found.place) and \(value) \(place)")
      }
      found = found ?? (place, value)
    }
    if let found { return [found.window] }
    guard type == "linear", let factor = scaling?["factor"]?.double, factor > 1 else {
      return ["longrope", "su"].contains(type) ? nil : [window]
    }
    // Some extended models raised max_position_embeddings along with the factor, others did not.
    return [Int((Double(window) / factor).rounded()), window]
  }

  private func refuseTablesByLayerType() throws(ModelError) {
    guard let members = scaling?.members else { return }
    if let nested = members.first(where: { $0.value.members != nil }) {
      throw .unsupported(
        path,
        "RoPE parameters that differ by layer type ('\(nested.name.sanitized)') are not supported")
    }
  }

  private func natural(_ name: String, in object: JSONValue) throws(ModelError) -> Int? {
    guard let value = object[name], !value.isNull else { return nil }
    return try WholeNumber.read(value.double, found: value.shortText, name, path)
  }

  private func missing(_ name: String) -> ModelError {
    .unsupported(path, "'\(name)' is missing")
  }
}
