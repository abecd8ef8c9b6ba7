import Formats
import Models

/// Problems in a GGUF model.
struct GGUFLint {
  private let model: GGUFModel

  static func findings(_ path: String) throws -> [LintFinding] {
    do {
      let lint = GGUFLint(model: try GGUFModel(path: path))
      return lint.nestedArrays + lint.architectureFindings + lint.editsSincePatch
    } catch let error as ModelError {
      return [LintFinding(.invalidConfig, error.message)]
    }
  }

  /// An architecture that does not support factors is only a problem if the file has factors.
  private var architectureFindings: [LintFinding] {
    if model.architecture.takesFactorsInGGUF { return findings }
    guard hasTables else { return [] }
    return [
      LintFinding(
        .ggufArchitecture,
        "llama.cpp's loader for architecture '\(prefix.sanitized)' refuses or ignores factor tensors"
      )
    ]
  }

  private var prefix: String { model.geometry.architecture }

  private func value(_ name: String) -> GGUFValue? {
    model.first.header[key: "\(prefix).rope.\(name)"]
  }

  private var hasTables: Bool { model.longFactors != nil || model.shortFactors != nil }
  private var saysLongRoPE: Bool { value("scaling.type")?.text == "longrope" }

  private var findings: [LintFinding] {
    guard hasTables || saysLongRoPE else { return unfactored }
    var found = tableFindings + keyFindings
    let factors: ModelFactors
    do {
      guard let carried = try model.storedFactors() else { return found }
      factors = carried
    } catch {
      let message = (error as? ModelError)?.message ?? "\(error)"
      return found + [LintFinding(.factorCount, message)]
    }
    guard let inspection = try? Inspection(model) else { return found }
    found += inspection.readings.dropFirst().flatMap { SharedLint.reading($0, factors) }
    found += SharedLint.tables(factors)
    found += SharedLint.choice(inspection.readings, factors)
    return found + windowFindings(factors)
  }

  private var nestedArrays: [LintFinding] {
    model.shards.flatMap(\.header.keys).compactMap { key in
      guard case .array(let array) = key.value, array.elementType == .array else { return nil }
      return LintFinding(.ggufNested, "the key '\(key.name.sanitized)' is an array of arrays")
    }
  }

  private var editsSincePatch: [LintFinding] {
    guard let edits = try? UndoRecord.edits(of: model.shards.map(\.path)), !edits.isEmpty else {
      return []
    }
    return [LintFinding(.edited, edits.map(\.description).joined(separator: "; "))]
  }

  private var unfactored: [LintFinding] {
    let reading = Runtime.llamaCpp.reader.read(model)
    guard reading.status == .fails else { return [] }
    return [
      LintFinding(
        .runtimeFails, "llama.cpp cannot load it: \(reading.notes.joined(separator: "; "))")
    ]
  }

  private var tableFindings: [LintFinding] {
    switch (model.longFactors, model.shortFactors) {
    case (nil, nil):
      return [
        LintFinding(
          .ggufTablesMissing,
          "\(prefix).rope.scaling.type is longrope but the file has no factor tensors: llama.cpp silently runs plain RoPE"
        )
      ]
    case (nil, _?), (_?, nil):
      let missing = model.longFactors == nil ? GGUFModel.longName : GGUFModel.shortName
      return [
        LintFinding(
          .ggufOneTable, "'\(missing)' is missing: llama.cpp runs plain RoPE instead")
      ]
    default: return []
    }
  }

  private var keyFindings: [LintFinding] {
    var found: [LintFinding] = []
    if value("scaling.original_context_length") == nil {
      found.append(
        LintFinding(
          .ggufOriginal,
          "\(prefix).rope.scaling.original_context_length is missing: llama.cpp uses the whole window instead, and never the long factors"
        ))
    }
    let isExtended = model.geometry.window > model.geometry.originalWindow
    if value("scaling.attn_factor") == nil, isExtended {
      found.append(
        LintFinding(
          .ggufAttention, "\(prefix).rope.scaling.attn_factor is missing: llama.cpp uses mscale 1"))
    }
    for name in ["scaling.factor", "scale_linear"] {
      if let factor = value(name)?.double, factor != 1 {
        found.append(
          LintFinding(
            .ggufScaling, "\(prefix).rope.\(name) \(factor) divides the frequencies once more"))
      }
    }
    if hasTables, value("scaling.type")?.text == "yarn" {
      found.append(
        LintFinding(
          .ggufScaling, "\(prefix).rope.scaling.type yarn mixes its own scaling with the factors"))
    }
    if value("scaling.finetuned") == .bool(false), model.architecture.gguf?.obeysFinetuned == true {
      found.append(
        LintFinding(
          .ggufFinetuned, "\(prefix).rope.scaling.finetuned is false: llama.cpp switches RoPE off"))
    }
    return found
  }

  private func windowFindings(_ factors: ModelFactors) -> [LintFinding] {
    guard factors.window > factors.originalWindow else { return [] }
    var found = [
      LintFinding(
        .ggufLongByDefault,
        "without -c, llama.cpp uses the window of \(factors.window), and thus the long factors for every input"
      )
    ]
    if factors.originalWindow % LlamaCpp.contextUnit != 0 {
      found.append(LintFinding(.ggufUnit, "the original window is \(factors.originalWindow)"))
    }
    if let (key, tokens) = model.slidingWindow(below: factors.window) {
      found.append(
        LintFinding(
          .slidingWindow,
          "\(key) \(tokens) keeps attention from reaching across \(factors.window) tokens, except in llama.cpp"
        ))
    }
    return found
  }
}
