import Formats
import Models
import Patch

/// The keys and tensors that describe the rotary embedding of a folder's config to llama.cpp.
struct RopeContents {
  var keys: [GGUFKey] = []
  var tensors: [PlannedTensor] = []

  /// - Throws: `ModelError` for a scaling that llama.cpp does not support for the architecture.
  init(_ model: ModelFolder, allowDivergent: Bool) throws {
    let geometry = model.geometry
    guard let gguf = model.architecture.gguf else {
      preconditionFailure("only convertible architectures get here")
    }
    let prefix = gguf.name
    keys = [
      GGUFKey("\(prefix).\(GGUFRopeName.window)", .uint32(UInt32(geometry.window))),
      GGUFKey("\(prefix).\(GGUFRopeName.base)", .float32(Float(geometry.theta))),
    ]
    switch geometry.scalingType {
    case "default":
      try requireTheta(model)
      if gguf.requiresOriginalWindow { addOriginalWindow(prefix, geometry.originalWindow) }
    case "linear":
      try requireTheta(model)
      try addFactor("linear", prefix, model)
    case "yarn": try addYarn(prefix, model)
    case "llama3": try addLlama3(model)
    case "longrope", "su": try addFactors(model, gguf, allowDivergent)
    case let other:
      throw ModelError.unsupported(
        model.path, "llama.cpp does not support RoPE scaling of the type '\(other.sanitized)'")
    }
    if let temperature = try ModelFile.folder(model).queryTemperature() {
      add("\(prefix).\(QueryTemperature.key)", .float32(Float(temperature.scale)))
      let name = "\(prefix).\(GGUFRopeName.originalWindow)"
      if !keys.contains(where: { $0.name == name }) {
        addOriginalWindow(prefix, temperature.window)
      }
    }
  }

  /// Refuses a config whose scaling objects make transformers use another base than they contain.
  private func requireTheta(_ model: ModelFolder) throws {
    let geometry = model.geometry
    guard let used = try Inspection(model).readings[0].long?.inverseFrequencies else { return }
    let own = RotaryFrequencies.inverse(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions)
    let ratios = zip(used, own).map { $0 / $1 }
    // Linear scaling divides all frequencies alike.
    guard used.count == own.count, ratios.allSatisfy({ abs($0 - ratios[0]) <= 1e-6 * ratios[0] })
    else {
      throw ModelError.unsupported(
        model.path,
        """
        rope_theta is \(geometry.theta), but in a scaling object that transformers does not read; \
        write it at the top level
        """)
    }
  }

  private mutating func add(_ name: String, _ value: GGUFValue) {
    keys.append(GGUFKey(name, value))
  }

  private mutating func addOriginalWindow(_ prefix: String, _ window: Int) {
    add("\(prefix).\(GGUFRopeName.originalWindow)", .uint32(UInt32(window)))
  }

  private mutating func addFactor(_ type: String, _ prefix: String, _ model: ModelFolder) throws {
    add("\(prefix).\(GGUFRopeName.type)", .string(type))
    let factor = try model.scalingNumber("factor")
    add("\(prefix).\(GGUFRopeName.factor)", .float32(Float(factor)))
  }

