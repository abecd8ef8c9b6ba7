import Formats

/// The biases that a class of transformers and llama.cpp's loader have for an architecture.
///
/// transformers ignores a bias that its class lacks, and llama.cpp refuses it. A model with such a
/// tensor is neither run nor converted.
public struct Biases: Sendable {
  /// The member of config.json that turns on the biases of attention, or nil if the class lacks it.
  public var attentionMember: String?
  /// The member of config.json that turns on the bias of the output matrix, or nil.
  public var outputMember: String?
  /// The roles that have a bias in a folder if `attentionMember` says so, which it does not if it
  /// is absent.
  var switched: Set<LayerRole> = []
  /// The roles that have a bias in every folder.
  var always: Set<LayerRole> = []
  /// The roles that may have a bias in a GGUF file.
  var gguf: Set<LayerRole> = []
  /// Those of them that must have one.
  var required: Set<LayerRole> = []
  /// Whether every norm has a bias, the final one included.
  var ofNorms = false
  /// Whether the output matrix may have a bias in a GGUF file.
  var ofOutput = false
  /// Whether it must have one.
  var requiresOutput = false

  static let projections: Set<LayerRole> = [.query, .key, .value, .attentionOutput]
  static let inputs: Set<LayerRole> = [.query, .key, .value]

  /// No biases in either format.
  static let none = Biases()

  /// Biases of all four projections in folders with `attention_bias`.
  /// - Parameter gguf: those that llama.cpp's loader knows.
  static func ofAttention(gguf: Set<LayerRole>) -> Biases {
    Biases(attentionMember: "attention_bias", switched: projections, gguf: gguf)
  }
}

extension Biases {
  /// Whether a role has a property that norms, the output and the roles of a layer have by
  /// different members.
  fileprivate func holds(_ role: TensorRole, output: Bool, layers: Set<LayerRole>) -> Bool {
    switch role {
    case .embedding: false
    case .finalNorm: ofNorms
    case .output: output
    case .layer(_, let part): part.isBlockNorm ? ofNorms : layers.contains(part)
    }
  }
}

extension ModelFile {
  /// Whether a tensor of a role may have a bias in this model.
  package func mayHaveBias(_ role: TensorRole) -> Bool {
    let biases = architecture.biases
    guard format == .folder else { return architecture.ggufTakesBias(role) }
    func isOn(_ member: String?) -> Bool { member.flatMap { config[$0]?.flag } ?? false }
    let switched = isOn(biases.attentionMember) ? biases.switched : []
    return biases.holds(
      role, output: isOn(biases.outputMember), layers: biases.always.union(switched))
  }

  /// Whether the config turns on biases that include that of a role.
  package func mustHaveBias(_ role: TensorRole) -> Bool {
    guard format == .folder, case .layer(_, let part) = role,
      architecture.biases.switched.contains(part)
    else { return false }
    return mayHaveBias(role)
  }
}

extension Architecture {
  /// The roles whose biases a config turns on together.
  package var switchedBiases: Set<LayerRole> { biases.switched }

  /// Whether a folder of the architecture can have a bias.
  package func folderTakesBias(_ role: TensorRole) -> Bool {
    biases.holds(
      role, output: biases.outputMember != nil, layers: biases.always.union(biases.switched))
  }

  /// Whether llama.cpp's loader has a place for a bias.
  package func ggufTakesBias(_ role: TensorRole) -> Bool {
    biases.holds(role, output: biases.ofOutput, layers: biases.gguf)
  }

  /// Whether llama.cpp's loader requires a bias.
  package func ggufRequiresBias(_ role: TensorRole) -> Bool {
    biases.holds(role, output: biases.requiresOutput, layers: biases.required)
  }

  /// Whether a converter writes a bias even if the folder lacks it.
  ///
  /// A config turns the biases of all projections on or off together.
  package func ggufWritesBias(_ role: TensorRole) -> Bool {
    biases.holds(
      role, output: biases.requiresOutput, layers: biases.required.isEmpty ? [] : biases.gguf)
  }
}

extension LayerRole {
  /// Whether the role is a norm of the hidden state.
  fileprivate var isBlockNorm: Bool {
    switch self {
    case .attentionNorm, .postAttentionNorm, .feedForwardNorm, .postFeedForwardNorm: true
    default: false
    }
  }
}
