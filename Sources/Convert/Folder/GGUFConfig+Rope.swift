import Formats
import Inference
import Models
import Patch

/// The members of the config that describe the rotary embedding.
extension GGUFConfig {
  mutating func setRope(isKept: Bool) throws {
    if isKept, try keepsRope() { return }
    for name in [
      "rope_scaling", "rope_parameters", "original_max_position_embeddings", PatchMark.member,
    ] {
      try document.remove([name])
    }
    let geometry = model.geometry
    try set("max_position_embeddings", .number(geometry.window))
    try set("rope_theta", number: Float(geometry.theta).asDecimal)
    try setPartialRotary()
    if geometry.scalingType != "longrope" { _ = try attentionFactor(geometry.scalingType) }
    if model.frequencyFactors != nil, geometry.scalingType != "llama3" {
      throw ModelError.unsupported(
        model.path,
        "has \(GGUFModel.frequenciesName) and \(geometry.scalingType) scaling, which a config cannot express together"
      )
    }
    if architecture.rope.writesParameters { try setParameters() }
    switch geometry.scalingType {
    case "longrope":
      try set("max_position_embeddings", .number(geometry.originalWindow))
      try setFactors()
    case "llama3": try setLlama3()
    case "linear", "yarn": try setScaling(geometry.scalingType)
    default:
      if architecture.gguf?.requiresOriginalWindow == true {
        try set("original_max_position_embeddings", .number(geometry.originalWindow))
      }
      if !architecture.rope.writesParameters { try set("rope_scaling", .null) }
    }
  }

  /// Describes the rotary embedding as transformers 5 does; a scaling may be added.
  private mutating func setParameters() throws {
    let geometry = model.geometry
    var members = [
      JSONMember("rope_type", .string("default")),
      JSONMember("rope_theta", .number(Float(geometry.theta).asDecimal)),
      JSONMember("original_max_position_embeddings", .number(geometry.originalWindow)),
    ]
    if architecture.decoder?.hasTemperature == true {
      let scale = try ModelFile.gguf(model).queryTemperature()?.scale ?? 0
      members.append(JSONMember(QueryTemperature.member, .number(Float(scale).asDecimal)))
    }
    try set("rope_parameters", .object(members))
  }

