public import Formats

/// A Hugging Face model folder, as far as a patch reads and changes it.
public struct HuggingFaceModel: Sendable {
  public let path: String
  public let config: JSONDocument
  /// nil where the folder has none.
  public let tokenizerConfig: JSONDocument?
  public let architecture: Architecture
  /// Where in the config the language model's members are: the top, or `text_config` of a multimodal model.
  public let location: [String]
  public let geometry: RopeGeometry

  public static let configName = "config.json"
  public static let tokenizerConfigName = "tokenizer_config.json"

  /// - Throws: `FileError`, `FormatError`, or `PatchError` for a family that takes no factors and for members that are
  ///   missing or contradict each other.
  public init(path: String) throws {
    self.path = path
    let configPath = "\(path)/\(Self.configName)"
    config = try JSONDocument(path: configPath)
    let tokenizerPath = "\(path)/\(Self.tokenizerConfigName)"
    tokenizerConfig = FileSystem.exists(tokenizerPath) ? try JSONDocument(path: tokenizerPath) : nil
    (architecture, location, geometry) = try Self.read(config, configPath)
  }

  /// The same folder with other configs in their places, which are not written.
  package init(_ model: HuggingFaceModel, config: JSONDocument, tokenizerConfig: JSONDocument? = nil) throws {
    path = model.path
    self.config = config
    self.tokenizerConfig = tokenizerConfig ?? model.tokenizerConfig
    (architecture, location, geometry) = try Self.read(config, "\(path)/\(Self.configName)")
  }

  /// A folder that is not there yet, by its config.
  package init(config: JSONDocument, path: String) throws {
    self.path = path
    self.config = config
    tokenizerConfig = nil
    (architecture, location, geometry) = try Self.read(config, path)
  }

  /// The language model's part of the config.
  public var textConfig: JSONValue {
    location.reduce(config.value) { value, name in value[name] ?? .null }
  }

  /// The object that holds the scaling: `rope_scaling` where it says something, else `rope_parameters`. This is
  /// transformers 5's own order.
  public var scaling: JSONValue? { ConfigReader(textConfig, path).scaling }

  private static func read(
    _ config: JSONDocument, _ path: String
  ) throws(PatchError) -> (Architecture, [String], RopeGeometry) {
    guard config.value.members != nil else {
      throw .unsupported(path, "its outermost value is \(config.value.kind), expected an object")
    }
    let isNested =
      config.value["text_config"]?.members != nil
      && config.value["max_position_embeddings"] == nil
    let location = isNested ? ["text_config"] : []
    let text = isNested ? config.value["text_config"] ?? .null : config.value
    guard let modelType = text["model_type"]?.text else {
      throw .unsupported(path, "'model_type' is missing")
    }
    let architecture = try Architecture.named(modelType, subject: path)
    return (architecture, location, try ConfigReader(text, path).geometry(architecture))
  }
}

/// Reads the members that describe the rotary embedding, and refuses contradictions between their places.
struct ConfigReader {
  let config: JSONValue
  let path: String

  init(_ config: JSONValue, _ path: String) {
    self.config = config
    self.path = path
  }

  var scaling: JSONValue? {
    for name in ["rope_scaling", "rope_parameters"] {
      if let object = config[name], let members = object.members, !members.isEmpty {
        return object
      }
    }
    return nil
  }

  func geometry(_ architecture: Architecture) throws(PatchError) -> RopeGeometry {
    let window = try natural("max_position_embeddings", in: config)
    guard let window else { throw missing("max_position_embeddings") }
    try refuseTablesByLayerType()
    let theta = try theta(architecture)
    let type = scaling.flatMap { $0["rope_type"]?.text ?? $0["type"]?.text } ?? "default"
    let originals = try originalWindows(architecture, window: window, type: type)
    return RopeGeometry(
      architecture: architecture.modelType, layers: try natural("num_hidden_layers", in: config),
      rotaryDimensions: try rotaryDimensions(architecture), theta: theta, window: window,
      originalWindows: originals ?? [window],
      isOriginalWindowKnown: originals != nil || !["longrope", "su"].contains(type), scalingType: type)
  }

