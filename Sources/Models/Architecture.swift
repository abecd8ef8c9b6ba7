import Formats

/// Everything that all models of one architecture share: its names in both formats, where its
/// hyperparameters are stored, its tensors, its layer, and how the runtimes read its configs.
///
/// `Architectures/` has one file per architecture. Inspecting, patching, linting, running,
/// converting and searching all read this record. None of them refers to an architecture by name.
public struct Architecture: Sendable {
  /// `model_type` in config.json, or nil for an architecture that only GGUF files have.
  public internal(set) var modelType: String?
  /// The class name in the `architectures` member of config.json.
  ///
  /// If it is nil, a GGUF file is not converted to a folder of this architecture.
  public var className: String?
  /// How llama.cpp handles the architecture, or nil if llama.cpp lacks it.
  public var gguf: GGUF?
  /// Where the description of the rotary embedding is found in a config.
  public var rope = Rope()
  /// How a sliding window limits attention.
  public var slidingWindow = SlidingWindow.none
  /// Whether readers require `short_mscale` and `long_mscale` even if they could be derived.
  public var requiresMscales = false
  /// How transformers reads the config.
  public var transformers = TransformersTraits()
  /// How MLX-LM reads the config.
  public var mlx = MLXTraits()
  /// Runtimes that cannot read LongRoPE for this architecture, each with the reason.
  public var unsupported: [Runtime: String] = [:]
  /// Runtimes that read the model, but compute something in its layers that is not computed here.
  public var uncomputed: [Runtime: String] = [:]
  /// What the runtimes that know only some architectures do with factors.
  ///
  /// One that is missing does not know the architecture.
  public var factorSupport: [Runtime: FactorSupport] = [:]
  /// The decoder layer, or nil if `Inference` cannot run the architecture.
  public var decoder: DecoderLayer?
  /// The hyperparameters of the architecture, in the order in which a converter writes them.
  public var hyperparameters: [Hyperparameter] = []
  /// Which tensors have biases.
  public var biases = Biases.none
  /// Whether configs have `mlp_bias`, which must be false here.
  public var hasFeedForwardBiases = false
  /// Whether a config without `tie_word_embeddings` ties the output matrix to the embeddings.
  public var tiesByDefault = false
  /// Names of layer tensors that differ from Llama's.
  var layerNames: [LayerRole: TensorNames] = [:]
  /// Features that some models of this architecture have but that are not supported.
  ///
  /// A model with one of them is neither run nor converted.
  var unsupportedFeatures: [UnsupportedFeature] = []
  /// What keeps a config from being run and converted, in words; nil if nothing does.
  var configCheck: @Sendable (JSONValue) -> String? = { _ in nil }
  /// The name of the final norm in a folder.
  var finalNormName = "model.norm"
  /// Name prefixes of tensors that belong to another part of the model, such as a vision encoder.
  var otherParts: [String] = []
  /// Whether the model is multimodal although its config has no part for the language model.
  var isPartOfFlatConfig = false

  /// The name in messages and results: `model_type`, or the GGUF name if there is none.
  public var name: String { modelType ?? gguf?.name ?? "unknown" }

  package init(modelType: String?, className: String? = nil, gguf: GGUF? = nil) {
    self.modelType = modelType
    self.className = className
    self.gguf = gguf
  }

  /// A record for a GGUF name that `all` does not contain.
  ///
  /// Its files can be inspected and copied, but neither patched nor run.
  static func unlisted(gguf name: String) -> Architecture {
    Architecture(modelType: nil, gguf: GGUF(name: name))
  }

  // MARK: Parts

  /// How llama.cpp handles an architecture.
  public struct GGUF: Sendable {
    /// When the loader creates LongRoPE's factor tensors and the graph uses them.
    public enum FactorTensors: Sendable {
      /// Never: the loader refuses or ignores them.
      case never
      /// Only if `rope.scaling.type` is `longrope`.
      case forLongRoPE
      /// Whenever the file has them.
      case always
    }

    /// The value of `general.architecture`.
    public var name: String
    /// When the loader uses LongRoPE's factor tensors.
    public var factorTensors = FactorTensors.never
    /// Whether the rows of q and k are stored with the two dimensions of a pair next to each other
    /// (2i, 2i + 1) rather than half a head apart (i, i + d/2).
    public var isInterleaved = false
    /// Whether the loader requires the original window of every model, extended or not.
    public var requiresOriginalWindow = false
    /// Whether the loader reads the ends of YaRN's ramp and the multiplier of its attention scale.
    public var readsYarnTurns = false
    /// Whether a `rope.scaling.finetuned` of false turns RoPE off.
    public var obeysFinetuned = false
    /// Whether the converter writes the head size even if the config does not contain it.
    public var writesHeadSize = false
    /// Whether the loader requires an output matrix even if it is tied to the embeddings.
    public var requiresOutput = false
    /// Whether the loader takes the width of all heads together to be that of the hidden state.
    public var fixesHeadSize = false

