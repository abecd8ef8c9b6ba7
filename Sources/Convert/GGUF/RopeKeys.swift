import Formats
import Patch

/// The keys and tensors that make llama.cpp rotate as a folder's config says.
struct RopeKeys {
  var keys: [GGUFKey] = []
  var tensors: [PlannedTensor] = []

  /// - Throws: `PatchError` for a scaling that llama.cpp does not have for the family.
  init(_ model: HuggingFaceModel, _ family: ConvertibleFamily, allowDivergent: Bool) throws {
    let geometry = model.geometry
    let prefix = family.gguf
    keys = [
      GGUFKey("\(prefix).context_length", .uint32(UInt32(geometry.window))),
      GGUFKey("\(prefix).rope.freq_base", .float32(Float(geometry.theta))),
    ]
    switch geometry.scalingType {
    case "default":
      if prefix == "phi3" || prefix == "phimoe" { addOriginalWindow(prefix, geometry.originalWindow) }
    case "linear": try addFactor("linear", prefix, model)
    case "yarn":
      try addFactor("yarn", prefix, model)
      try addYarn(prefix, model)
    case "llama3": try addLlama3(model)
    case "longrope", "su": try addFactors(model, family, allowDivergent)
    case let other:
      throw PatchError.unsupported(model.path, "llama.cpp has no rope scaling of the type '\(other.sanitized)'")
    }
  }

  private mutating func add(_ name: String, _ value: GGUFValue) { keys.append(GGUFKey(name, value)) }

  private mutating func addOriginalWindow(_ prefix: String, _ window: Int) {
    add("\(prefix).rope.scaling.original_context_length", .uint32(UInt32(window)))
  }

  private mutating func addFactor(_ type: String, _ prefix: String, _ model: HuggingFaceModel) throws {
    let reader = ConfigNumbers(config: model.scaling ?? .null, path: model.path)
    add("\(prefix).rope.scaling.type", .string(type))
    add("\(prefix).rope.scaling.factor", .float32(Float(try reader.number("factor"))))
  }

  private mutating func addYarn(_ prefix: String, _ model: HuggingFaceModel) throws {
    addOriginalWindow(prefix, model.geometry.originalWindow)
    let reader = ConfigNumbers(config: model.scaling ?? .null, path: model.path)
    for (name, key) in [
      ("extrapolation_factor", "yarn_ext_factor"), ("attention_factor", "yarn_attn_factor"),
      ("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow"),
    ] {
      if let value = try reader.optionalNumber(name) { add("\(prefix).rope.scaling.\(key)", .float32(Float(value))) }
    }
  }

  private mutating func addLlama3(_ model: HuggingFaceModel) throws {
    let reader = ConfigNumbers(config: model.scaling ?? .null, path: model.path)
    let factors = Llama3Scaling.factors(
      theta: model.geometry.theta, rotaryDimensions: model.geometry.rotaryDimensions,
      factor: try reader.number("factor"), originalWindow: try reader.count("original_max_position_embeddings"),
      lowFrequencyFactor: try reader.number("low_freq_factor"),
      highFrequencyFactor: try reader.number("high_freq_factor"))
    tensors = [PlannedTensor(GGUFModel.frequenciesName, floats: factors.map { Float($0) })]
  }

  private mutating func addFactors(
    _ model: HuggingFaceModel, _ family: ConvertibleFamily, _ allowDivergent: Bool
  ) throws {
    guard family.takesFactors else {
      throw PatchError.unsupported(
        model.path, "llama.cpp refuses LongRoPE's factors in models of the architecture '\(family.gguf)'")
    }
    guard model.geometry.isOriginalWindowKnown else {
      throw PatchError.unsupported(
        model.path, "has LongRoPE's factors, but no original_max_position_embeddings, the window that they extend")
    }
    let factors = try ModelFactors(
      fitting: FactorSet(json: model.textConfig, subject: model.path), to: model.geometry, subject: model.path,
      targetWindow: model.geometry.window, allowDivergent: allowDivergent, requiresOriginalWindow: true)
    guard !factors.mscalesDiffer || allowDivergent else {
      throw PatchError.unsafe(
        model.path,
        "mscale \(factors.longMscale) for long and \(factors.shortMscale) for short inputs: llama.cpp has one for both; --allow-divergent writes the long one"
      )
    }
    let prefix = family.gguf
    add("\(prefix).rope.scaling.type", .string("longrope"))
    addOriginalWindow(prefix, factors.originalWindow)
    add("\(prefix).rope.scaling.attn_factor", .float32(Float(factors.longMscale)))
    tensors = [
      PlannedTensor(GGUFModel.longName, floats: factors.long.map { Float($0) }),
      PlannedTensor(GGUFModel.shortName, floats: factors.short.map { Float($0) }),
    ]
  }
}
