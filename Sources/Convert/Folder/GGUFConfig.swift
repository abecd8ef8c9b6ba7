import Formats
import Patch
import Verify

/// The config.json that a GGUF model's keys and tensors amount to.
///
/// A file that was converted from a folder keeps that folder's config. Its members stand wherever the file's keys say the
/// same; the keys win, since they are what llama.cpp runs.
struct GGUFConfig {
  private(set) var document: JSONDocument
  private(set) var remarks: [String] = []
  private let model: GGUFModel
  private let family: ConvertibleFamily

  /// The family whose config is kept in the file, or the first of the architecture's.
  static func family(of model: GGUFModel) throws -> ConvertibleFamily {
    let architecture = model.geometry.architecture
    if let name = ConservedTexts.value("config", in: model.first.header)?["model_type"]?.text,
      let family = ConvertibleFamily.all.first(where: { $0.modelType == name && $0.gguf == architecture })
    {
      return family
    }
    return try ConvertibleFamily.named(architecture: architecture, subject: model.path)
  }

  /// - Parameters:
  ///   - hasTensor: by the GGUF file's names.
  ///   - type: what matrices become.
  init(_ model: GGUFModel, _ family: ConvertibleFamily, hasTensor: (String) -> Bool, type: WeightType) throws {
    self.model = model
    self.family = family
    let kept = ConservedTexts.value("config", in: model.first.header)
    let isKept = kept?.members != nil && kept?["model_type"]?.text == family.modelType
    let base: JSONValue =
      isKept
      ? kept ?? .null
      : .object(["architectures": .array([.string(family.className)]), "model_type": .string(family.modelType)])
    document = try JSONDocument(parsing: JSONStyle.standard.encode(base) + [0x0A])
    try setHyperparameters()
    try setExtras(hasTensor)
    try setTokens()
    let names = ["dtype", "torch_dtype"].filter { document.value[$0] != nil }
    for name in names.isEmpty ? ["torch_dtype"] : names { try set(name, .string(type.configName)) }
    try setRope(isKept: isKept)
    if !isKept {
      remarks.append(
        "a GGUF file does not say a sliding window of llama-like models, dropout, initialization or whether the model was fine-tuned; the config has transformers' defaults"
      )
    }
  }

  private mutating func set(_ name: String, _ value: JSONValue) throws { try document.set([name], to: value) }

  /// A 32-bit float, unless the member that is there rounds to it.
  private mutating func set(_ name: String, number: Double) throws {
    if let old = document.value[name]?.double, Float(old) == Float(number) { return }
    try set(name, number == number.rounded() && abs(number) < 1e15 ? .number(Int(number)) : .number(number))
  }

  // MARK: Sizes

  private mutating func setHyperparameters() throws {
    for parameter in family.hyperparameters where !parameter.config.isEmpty {
      switch parameter.kind {
      case .number:
        guard let number = model.optionalNumber(parameter.key) else {
          if parameter.isRequired {
            throw PatchError.unsupported(
              model.path, "the key '\(family.gguf).\(parameter.key)' is missing or no number")
          }
          continue
        }
        if document.value[parameter.config]?.double.map({ Float($0) }) != Float(number) {
          try set(parameter.config, .number(number))
        }
      case .count:
        let count =
          parameter.isRequired && parameter.config != "vocab_size"
          ? try model.count(parameter.key) : try model.optionalCount(parameter.key)
        guard let count else { continue }
        if parameter.config == "sliding_window", count == 0 {
          if !(document.value["sliding_window"]?.isNull ?? false) { try set("sliding_window", .null) }
        } else {
          try set(parameter.config, .number(count))
        }
      }
    }
    if document.value["hidden_act"] == nil { try set("hidden_act", .string("silu")) }
  }

  private mutating func setExtras(_ hasTensor: (String) -> Bool) throws {
    try set("tie_word_embeddings", .bool(!hasTensor("output.weight")))
    switch family.modelType {
    case "llama", "mistral", "granite", "phimoe":
      let hasBias = hasTensor("blk.0.attn_q.bias")
      if hasBias || document.value["attention_bias"] != nil { try set("attention_bias", .bool(hasBias)) }
      if family.modelType == "phimoe" { try set("lm_head_bias", .bool(hasTensor("output.bias"))) }
    case "minicpm": try setScaling()
    case "minicpm3": try setLatent()
    default: break
    }
  }

