public import Formats

/// The configs of a Hugging Face model folder.
public struct ModelFolder: Sendable {
  /// The path of the folder.
  public let path: String
  /// config.json.
  public let config: JSONDocument
  /// tokenizer_config.json, or nil if the folder does not have it.
  public let tokenizerConfig: JSONDocument?
  /// The record for `model_type`.
  public let architecture: Architecture
  /// The path of members to the language model's part of the config: empty, or `text_config` in a
  /// multimodal model.
  public let location: [String]
  /// The description of the rotary embedding.
  public let geometry: RopeGeometry
  /// The numbers that describe the model's size.
  public let hyperparameters: Hyperparameters

  /// The name of the model's config.
  public static let configName = "config.json"
  /// The name of the tokenizer's config.
  public static let tokenizerConfigName = "tokenizer_config.json"

  /// Reads the configs of a folder.
  /// - Throws: `FileError`, `FormatError`, or `ModelError` for an unknown architecture and for
  ///   members that are missing or contradict each other.
  public init(path: String) throws {
    self.path = path
    let configPath = "\(path)/\(Self.configName)"
    config = try JSONDocument(path: configPath)
    let tokenizerPath = "\(path)/\(Self.tokenizerConfigName)"
    tokenizerConfig = FileSystem.exists(tokenizerPath) ? try JSONDocument(path: tokenizerPath) : nil
    (architecture, location, geometry) = try Self.read(config, configPath)
    hyperparameters = Self.hyperparameters(config, location, architecture, configPath)
  }

  /// A model folder with other configs in memory.
  ///
  /// Nothing is written.
  package init(
    _ model: ModelFolder, config: JSONDocument, tokenizerConfig: JSONDocument? = nil
  ) throws {
    path = model.path
    self.config = config
    self.tokenizerConfig = tokenizerConfig ?? model.tokenizerConfig
    let configPath = "\(path)/\(Self.configName)"
    (architecture, location, geometry) = try Self.read(config, configPath)
    hyperparameters = Self.hyperparameters(config, location, architecture, configPath)
  }

  /// A folder that does not exist yet, described by its config.
  package init(config: JSONDocument, path: String) throws {
    self.path = path
    self.config = config
    tokenizerConfig = nil
    (architecture, location, geometry) = try Self.read(config, path)
    hyperparameters = Self.hyperparameters(config, location, architecture, path)
  }

  /// The language model's part of the config.
  public var textConfig: JSONValue { config.value.member(at: location) }

  /// The path of members to the language model's part of a config: empty, or `text_config` in a
  /// multimodal model.
  package static func location(in config: JSONValue) -> [String] {
    config["text_config"]?.members != nil && config["max_position_embeddings"] == nil
      ? ["text_config"] : []
  }

  private static func hyperparameters(
    _ config: JSONDocument, _ location: [String], _ architecture: Architecture, _ path: String
  ) -> Hyperparameters {
    Hyperparameters(config: config.value.member(at: location), architecture, path: path)
  }

  /// The number of tokens in the vocabulary, `vocab_size`.
  package var vocabulary: Int {
    get throws(ModelError) {
      guard let value = textConfig["vocab_size"], !value.isNull else {
        throw .unsupported("\(path)/\(Self.configName)", "'vocab_size' is missing")
      }
      return try WholeNumber.read(
        value.double, found: value.shortText, "vocab_size", "\(path)/\(Self.configName)")
    }
  }

  /// The object that describes the RoPE scaling: `rope_scaling` if it has members, else
  /// `rope_parameters`.
  ///
  /// This is the order of transformers 5.
  public var scaling: JSONValue? { RopeConfig(textConfig, path).scaling }

  private static func read(
    _ config: JSONDocument, _ path: String
  ) throws(ModelError) -> (Architecture, [String], RopeGeometry) {
    guard config.value.members != nil else {
      throw .unsupported(path, "its outermost value is \(config.value.kind), expected an object")
    }
    let location = location(in: config.value)
    let text = config.value.member(at: location)
    guard let modelType = text["model_type"]?.text else {
      throw .unsupported(path, "'model_type' is missing")
    }
    let architecture: Architecture
    if let languageModel = try Architecture.miniCPMV(text, path) {
      architecture = languageModel
    } else {
      architecture = try Architecture.named(modelType, subject: path)
    }
    return (architecture, location, try RopeConfig(text, path).geometry(architecture))
  }
}

extension JSONValue {
  /// The value at a path of members, or null if there is none.
  package func member(at path: [String]) -> JSONValue {
    path.reduce(self) { value, name in value[name] ?? .null }
  }
}
