import Formats
import Models

/// Problems that are visible in the text of a config, even if the rest of the model cannot be read.
struct ConfigLint {
  private let config: JSONValue
  private let scaling: JSONValue?
  private let parameters: JSONValue?
  private let traits: TransformersTraits
  /// Members of the scaling objects that are not about the scaling.
  private let keptMembers: [String]

  init(_ config: JSONValue) {
    self.config = config.member(at: ModelFolder.location(in: config))
    scaling = Self.object(self.config["rope_scaling"])
    parameters = Self.object(self.config["rope_parameters"])
    let modelType = self.config["model_type"]?.text ?? ""
    let architecture = Architecture.known(modelType: modelType)
    traits = architecture?.transformers ?? .none
    keptMembers = architecture?.rope.keptMembers ?? []
  }

  private static func object(_ value: JSONValue?) -> JSONValue? {
    guard let value, let members = value.members, !members.isEmpty else { return nil }
    return value
  }

  private var isLongRoPE: Bool {
    [scaling, parameters].compactMap { $0 }.contains { object in
      object["long_factor"] != nil || types(object).contains { ["longrope", "su"].contains($0) }
    }
  }

  private func types(_ object: JSONValue) -> [String] {
    [object["rope_type"]?.text, object["type"]?.text].compactMap { $0 }
  }

  var findings: [LintFinding] {
    guard isLongRoPE else { return thetaFindings }
    return typeFindings + windowFindings + thetaFindings + objectFindings + keyFindings
  }

  private var typeFindings: [LintFinding] {
    var found: [LintFinding] = []
    for (name, object) in [("rope_scaling", scaling), ("rope_parameters", parameters)] {
      guard let object else { continue }
      let types = types(object)
      if types.contains("su") {
        found.append(
          LintFinding(.legacyType, "\(name) has the type 'su', which newer readers refuse"))
      }
      if types.count == 2, types[0] != types[1] {
        found.append(
          LintFinding(.typeNames, "\(name): rope_type is '\(types[0])' and type '\(types[1])'"))
      }
      if types.contains("longrope") || types.contains("su"), object["long_factor"] == nil {
        found.append(
          LintFinding(.factorsMissing, "\(name) has the type '\(types[0])' but no long_factor"))
      }
    }
    if let scaling, scaling["rope_type"] == nil, traits.requiresRopeType {
      found.append(
        LintFinding(
          .typeNames,
          "rope_scaling has no 'rope_type', which transformers 4 requires for this family"))
    }
    if traits.takesThreeKeysOnly, let scaling, scaling["type"] == nil {
      found.append(
        LintFinding(
          .typeNames, "rope_scaling has no 'type', which MLX-LM and transformers 4 require"))
    }
    if scaling == nil, parameters?["long_factor"] != nil {
      found.append(
        LintFinding(
          .onlyParameters,
          "the factors are only in rope_parameters, which transformers 4 and MLX-LM do not read"))
    }
    return found
  }

  private var windowFindings: [LintFinding] {
    let name = "original_max_position_embeddings"
    var found: [LintFinding] = []
    if config[name] == nil {
      found.append(
        LintFinding(
          .windowTop,
          "'\(name)' is not at the top level, where transformers 4 and the Phi families read it"))
    }
    if traits.takesThreeKeysOnly { return found }
    if scaling?[name] == nil, parameters?[name] == nil {
      found.append(
        LintFinding(
          .windowNested, "'\(name)' is not in a scaling object, where vLLM and MLX-LM read it"))
    } else if let scaling, scaling[name] == nil {
      found.append(
        LintFinding(.windowNested, "'\(name)' is not in rope_scaling, where MLX-LM reads it"))
    }
    return found
  }

  private var thetaFindings: [LintFinding] {
    var found: [LintFinding] = []
    for (name, rule) in [
      ("rope_theta", LintRule.thetaLost), ("partial_rotary_factor", .partialLost),
    ] {
      guard config[name] == nil, let nested = parameters?[name] ?? scaling?[name] else { continue }
      let isLost = scaling != nil && scaling?[name] == nil
      guard isLost || isLongRoPE else { continue }
      found.append(
        LintFinding(
          rule,
          "'\(name)' \(nested.summary) is only in a scaling object; readers of the top level use their default"
        ))
    }
    return found
  }

  private var objectFindings: [LintFinding] {
    guard let scaling, let parameters else { return [] }
    let shared = [
      "long_factor", "short_factor", "original_max_position_embeddings", "attention_factor",
    ]
    let differing = shared.filter { name in
      // The rope_scaling of phi3 may have only three keys.
      if traits.takesThreeKeysOnly, scaling[name] == nil { return false }
      switch (scaling[name], parameters[name]) {
      case (nil, nil): return false
      case (let left?, let right?): return !left.means(right)
      default: return true
      }
    }
    let leftType = types(scaling).first
    let rightType = types(parameters).first
    let names = differing + (leftType == rightType ? [] : ["rope_type"])
    guard !names.isEmpty else { return [] }
    return [
      LintFinding(
        .objectsDiffer,
        "rope_scaling and rope_parameters differ in \(names.joined(separator: ", "))")
    ]
  }

  // MARK: Keys

  private static let knownKeys: Set<String> = [
    "rope_type", "type", "factor", "original_max_position_embeddings", "long_factor",
    "short_factor", "attention_factor", "long_mscale", "short_mscale", "rope_theta",
    "partial_rotary_factor",
  ]

  private var keyFindings: [LintFinding] {
    var found: [LintFinding] = []
    for (name, object) in [("rope_scaling", scaling), ("rope_parameters", parameters)] {
      for member in object?.members ?? []
      where !Self.knownKeys.contains(member.name) && !keptMembers.contains(member.name) {
        found.append(
          LintFinding(
            .nearMiss,
            "\(name) has the key '\(member.name.sanitized)'\(Self.suggestion(member.name))"))
      }
      guard case .number(let text)? = object?["factor"] else { continue }
      if !text.contains(where: { ".eE".contains($0) }) {
        found.append(LintFinding(.factorWhole, "\(name) has the factor \(text) without a fraction"))
      }
    }
    return found
  }

  private static func suggestion(_ name: String) -> String {
    let near = [
      "attn_factor": "attention_factor", "mscale": "attention_factor", "scaling_factor": "factor",
      "rope_scaling_type": "rope_type", "long_factors": "long_factor",
      "short_factors": "short_factor", "original_max_position": "original_max_position_embeddings",
    ]
    return near[name].map { "; '\($0)' was probably meant" } ?? ""
  }
}