    /// Whether the loader needs `rope.scaling.type` to use factor tensors.
    public var needsType: Bool { if case .forLongRoPE = factorTensors { true } else { false } }
  }

  /// Where the description of the rotary embedding is found in a config.
  public struct Rope: Sendable {
    /// Which part of a head is rotated.
    public enum Dimensions: Sendable {
      /// `head_dim` (or `hidden_size` / `num_attention_heads`) times `partial_rotary_factor`.
      case head
      /// `qk_rope_head_dim`, in multi-head latent attention.
      case latent
    }

    /// Which part of a head is rotated.
    public var dimensions = Dimensions.head
    /// Whether runtimes obey a `partial_rotary_factor`.
    public var isPartial = false
    /// The member of the config that holds the RoPE base.
    public var thetaKey = "rope_theta"
    /// The RoPE base if the config does not contain one.
    public var defaultTheta = 10_000.0
    /// The ends of YaRN's ramp.
    public var yarnTurns = YaRN.publishedTurns
    /// Members of the scaling object that are not about the scaling, and so stay when it changes.
    public var keptMembers: [String] = []
    /// Whether a converted config describes even a plain rotary embedding in `rope_parameters`,
    /// because only transformers 5 reads the architecture.
    public var writesParameters = false
  }

  /// How a sliding window limits attention.
  public enum SlidingWindow: Sendable {
    /// The architecture has no sliding window.
    case none
    /// The window limits every layer whenever `sliding_window` is set. `missing` is the window of a
    /// config without that member.
    case always(missing: Int?)
    /// The window limits the layers that `layer_types` marks as sliding; without that list, all
    /// layers. It must not be null. `missing` is the window of a config without the member.
    case byType(missing: Int)
    /// `use_sliding_window` turns the window on, for all layers from `max_window_layers` on.
    case switched
  }

  /// An unsupported feature of some models of an architecture.
  struct UnsupportedFeature: Sendable {
    /// The values of a member or a key that mean the feature.
    ///
    /// An absent one never does.
    enum Values: Sendable { case isTrue, isFalse, isNotZero, isNotOne }

    /// The member of config.json.
    var config: String?
    /// The GGUF key, without the prefix.
    var gguf: String?
    /// The values that mean the feature.
    var values = Values.isTrue
    /// The name of the feature in the error message.
    var name: String
  }

  // MARK: Lookup

  /// The record for a `model_type`, or nil if it is unknown.
  public static func known(modelType: String) -> Architecture? {
    all.first { $0.modelType == modelType }
  }

  /// The first record for a `general.architecture`, or nil if it is unknown.
  ///
  /// GGUF files are read with this record.
  public static func known(gguf name: String) -> Architecture? {
    all.first { $0.gguf?.name == name }
  }

  /// The record for a `model_type`.
  /// - Throws: `ModelError` that lists the known types if it is unknown.
  package static func named(
    _ modelType: String, subject: String
  ) throws(ModelError) -> Architecture {
    if let found = known(modelType: modelType) { return found }
    let names = all.compactMap(\.modelType).joined(separator: ", ")
    throw .unsupported(
      subject, "model_type '\(modelType)' is unknown, expected one of \(names)")
  }

  // MARK: Capabilities

  /// Whether llama.cpp can use factor tensors of this architecture.
  public var takesFactorsInGGUF: Bool {
    guard let gguf else { return false }
    if case .never = gguf.factorTensors { return false }
    return true
  }

  /// Whether folders can be converted to GGUF files.
  public var convertsToGGUF: Bool { gguf != nil && decoder != nil && modelType != nil }

  /// Whether models can be converted between folders and GGUF files.
  public var isConvertible: Bool { className != nil && gguf != nil && decoder != nil }

  /// The names of the architectures that satisfy a condition, separated by commas, for messages.
  /// - Parameter name: the name of one architecture; nil leaves it out.
  public static func list(
    _ condition: (Architecture) -> Bool, by name: (Architecture) -> String? = { $0.name }
  ) -> String {
    var names: [String] = []
    for architecture in all where condition(architecture) {
      if let name = name(architecture), !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: ", ")
  }
}

/// The ends of YaRN's ramp, in turns of a pair within the window.
public struct YarnTurns: Equatable, Sendable {
  /// `beta_fast`: pairs that turn more often keep their frequency.
  public var fast: Double
  /// `beta_slow`: pairs that turn less often are fully interpolated.
  public var slow: Double

  /// Ends with the given numbers of turns.
  public init(fast: Double, slow: Double) {
    self.fast = fast
    self.slow = slow
  }
}
