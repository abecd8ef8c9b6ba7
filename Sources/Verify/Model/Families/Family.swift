import Formats

/// The families that can be run. Each is one file that says what it does otherwise than Llama.
enum Family: String, CaseIterable {
  case llama, mistral, phi3, phi3Vision = "phi3_v", phi3Small = "phi3small", phimoe, qwen2, qwen3, granite, minicpm
  case minicpm3

  static func named(_ source: ModelSource) throws -> Family {
    guard let family = Family(rawValue: source.architecture) else {
      let names = allCases.map(\.rawValue).joined(separator: ", ")
      throw VerifyError(
        source.path, "models of the family '\(source.architecture)' cannot be run; those that can: \(names)")
    }
    return family
  }

  func make(_ source: ModelSource) throws -> Transformer {
    switch self {
    case .llama: try Llama.make(source)
    case .mistral: try Mistral.make(source)
    case .phi3, .phi3Vision: try Phi3.make(source)
    case .phi3Small: try Phi3Small.make(source)
    case .phimoe: try PhiMoE.make(source)
    case .qwen2, .qwen3: try Qwen.make(source)
    case .granite: try Granite.make(source)
    case .minicpm: try MiniCPM.make(source)
    case .minicpm3: try MiniCPM3.make(source)
    }
  }
}

/// The numbers that most families name alike.
struct Sizes {
  var layers: Int
  var hidden: Int
  var feedForward: Int
  var heads: Int
  var keyValueHeads: Int
  var headDimension: Int
  var epsilon: Float

  var queryWidth: Int { heads * headDimension }
  var keyWidth: Int { keyValueHeads * headDimension }

  init(
    _ source: ModelSource, feedForward feedForwardName: String = "intermediate_size",
    epsilon epsilonName: String = "rms_norm_eps"
  ) throws {
    layers = try source.integer("num_hidden_layers", "block_count")
    guard layers <= source.tensorCount else {
      throw VerifyError(source.path, "\(layers) layers, but \(source.tensorCount) tensors")
    }
    hidden = try source.integer("hidden_size", "embedding_length")
    feedForward = try source.integer(feedForwardName, "feed_forward_length")
    heads = try source.integer("num_attention_heads", "attention.head_count")
    keyValueHeads = try source.optionalInteger("num_key_value_heads", "attention.head_count_kv") ?? heads
    headDimension = try source.optionalInteger("head_dim", "attention.key_length") ?? hidden / heads
    guard let number = try source.positive(epsilonName, "attention.layer_norm_rms_epsilon") else {
      throw VerifyError(source.path, "the epsilon of the norms ('\(epsilonName)') is missing")
    }
    epsilon = Float(number)
    if source.architecture != "phi3small" { try source.requireSiLU() }
    guard keyValueHeads > 0, heads % keyValueHeads == 0, headDimension > 0, headDimension % 2 == 0 else {
      throw VerifyError(
        source.path,
        "\(heads) heads, \(keyValueHeads) key heads and head dimension \(headDimension) do not go together")
    }
  }

  var shape: AttentionShape {
    AttentionShape(
      heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension, valueDimension: headDimension,
      scale: 1 / Float(headDimension).squareRoot())
  }
}

/// The parts of one layer, by their roles.
struct LayerReader {
  let source: ModelSource
  let index: Int
  let epsilon: Float
  var normKind = Norm.Kind.rms

  func matrix(_ part: TensorName.Part, _ rows: Int, _ columns: Int) throws -> Weight {
    try source.matrix(.layer(index, part), rows: rows, columns: columns)
  }

  /// With a bias where the file has one.
  func projection(_ part: TensorName.Part, _ rows: Int, _ columns: Int) throws -> Projection {
    let bias = TensorName.bias(index, part)
    return Projection(
      weight: try matrix(part, rows, columns),
      bias: source.has(bias) ? try source.vector(bias, count: rows) : nil)
  }

  func norm(_ part: TensorName.Part, _ count: Int, epsilon other: Float? = nil) throws -> Norm {
    let bias = TensorName.bias(index, part)
    return Norm(
      kind: normKind, weight: try source.vector(.layer(index, part), count: count),
      bias: source.has(bias) ? try source.vector(bias, count: count) : nil, epsilon: other ?? epsilon)
  }

  func optionalNorm(_ part: TensorName.Part, _ count: Int) throws -> Norm? {
    source.has(.layer(index, part)) ? try norm(part, count) : nil
  }

  /// Three matrices `gate`, `up`, `down`.
  func gated(_ sizes: Sizes) throws -> FeedForward {
    .gated(
      gate: try matrix(.gate, sizes.feedForward, sizes.hidden),
      up: try matrix(.up, sizes.feedForward, sizes.hidden),
      down: try matrix(.down, sizes.hidden, sizes.feedForward))
  }
}

extension Transformer {
  /// Embedding, layers, final norm and output. Without an output matrix the embedding serves as one.
  static func assemble(
    _ source: ModelSource, _ sizes: Sizes, normKind: Norm.Kind = .rms, _ layer: (LayerReader) throws -> Layer
  ) throws -> Transformer {
    let embedding = try source.matrix(.embedding, columns: sizes.hidden)
    let layers = try (0..<sizes.layers).map {
      try layer(LayerReader(source: source, index: $0, epsilon: sizes.epsilon, normKind: normKind))
    }
    // Some files hold an output matrix that the config declares tied, and so unused.
    let isTied = source.flag("tie_word_embeddings") == true
    if source.flag("tie_word_embeddings") == false, !source.has(.output), source.format == .folder,
      source.architecture != "phi3small"
    {
      throw VerifyError(source.path, "tensor 'lm_head.weight' is missing, and the config says that it is not tied")
    }
    if isTied { source.ignore(.output) }
    let output =
      source.has(.output) && !isTied
      ? try source.matrix(.output, rows: embedding.rows, columns: sizes.hidden) : embedding
    let finalBias = source.has(.finalNormBias) ? try source.vector(.finalNormBias, count: sizes.hidden) : nil
    return Transformer(
      path: source.path, shape: sizes.shape, embedding: embedding, layers: layers,
      finalNorm: Norm(
        kind: normKind, weight: try source.vector(.finalNorm, count: sizes.hidden), bias: finalBias,
        epsilon: sizes.epsilon),
      output: Projection(
        weight: output,
        bias: source.has(.outputBias) ? try source.vector(.outputBias, count: embedding.rows) : nil))
  }
}
