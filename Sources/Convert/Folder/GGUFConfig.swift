import Formats
import Inference
import Models
import Patch

/// The config.json that corresponds to the keys and tensors of a GGUF model.
///
/// A file that was converted from a folder contains the config of that folder, which is the
/// starting point. If a key has another value, the key wins, because llama.cpp reads the key.
struct GGUFConfig {
  var document: JSONDocument
  var remarks: [String] = []
  let model: GGUFModel
  let architecture: Architecture

  /// The architecture of the config that is preserved in the file, or the first one with the GGUF
  /// name.
  static func architecture(of model: GGUFModel) throws -> Architecture {
    let name = model.architecture.gguf?.name
    let kept = PreservedConfigs.value("config", in: model.first.header)?["model_type"]?.text
    if let kept, let found = Architecture.known(modelType: kept), found.gguf?.name == name,
      found.isConvertible
    {
      return found
    }
    try model.architecture.requireConvertible(model.path)
    return model.architecture
  }

  /// - Parameters:
  ///   - hasTensor: whether the GGUF file has a tensor with a name.
  ///   - type: the type of matrices in the folder.
  init(
    _ model: GGUFModel, _ architecture: Architecture, hasTensor: (String) -> Bool, type: ElementType
  ) throws {
    self.model = model
    self.architecture = architecture
    let kept = PreservedConfigs.value("config", in: model.first.header)
    let isKept = kept?.members != nil && kept?["model_type"]?.text == architecture.name
    let base: JSONValue =
      isKept
      ? kept ?? .null
      : .object([
        "architectures": .array([.string(architecture.className ?? "")]),
        "model_type": .string(architecture.name),
      ])
    document = try JSONDocument(parsing: JSONStyle.standard.encode(base) + [0x0A])
    try setHyperparameters()
    try setExtras(hasTensor, isKept: isKept)
    try setTokens()
    let names = ["dtype", "torch_dtype"].filter { document.value[$0] != nil }
    for name in names.isEmpty ? ["torch_dtype"] : names { try set(name, .string(type.configName)) }
    try setRope(isKept: isKept)
    if !isKept {
      remarks.append(
        "a GGUF file does not store the sliding window of llama-like models, dropout, initialization or whether the model was fine-tuned; the config has the defaults of transformers"
      )
    }
  }

  var given: Hyperparameters { model.hyperparameters }

  mutating func set(_ name: String, _ value: JSONValue) throws {
    try document.set([name], to: value)
  }

  /// Sets a number that is stored as a 32-bit float.
  ///
  /// A present number that rounds to it is kept.
  mutating func set(_ name: String, number: Double) throws {
    if let old = document.value[name]?.double, Float(old) == Float(number) { return }
    try set(
      name,
      number == number.rounded() && abs(number) < 1e15 ? .number(Int(number)) : .number(number))
  }

  // MARK: Sizes

  private mutating func setHyperparameters() throws {
    for row in architecture.hyperparameters {
      guard let name = row.config, row.gguf != nil else { continue }
      switch row.kind {
      case .number: try setNumber(row, name)
      case .count: try setCount(row, name)
      }
    }
    if document.value["hidden_act"] == nil { try set("hidden_act", .string("silu")) }
  }

  private mutating func setNumber(_ row: Hyperparameter, _ name: String) throws {
    let number: Double?
    if case .required = row.absence {
      number = try given.number(row.quantity)
    } else {
      number = try given.optionalNumber(row.quantity)
    }
    guard let number else { return }
    if document.value[name]?.double.map({ Float($0) }) != Float(number) {
      try set(name, .number(number))
    }
  }

  private mutating func setCount(_ row: Hyperparameter, _ name: String) throws {
    if case .required = row.absence { return try set(name, .number(given.count(row.quantity))) }
    if row.quantity == .keyValueHeads, !given.gives(.keyValueHeads) {
      return try set(name, .number(given.count(.heads)))
    }
    guard given.gives(row.quantity) else { return }
    if let count = try given.optionalCount(row.quantity) {
      try set(name, .number(count))
    } else if !(document.value[name]?.isNull ?? false) {
      // A sliding window of 0 means none.
      try set(name, .null)
    }
  }