  /// Writes YaRN as transformers computes it.
  ///
  /// For most architectures llama.cpp reads the ends of the ramp from no file. It reads the
  /// attention scale from `attn_factor`, which multiplies the one that follows from the factor.
  /// - Throws: `ModelError` for a ramp that llama.cpp does not compute.
  private mutating func addYarn(_ prefix: String, _ model: ModelFolder) throws {
    let reading = try Inspection(model).readings[0]
    guard let wanted = reading.long, let frequencies = wanted.inverseFrequencies else {
      throw ModelError.unsupported(model.path, reading.notes.first ?? "YaRN cannot be computed")
    }
    let geometry = model.geometry
    let scale =
      try model.optionalScalingNumber("factor")
      ?? Double(geometry.window) / Double(geometry.originalWindow)
    var yarn = YaRN(factor: scale, originalWindow: geometry.originalWindow)
    let readsTurns = model.architecture.gguf?.readsYarnTurns == true
    if readsTurns {
      yarn.turns = YarnTurns(
        fast: try model.optionalScalingNumber("beta_fast") ?? yarn.turns.fast,
        slow: try model.optionalScalingNumber("beta_slow") ?? yarn.turns.slow)
    }
    let computed = yarn.inverse(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions)
    guard zip(frequencies, computed).allSatisfy({ abs($0 - $1) <= 1e-6 * $1 }) else {
      let turns = YaRN.publishedTurns
      throw ModelError.unsupported(
        model.path,
        "llama.cpp computes YaRN only with \(readsTurns ? "" : "beta_fast \(turns.fast), beta_slow \(turns.slow) and ")a ramp between whole pairs (truncate), unlike this config"
      )
    }
    add("\(prefix).\(GGUFRopeName.type)", .string("yarn"))
    add("\(prefix).\(GGUFRopeName.factor)", .float32(Float(scale)))
    addOriginalWindow(prefix, geometry.originalWindow)
    var own = YaRN.mscale(scale: scale)
    if readsTurns {
      add("\(prefix).\(GGUFRopeName.betaFast)", .float32(Float(yarn.turns.fast)))
      add("\(prefix).\(GGUFRopeName.betaSlow)", .float32(Float(yarn.turns.slow)))
      if let all = try model.optionalScalingNumber("mscale_all_dim"), all != 0 {
        add("\(prefix).\(GGUFRopeName.logMultiplier)", .float32(Float(all)))
        own /= YaRN.mscale(scale: scale, coefficient: all)
      }
    }
    let attention = Float(wanted.mscale / own)
    if attention != 1 { add("\(prefix).\(GGUFRopeName.attentionFactor)", .float32(attention)) }
  }

  private mutating func addLlama3(_ model: ModelFolder) throws {
    _ = try model.scalingNumber("original_max_position_embeddings")
    let factors = Llama3Scaling.factors(
      theta: model.geometry.theta, rotaryDimensions: model.geometry.rotaryDimensions,
      factor: try model.scalingNumber("factor"), originalWindow: model.geometry.originalWindow,
      lowFrequencyFactor: try model.scalingNumber("low_freq_factor"),
      highFrequencyFactor: try model.scalingNumber("high_freq_factor"))
    tensors = [PlannedTensor(GGUFModel.frequenciesName, floats: factors.map { Float($0) })]
  }

  private mutating func addFactors(
    _ model: ModelFolder, _ gguf: Architecture.GGUF, _ allowDivergent: Bool
  ) throws {
    guard model.architecture.takesFactorsInGGUF else {
      throw ModelError.unsupported(
        model.path, "llama.cpp does not support factors for the architecture '\(gguf.name)'")
    }
    guard model.geometry.isOriginalWindowKnown else {
      throw ModelError.unsupported(
        model.path,
        "has factors, but 'original_max_position_embeddings' is missing, which they extend")
    }
    let factors = try ModelFactors(
      fitting: FactorSet(json: model.textConfig, subject: model.path), to: model.geometry,
      subject: model.path, targetWindow: model.geometry.window, allowDivergent: allowDivergent,
      requiresOriginalWindow: true, isStored: true)
    if !allowDivergent { try GGUFLongRoPE.requireOneMscale(factors, model.path) }
    let longRoPE = GGUFLongRoPE(factors, gguf)
    keys.removeAll { key in longRoPE.keys.contains { $0.name == key.name } }
    keys += longRoPE.keys
    tensors = longRoPE.tables.map { PlannedTensor($0.name, floats: $0.values) }
  }
}

extension ModelFolder {
  /// A number in the scaling object, or nil if it is missing.
  /// - Throws: `ModelError` if it is not a number.
  fileprivate func optionalScalingNumber(_ name: String) throws(ModelError) -> Double? {
    guard let value = scaling?[name], !value.isNull else { return nil }
    guard let number = value.double else {
      throw .unsupported(path, "'\(name)' is \(value.kind), expected a number")
    }
    return number
  }

  fileprivate func scalingNumber(_ name: String) throws(ModelError) -> Double {
    guard let number = try optionalScalingNumber(name) else {
      throw .unsupported(path, "'\(name)' is missing")
    }
    return number
  }
}