  private mutating func setScaling() throws {
    let layers = Double(try model.count("block_count"))
    let hidden = Double(try model.count("embedding_length"))
    if let scale = model.optionalNumber("embedding_scale") { try set("scale_emb", number: scale) }
    if let scale = model.optionalNumber("residual_scale") {
      let old = document.value["scale_depth"]?.double ?? 0
      if Float(old / layers.squareRoot()) != Float(scale) {
        try set("scale_depth", number: (scale * layers.squareRoot()).rounded(digits: 6))
      }
    }
    if let scale = model.optionalNumber("logit_scale"), scale > 0 {
      try set("dim_model_base", number: (hidden / scale).rounded(digits: 6))
    }
  }

  private mutating func setLatent() throws {
    let rotated = model.geometry.rotaryDimensions
    let unrotated = try model.count("attention.key_length") - rotated
    guard unrotated > 0 else {
      throw PatchError.unsupported(model.path, "heads of \(unrotated) + \(rotated) dimensions")
    }
    let heads = try model.count("attention.head_count")
    let value = try model.optionalCount("attention.value_length") ?? model.count("embedding_length") / heads
    try set("qk_rope_head_dim", .number(rotated))
    try set("qk_nope_head_dim", .number(unrotated))
    try set("v_head_dim", .number(value))
    // The published model's, which llama.cpp takes for every one.
    for (name, number) in [("scale_emb", 12.0), ("scale_depth", 1.4), ("dim_model_base", 256)]
    where document.value[name] == nil {
      try set(name, number: number)
    }
  }

  private mutating func setTokens() throws {
    guard case .array(let tokens)? = model.first.header[key: "tokenizer.ggml.tokens"] else {
      throw PatchError.unsupported(model.path, "the vocabulary has no tokens")
    }
    try set("vocab_size", .number(tokens.count))
    for (name, key) in [("bos", "bos"), ("eos", "eos"), ("pad", "padding")]
    where document.value["\(name)_token_id"] == nil {
      let id = model.first.header[key: "tokenizer.ggml.\(key)_token_id"]?.integer
      // A default of transformers' may be no token of this vocabulary.
      if id != nil || name == "pad" { try set("\(name)_token_id", id.map { .number($0) } ?? .null) }
    }
  }

  // MARK: RoPE

  private mutating func setRope(isKept: Bool) throws {
    if isKept, try keepsRope() { return }
    for name in ["rope_scaling", "rope_parameters", "original_max_position_embeddings", Stamp.member] {
      try document.remove([name])
    }
    let geometry = model.geometry
    try set("max_position_embeddings", .number(geometry.window))
    try set("rope_theta", number: Float(geometry.theta).asDecimal)
    try setPartialRotary()
    switch geometry.scalingType {
    case "longrope":
      try set("max_position_embeddings", .number(geometry.originalWindow))
      try setFactors()
    case "llama3": try setLlama3()
    case "linear", "yarn": try setScaling(geometry.scalingType)
    default:
      if family.gguf == "phi3" || family.gguf == "phimoe" {
        try set("original_max_position_embeddings", .number(geometry.originalWindow))
      }
      try set("rope_scaling", .null)
    }
  }

