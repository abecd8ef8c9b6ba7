import Formats
public import Models
import Numerics

/// Opens a model on disk, as described by the record of its architecture.
extension Transformer {
  /// Opens the model at `path`, a folder or a GGUF file.
  /// - Throws: `ModelError` for an architecture that cannot be run, or for weights that are
  ///   missing, misshapen or superfluous; `FormatError` or `FileError`.
  public init(path: String) throws { try self.init(ModelFile(path: path)) }

  /// Opens a model.
  /// - Throws: the errors of `init(path:)`.
  public init(_ model: ModelFile) throws {
    let decoder = try Self.decoder(of: model)
    try model.refuseUnsupportedFeatures()
    let weights = try WeightReader(model)
    let sizes = try Sizes(model, tensorCount: weights.tensorCount)
    let embedding = try weights.matrix(.embedding, columns: sizes.hidden)
    let layers = try (0..<sizes.layers).map { index in
      try LayerReader(weights: weights, decoder: decoder, sizes: sizes, index: index).layer()
    }
    self.init(
      path: model.path, shape: AttentionShape(sizes, model), embedding: embedding, layers: layers,
      finalNorm: try weights.norm(.finalNorm, sizes.hidden, decoder, sizes),
      output: try Self.output(weights, decoder, embedding))
    try setMultipliers(model, decoder)
    try setPatterns(model, decoder)
    try setRotaryLayers(model, decoder)
    temperature = try model.queryTemperature()
    try requireVocabulary(of: model)
    if let tokens = model.config["dummy_token_indices"], !tokens.isNull {
      excludedTokens = try Self.tokens(tokens, model.path)
    }
    setVariants(
      model.deviations(hasOutput: weights.has(.output)), epsilon: sizes.epsilon,
      isTied: !weights.has(.output))
    try weights.refuseUnusedTensors()
  }

  private static func decoder(of model: ModelFile) throws(ModelError) -> DecoderLayer {
    let architecture = model.architecture
    guard let decoder = architecture.decoder else {
      let names = Architecture.list { $0.decoder != nil }
      throw .unsupported(
        model.path,
        "models of the family '\(architecture.name)' cannot be run, expected one of \(names)")
    }
    if model.format == .gguf, architecture.gguf == nil {
      throw .unsupported(
        model.path, "GGUF files of the family '\(architecture.name)' cannot be run")
    }
    if decoder.requiresSiLU, let activation = model.config["hidden_act"],
      !["silu", "swish"].contains(activation.text)
    {
      let found = activation.text.map { "'\($0.sanitized)'" } ?? activation.kind
      throw .unsupported(
        model.path, "'hidden_act' is \(found), expected 'silu' for this family")
    }
    return decoder
  }

  /// The output matrix, or the embedding if there is none.
  ///
  /// transformers 5 and llama.cpp use an output matrix that is in the file even if the config ties
  /// it to the embedding. Other runtimes then do not, which is a deviation of theirs.
  private static func output(
    _ weights: WeightReader, _ decoder: DecoderLayer, _ embedding: Weight
  ) throws -> Projection {
    let model = weights.model
    try model.requireTieMember()
    let hasOwn = weights.has(.output)
    if !hasOwn, model.format == .folder, !model.isTied, decoder.requiresUntiedOutput {
      throw ModelError.unsupported(
        model.path,
        "tensor '\(model.tensorName(.output))' is missing, but the config does not tie it to the embedding"
      )
    }
    if !hasOwn, model.format == .gguf, model.architecture.gguf?.requiresOutput == true {
      throw ModelError.unsupported(
        model.path,
        "tensor '\(model.tensorName(.output))' is missing, which llama.cpp requires")
    }
    return Projection(
      weight: hasOwn
        ? try weights.matrix(.output, rows: embedding.rows, columns: embedding.columns) : embedding,
      bias: try weights.bias(.output, count: embedding.rows))
  }

  /// Refuses an embedding with another number of rows than the vocabulary has tokens, which
  /// transformers and llama.cpp refuse.
  private func requireVocabulary(of model: ModelFile) throws(ModelError) {
    let expected: (count: Int, what: String)?
    switch model {
    case .folder(let folder):
      expected = (try folder.vocabulary, "'vocab_size' is")
    case .gguf(let file):
      guard case .array(let tokens)? = file.first.header[key: "tokenizer.ggml.tokens"] else {
        return
      }
      expected = (tokens.count, "the number of its tokens is")
    }
    guard let expected, expected.count != embedding.rows else { return }
    let runtimes = model.format == .folder ? "transformers" : "llama.cpp"
    throw .unsupported(
      model.path,
      "tensor '\(model.tensorName(.embedding))' has \(embedding.rows) rows, but \(expected.what) \(expected.count); \(runtimes) refuses such a model"
    )
  }