  private mutating func setExtras(_ hasTensor: (String) -> Bool, isKept: Bool) throws {
    func has(_ role: TensorRole, _ suffix: Architecture.Suffix) -> Bool {
      hasTensor(architecture.tensorName(role, suffix, in: .gguf))
    }
    try set("tie_word_embeddings", .bool(!has(.output, .weight)))
    if let name = architecture.biases.attentionMember {
      let layers = try given.count(.layers)
      let hasBias = architecture.switchedBiases.contains { part in
        (0..<layers).contains { has(.layer($0, part), .bias) }
      }
      // MLX-LM requires the members of some families.
      if hasBias || !isKept || document.value[name] != nil { try set(name, .bool(hasBias)) }
      if !isKept, architecture.hasFeedForwardBiases { try set("mlp_bias", .bool(false)) }
    }
    if let name = architecture.biases.outputMember { try set(name, .bool(has(.output, .bias))) }
    switch architecture.decoder?.multipliers {
    case .byDepth?: try setDepthScaling()
    case .byDepthPublished?: try setPublishedScaling()
    default: break
    }
    if architecture.rope.dimensions == .latent { try setLatent() }
  }

  private mutating func setDepthScaling() throws {
    let layers = Double(try given.count(.layers))
    let hidden = Double(try given.count(.hidden))
    try set("scale_emb", number: given.number(.embeddingMultiplier))
    let scale = try given.number(.residualMultiplier)
    let old = document.value["scale_depth"]?.double ?? 0
    if Float(old / layers.squareRoot()) != Float(scale) {
      try set("scale_depth", number: (scale * layers.squareRoot()).rounded(digits: 6))
    }
    let divisor = try given.number(.logitDivisor)
    if divisor > 0 { try set("dim_model_base", number: (hidden / divisor).rounded(digits: 6)) }
  }

  /// Sets the numbers of the published model, which llama.cpp uses for every model.
  private mutating func setPublishedScaling() throws {
    let published = DecoderLayer.publishedDepthScaling
    for (name, number) in [
      ("scale_emb", published.embedding), ("scale_depth", published.depth),
      ("dim_model_base", published.base),
    ] where document.value[name] == nil {
      try set(name, number: number)
    }
  }

  private mutating func setLatent() throws {
    let rotated = model.geometry.rotaryDimensions
    let unrotated = try given.count(.headDimension) - rotated
    guard unrotated > 0 else {
      throw ModelError.unsupported(
        model.path,
        "a head has \(unrotated + rotated) dimensions, expected more than the \(rotated) rotated ones"
      )
    }
    let value =
      try given.optionalCount(.valueDimension) ?? given.count(.hidden) / given.count(.heads)
    try set("qk_rope_head_dim", .number(rotated))
    try set("qk_nope_head_dim", .number(unrotated))
    try set("v_head_dim", .number(value))
  }

  private mutating func setTokens() throws {
    guard case .array(let tokens)? = model.first.header[key: "tokenizer.ggml.tokens"] else {
      throw ModelError.unsupported(model.path, "the vocabulary has no tokens")
    }
    try set("vocab_size", .number(tokens.count))
    for (name, key) in [("bos", "bos"), ("eos", "eos"), ("pad", "padding")]
    where document.value["\(name)_token_id"] == nil {
      let id = model.first.header[key: "tokenizer.ggml.\(key)_token_id"]?.integer
      // A default of transformers may not be a token of this vocabulary.
      if id != nil || name == "pad" { try set("\(name)_token_id", id.map { .number($0) } ?? .null) }
    }
  }
}

extension Double {
  /// The number, rounded to some significant digits.
  fileprivate func rounded(digits: Int) -> Double {
    guard self != 0, isFinite else { return self }
    var (unit, size) = (1.0, abs(self))
    while size >= 10 { (size, unit) = (size / 10, unit * 10) }
    while size < 1 { (size, unit) = (size * 10, unit / 10) }
    var scale = 1.0
    for _ in 1..<digits { scale *= 10 }
    return (self / unit * scale).rounded() / scale * unit
  }
}