  /// Whether the kept config would be written as the keys and tables that the file has.
  private func keepsRope() throws -> Bool {
    guard let kept = try? HuggingFaceModel(config: document, path: model.path),
      let rope = try? RopeKeys(kept, family, allowDivergent: true)
    else { return false }
    let prefix = "\(family.gguf).rope."
    let own = model.first.header.keys.filter {
      $0.name.hasPrefix(prefix) && $0.name != "\(prefix)dimension_count" || $0.name == "\(family.gguf).context_length"
    }
    let expected = Dictionary(rope.keys.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    guard own.count == expected.count, own.allSatisfy({ expected[$0.name] == $0.value }) else { return false }
    let tables = Dictionary(
      rope.tensors.compactMap { tensor -> (String, [Float])? in
        if case .values(let values) = tensor.source { (tensor.name, values) } else { nil }
      }, uniquingKeysWith: { first, _ in first })
    return tables[GGUFModel.longName] == model.longFactors && tables[GGUFModel.shortName] == model.shortFactors
      && tables[GGUFModel.frequenciesName] == model.frequencyFactors
  }

  private mutating func setPartialRotary() throws {
    guard family.modelType != "minicpm3" else { return }
    let head =
      try model.optionalCount("attention.key_length")
      ?? model.count("embedding_length") / model.count("attention.head_count")
    let rotated = model.geometry.rotaryDimensions
    if rotated != head {
      try set("partial_rotary_factor", number: Double(rotated) / Double(head))
    } else {
      try document.remove(["partial_rotary_factor"])
    }
  }

  private mutating func setFactors() throws {
    let set = try FactorSet(gguf: model)
    let folder = try HuggingFaceModel(config: document, path: model.path)
    let factors = try ModelFactors(fitting: set, to: folder.geometry, subject: model.path, allowDivergent: true)
    if !factors.isMscaleDerived {
      remarks.append("mscale \(factors.longMscale) is not what runtimes derive; not all of them read it from a config")
    }
    if !model.geometry.isOriginalWindowKnown {
      remarks.append("the file does not say the window that its factors extend; \(factors.originalWindow) is taken")
    }
    let header = model.first.header
    let stamp = Stamp(
      version: header[key: "\(Stamp.member).version"]?.text ?? "",
      factorsSHA256: header[key: "\(Stamp.member).factors_sha256"]?.text ?? "")
    var options = ApplyOptions()
    options.allowDivergent = true
    let plan = try FolderPlanner(model: folder, factors: factors, options: options, stamp: stamp).plan()
    for edit in plan.edits where edit.name == HuggingFaceModel.configName {
      if case .contents(_, let text?) = edit.action { document = try JSONDocument(parsing: text) }
    }
    if stamp.version.isEmpty { try document.remove([Stamp.member]) }
  }

  private mutating func setLlama3() throws {
    let geometry = model.geometry
    let own = model.frequencyFactors ?? []
    let factor = own.max() ?? 1
    let expected = Llama3Scaling.factors(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factor: Double(factor),
      originalWindow: geometry.originalWindow)
    guard own.count == expected.count, zip(own, expected).allSatisfy({ abs(Double($0) - $1) <= 1e-3 * $1 }) else {
      throw PatchError.unsupported(
        model.path,
        "\(GGUFModel.frequenciesName) is not what Llama 3.1's scaling with its factors 1 and 4 makes of any window")
    }
    try set(
      "rope_scaling",
      .object([
        "factor": .number(factor.asDecimal), "high_freq_factor": .number(4.0), "low_freq_factor": .number(1.0),
        "original_max_position_embeddings": .number(model.geometry.originalWindow), "rope_type": .string("llama3"),
      ]))
    if model.geometry.originalWindows.count > 1 {
      remarks.append(
        "several original windows explain rope_freqs.weight; \(model.geometry.originalWindow) is taken of \(model.geometry.originalWindows)"
      )
    }
  }

  private mutating func setScaling(_ type: String) throws {
    var members = [
      JSONMember("rope_type", .string(type)), JSONMember("type", .string(type)),
      JSONMember("factor", .number(model.optionalNumber("rope.scaling.factor") ?? 1)),
    ]
    if type == "yarn" {
      members.append(JSONMember("original_max_position_embeddings", .number(model.geometry.originalWindow)))
      for (name, key) in [
        ("extrapolation_factor", "yarn_ext_factor"), ("attention_factor", "yarn_attn_factor"),
        ("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow"),
      ] {
        if let number = model.optionalNumber("rope.scaling.\(key)") {
          members.append(JSONMember(name, .number(number)))
        }
      }
    }
    try set("rope_scaling", .object(members))
  }
}

extension Double {
  /// To so many significant digits.
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