  private static func tokens(_ value: JSONValue, _ path: String) throws(ModelError) -> [Int] {
    let tokens = value.elements?.compactMap(\.integer) ?? []
    guard tokens.count == value.elements?.count else {
      throw .unsupported(path, "'dummy_token_indices' is not a list of whole numbers")
    }
    return tokens
  }

  // MARK: Multipliers

  private mutating func setMultipliers(_ model: ModelFile, _ decoder: DecoderLayer) throws {
    let given = model.hyperparameters
    func number(_ quantity: Hyperparameter.Quantity) throws -> Float {
      Float(try given.optionalNumber(quantity) ?? 1)
    }
    switch (decoder.multipliers, model.format) {
    case (.none, _): break
    case (.stored, _):
      embeddingScale = Float(try given.number(.embeddingMultiplier))
      residualScale = Float(try given.number(.residualMultiplier))
      shape.scale = Float(try given.number(.attentionMultiplier))
      logitScale = 1 / Float(try given.divisor(.logitDivisor))
    case (.byDepth, .gguf):
      embeddingScale = try number(.embeddingMultiplier)
      residualScale = try number(.residualMultiplier)
      logitScale = 1 / Float(try given.divisor(.logitDivisor))
    case (.byDepth, .folder), (.byDepthPublished, .folder):
      setDepthScaling(
        embedding: try given.number(.embeddingScale), depth: try given.number(.depthScale),
        base: try given.number(.baseWidth))
    case (.byDepthPublished, .gguf): setPublishedScaling()
    case (.muP, _):
      embeddingScale = try number(.embeddingMultiplier)
      logitScale = 1 / Float(try given.divisor(.logitDivisor))
      if model.config["mup_use_scaling"]?.flag ?? true {
        shape.scale = try number(.attentionMultiplier) / Float(shape.headDimension)
      }
    }
  }

  private mutating func setDepthScaling(embedding: Double, depth: Double, base: Double) {
    embeddingScale = Float(embedding)
    residualScale = Float(depth) / Float(layers.count).squareRoot()
    logitScale = Float(base) / Float(hidden)
  }

  mutating func setPublishedScaling() {
    let published = DecoderLayer.publishedDepthScaling
    setDepthScaling(embedding: published.embedding, depth: published.depth, base: published.base)
  }

  // MARK: Patterns

  /// Sets which keys the queries of each layer see.
  private mutating func setPatterns(_ model: ModelFile, _ decoder: DecoderLayer) throws {
    let given = model.hyperparameters
    // llama.cpp ignores the window of these architectures, even if it reads one.
    if case .folder(let folder) = model {
      for (index, window) in try folder.slidingWindows(layers: layers.count).enumerated() {
        if let window { layers[index].attention.pattern = .window(window) }
      }
    }
    guard decoder.attention == .grouped else { return }
    let sparsity = BlockSparsity(
      blockSize: try given.count(.sparseBlockSize),
      localBlocks: try given.count(.sparseLocalBlocks),
      stride: try given.count(.sparseStride))
    // Null or 0 means that no layer is dense.
    let every = given.isNull(.denseEvery) ? 0 : try given.optionalIndex(.denseEvery) ?? 0
    for index in layers.indices where every == 0 || (index + 1) % every != 0 {
      layers[index].attention.pattern = .blockSparse(sparsity)
    }
  }

  private mutating func setRotaryLayers(_ model: ModelFile, _ decoder: DecoderLayer) throws {
    guard case .listed(let interval) = decoder.rotaryLayers else { return }
    let rotates = try model.rotaryLayers(count: layers.count, interval: interval)
    for index in layers.indices { layers[index].attention.isRotated = rotates[index] }
  }
}

extension AttentionShape {
  fileprivate init(_ sizes: Sizes, _ model: ModelFile) {
    self.init(
      heads: sizes.heads, keyValueHeads: sizes.keyValueHeads, headDimension: sizes.headDimension,
      valueDimension: sizes.valueDimension, rotaryOffset: sizes.rotaryOffset,
      isInterleaved: model.format == .gguf && model.architecture.gguf?.isInterleaved == true,
      scale: 1 / Float(sizes.headDimension).squareRoot())
  }
}