  /// Whether a conversion of the preserved config would give the keys and tables of the file.
  private func keepsRope() throws -> Bool {
    guard let kept = try? ModelFolder(config: document, path: model.path),
      let rope = try? RopeContents(kept, allowDivergent: true)
    else { return false }
    let prefix = model.geometry.architecture
    let own = model.first.header.keys.filter {
      $0.name.hasPrefix("\(prefix).rope.") && $0.name != "\(prefix).\(GGUFRopeName.dimensions)"
        || $0.name == "\(prefix).\(GGUFRopeName.window)"
        || architecture.decoder?.hasTemperature == true
          && $0.name == "\(prefix).\(QueryTemperature.key)"
    }
    let expected = Dictionary(
      rope.keys.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    guard own.count == expected.count, own.allSatisfy({ expected[$0.name] == $0.value }) else {
      return false
    }
    let tables = Dictionary(
      rope.tensors.compactMap { tensor -> (String, [Float])? in
        if case .values(let values) = tensor.source { (tensor.name, values) } else { nil }
      }, uniquingKeysWith: { first, _ in first })
    return tables[GGUFModel.longName] == model.longFactors
      && tables[GGUFModel.shortName] == model.shortFactors
      && tables[GGUFModel.frequenciesName] == model.frequencyFactors
  }

  private mutating func setPartialRotary() throws {
    guard architecture.rope.dimensions == .head else { return }
    let head = try given.headSize()
    let rotated = model.geometry.rotaryDimensions
    if rotated != head {
      try set("partial_rotary_factor", number: Double(rotated) / Double(head))
    } else {
      try document.remove(["partial_rotary_factor"])
    }
  }

  private mutating func setFactors() throws {
    let set = try FactorSet(gguf: model)
    let folder = try ModelFolder(config: document, path: model.path)
    let factors = try ModelFactors(
      fitting: set, to: folder.geometry, subject: model.path, allowDivergent: true)
    if !factors.isMscaleDerived {
      remarks.append(
        "mscale \(factors.longMscale) is not the derived value, and not all runtimes read it from a config"
      )
    }
    if !model.geometry.isOriginalWindowKnown {
      remarks.append(
        "the file does not say which window its factors extend; \(factors.originalWindow) is assumed"
      )
    }
    let header = model.first.header
    let mark = PatchMark(
      version: header[key: "\(PatchMark.member).version"]?.text ?? "",
      factorsSHA256: header[key: "\(PatchMark.member).factors_sha256"]?.text ?? "")
    var options = ApplyOptions()
    options.allowDivergent = true
    document = try folder.patched(with: factors, options: options, mark: mark).config
    if mark.version.isEmpty { try document.remove([PatchMark.member]) }
  }

  private mutating func setLlama3() throws {
    let geometry = model.geometry
    let own = model.frequencyFactors ?? []
    let factor = own.max() ?? 1
    let expected = Llama3Scaling.factors(
      theta: geometry.theta, rotaryDimensions: geometry.rotaryDimensions, factor: Double(factor),
      originalWindow: geometry.originalWindow)
    guard own.count == expected.count,
      zip(own, expected).allSatisfy({ abs(Double($0) - $1) <= 1e-3 * $1 })
    else {
      throw ModelError.unsupported(
        model.path,
        "\(GGUFModel.frequenciesName) does not match Llama 3.1's scaling with the frequency factors 1 and 4 for any original window"
      )
    }
    try write(scaling: [
      JSONMember("factor", .number(factor.asDecimal)),
      JSONMember("high_freq_factor", .number(4.0)), JSONMember("low_freq_factor", .number(1.0)),
      JSONMember("original_max_position_embeddings", .number(model.geometry.originalWindow)),
      JSONMember("rope_type", .string("llama3")),
    ])
    if model.geometry.originalWindows.count > 1 {
      remarks.append(
        "several original windows explain rope_freqs.weight: \(model.geometry.originalWindows); \(model.geometry.originalWindow) is assumed"
      )
    }
  }

  private func ropeNumber(_ key: String) -> Double? {
    model.first.header[key: "\(model.geometry.architecture).\(key)"]?.number
  }

  private mutating func setScaling(_ type: String) throws {
    let factor =
      ropeNumber(GGUFRopeName.factor) ?? ropeNumber(GGUFRopeName.legacyFactor) ?? 1
    var members = [
      JSONMember("rope_type", .string(type)), JSONMember("type", .string(type)),
      JSONMember("factor", .number(factor)),
    ]
    if type == "yarn" {
      members.append(
        JSONMember("original_max_position_embeddings", .number(model.geometry.originalWindow)))
      members += try yarnMembers(factor: factor)
    }
    try write(scaling: members)
  }

  /// Writes a scaling to the object that transformers reads.
  private mutating func write(scaling members: [JSONMember]) throws {
    guard architecture.rope.writesParameters else {
      return try set("rope_scaling", .object(members))
    }
    let others = document.value["rope_parameters"]?.members ?? []
    let names = Set(members.map(\.name))
    try set("rope_parameters", .object(members + others.filter { !names.contains($0.name) }))
  }

  /// The ends of YaRN's ramp if the file has them, and its attention scale if the factor does not
  /// determine it.
  private func yarnMembers(factor: Double) throws -> [JSONMember] {
    var members: [JSONMember] = []
    var scale = try attentionFactor("yarn")
    var own = YaRN.mscale(scale: factor)
    if architecture.gguf?.readsYarnTurns == true {
      for parameter in GGUFRopeName.yarn where parameter.isReadWithTurns {
        guard let member = parameter.config, let turns = ropeNumber(parameter.gguf) else {
          continue
        }
        members.append(JSONMember(member, .number(turns)))
      }
      if let all = ropeNumber(GGUFRopeName.logMultiplier), all != 0 {
        members += [JSONMember("mscale", .number(1.0)), JSONMember("mscale_all_dim", .number(all))]
        own /= YaRN.mscale(scale: factor, coefficient: all)
      }
    }
    scale *= own
    if scale != own { members.append(JSONMember("attention_factor", .number(scale))) }
    return members
  }

  /// The attention scale of a file without factors.
  /// - Throws: `ModelError` if a config cannot express it with this type of scaling.
  private func attentionFactor(_ type: String) throws -> Double {
    let scale = ropeNumber(GGUFRopeName.attentionFactor) ?? 1
    guard scale == 1 || type == "yarn" else {
      throw ModelError.unsupported(
        model.path,
        "the key '\(model.geometry.architecture).\(GGUFRopeName.attentionFactor)' is \(scale), which a config can express with YaRN or factors only"
      )
    }
    return scale
  }
}