  private func rotaryDimensions(_ architecture: Architecture) throws(PatchError) -> Int {
    let dimensions: Int
    switch architecture.rotary {
    case .latent:
      guard let rope = try natural("qk_rope_head_dim", in: config) else {
        throw missing("qk_rope_head_dim")
      }
      dimensions = rope
    case .head:
      // Truncated, as every reader does it.
      dimensions = Int(Double(try headDimension()) * (try partialRotaryFactor() ?? 1))
    }
    guard dimensions >= 2, dimensions % 2 == 0, dimensions <= 1 << 16 else {
      throw .unsupported(path, "\(dimensions) rotary dimensions, expected an even number from 2 on")
    }
    return dimensions
  }

  private func headDimension() throws(PatchError) -> Int {
    if let explicit = try natural("head_dim", in: config) { return explicit }
    guard let hidden = try natural("hidden_size", in: config) else { throw missing("hidden_size") }
    guard let heads = try natural("num_attention_heads", in: config) else {
      throw missing("num_attention_heads")
    }
    return hidden / heads
  }

  /// nil where the config does not speak of it.
  func partialRotaryFactor() throws(PatchError) -> Double? {
    try agreed("partial_rotary_factor", range: 0.01...1)?.double
  }

  func theta(_ architecture: Architecture) throws(PatchError) -> Double {
    try agreed(architecture.thetaKey, range: 1.0001...1e15)?.double ?? architecture.defaultTheta
  }

  /// The number's own text, for writing it again.
  func thetaValue(_ architecture: Architecture) throws(PatchError) -> JSONValue {
    try agreed(architecture.thetaKey, range: 1.0001...1e15) ?? .number(architecture.defaultTheta)
  }

  /// A number that may stand at the top, in `rope_scaling` and in `rope_parameters`.
  private func agreed(
    _ name: String, range: ClosedRange<Double>
  ) throws(PatchError) -> JSONValue? {
    var found: (place: String, value: JSONValue)?
    for (place, object) in [
      ("the top level", config), ("rope_scaling", config["rope_scaling"] ?? .null),
      ("rope_parameters", config["rope_parameters"] ?? .null),
    ] {
      guard let value = object[name], !value.isNull else { continue }
      guard let number = value.double, range.contains(number) else {
        throw .unsupported(path, "'\(name)' at \(place) is no number in \(range)")
      }
      if let found, found.value.double != number {
        throw .unsupported(
          path,
          "'\(name)' is \(found.value.double ?? 0) at \(found.place) and \(number) in \(place); runtimes would use different ones"
        )
      }
      found = found ?? (place, value)
    }
    return found?.value
  }

  /// nil where nothing tells.
  private func originalWindows(
    _ architecture: Architecture, window: Int, type: String
  ) throws(PatchError) -> [Int]? {
    let name = "original_max_position_embeddings"
    var found: (place: String, window: Int)?
    for (place, object) in [
      ("at the top level", config), ("in rope_scaling", config["rope_scaling"] ?? .null),
      ("in rope_parameters", config["rope_parameters"] ?? .null),
    ] {
      guard let value = try natural(name, in: object) else { continue }
      if let found, found.window != value {
        throw .unsupported(path, "'\(name)' is \(found.window) \(found.place) and \(value) \(place)")
      }
      found = found ?? (place, value)
    }
    if let found { return [found.window] }
    guard type == "linear", let factor = scaling?["factor"]?.double, factor > 1 else {
      return ["longrope", "su"].contains(type) ? nil : [window]
    }
    // Some extended models raised max_position_embeddings with the factor and some did not.
    return [Int((Double(window) / factor).rounded()), window]
  }

  private func refuseTablesByLayerType() throws(PatchError) {
    guard let members = scaling?.members else { return }
    if let nested = members.first(where: { $0.value.members != nil }) {
      throw .unsupported(
        path,
        "RoPE parameters that differ by layer type ('\(nested.name.sanitized)') are not supported")
    }
  }

  private func natural(_ name: String, in object: JSONValue) throws(PatchError) -> Int? {
    guard let value = object[name], !value.isNull else { return nil }
    guard let number = value.integer, number > 0, number <= 1 << 40 else {
      throw .unsupported(path, "'\(name)' is \(value.kind), expected a positive whole number")
    }
    return number
  }

  private func missing(_ name: String) -> PatchError {
    .unsupported(path, "'\(name)' is missing")
  }
}
