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

extension ModelFile {
  /// Whether a tensor of a role may have a bias in this model.
  package func mayHaveBias(_ role: TensorRole) -> Bool {
    let biases = architecture.biases
    switch (role, format) {
    case (.embedding, _): return false
    case (.finalNorm, _): return biases.ofNorms
    case (.output, .folder):
      return biases.outputMember.flatMap { config[$0]?.flag } ?? false
    case (.output, .gguf): return biases.ofOutput
    case (.layer(_, let part), _) where part.isBlockNorm: return biases.ofNorms
    case (.layer(_, let part), .folder):
      if biases.always.contains(part) { return true }
      let isOn = biases.attentionMember.flatMap { config[$0]?.flag } ?? false
      return isOn && biases.switched.contains(part)
    case (.layer(_, let part), .gguf): return biases.gguf.contains(part)
    }
  }
}

extension ModelFile {
  /// Whether the config turns on biases that include that of a role.
  package func mustHaveBias(_ role: TensorRole) -> Bool {
    guard format == .folder, case .layer(_, let part) = role,
      let member = architecture.biases.attentionMember
    else { return false }
    return config[member]?.flag == true && architecture.biases.switched.contains(part)
  }
}

extension Architecture {
  /// Whether llama.cpp's loader requires a bias.
  package func ggufRequiresBias(_ role: TensorRole) -> Bool {
    switch role {
    case .embedding: false
    case .finalNorm: biases.ofNorms
    case .output: biases.requiresOutput
    case .layer(_, let part): part.isBlockNorm ? biases.ofNorms : biases.required.contains(part)
    }
  }

  /// Whether a folder of the architecture can have a bias.
  package func folderTakesBias(_ role: TensorRole) -> Bool {
    switch role {
    case .embedding: false
    case .finalNorm: biases.ofNorms
    case .output: biases.outputMember != nil
    case .layer(_, let part):
      part.isBlockNorm
        ? biases.ofNorms : biases.always.contains(part) || biases.switched.contains(part)
    }
  }

  /// The roles whose biases a config turns on together.
  package var switchedBiases: Set<LayerRole> { biases.switched }

  /// Whether a converter writes a bias even if the folder lacks it.
  ///
  /// A config turns the biases of all projections on or off together.
  package func ggufWritesBias(_ role: TensorRole) -> Bool {
    guard case .layer(_, let part) = role, !part.isBlockNorm else { return ggufRequiresBias(role) }
    return !biases.required.isEmpty && biases.gguf.contains(part)
  }

  /// Whether llama.cpp's loader has a place for a bias.
  package func ggufTakesBias(_ role: TensorRole) -> Bool {
    switch role {
    case .embedding: false
    case .finalNorm: biases.ofNorms
    case .output: biases.ofOutput
    case .layer(_, let part): part.isBlockNorm ? biases.ofNorms : biases.gguf.contains(part)
    }
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
