import Formats

/// Traps in a model folder whose geometry can be read.
struct FolderLint {
  private let model: HuggingFaceModel
  private let config: JSONValue

  init(_ model: HuggingFaceModel) {
    self.model = model
    config = model.textConfig
  }

  var findings: [LintFinding] {
    let factors: ModelFactors
    do {
      guard let carried = try model.carriedFactors() else { return limitFindings }
      factors = carried
    } catch {
      let message = (error as? PatchError)?.message ?? "\(error)"
      return [LintFinding(.factorCount, message)] + limitFindings
    }
    guard let inspection = try? Inspection(model) else { return limitFindings }
    // These have findings of their own, whose remedy can help.
    let mute = factors.runtimesThatCannotExpressMscale(model.architecture).map(\.rawValue)
    let isPhimoe = model.architecture.modelType == "phimoe"
    var found: [LintFinding] = []
    for reading in inspection.readings.dropFirst() where !mute.contains(reading.name) {
      if isPhimoe, reading.name == Runtime.transformers5.rawValue, reading.status != .fails { continue }
      found += SharedLint.reading(reading, factors)
    }
    found += mscaleFindings(factors) + limitFindings + familyFindings
    found += SharedLint.tables(factors)
    found += SharedLint.choice(inspection.readings, factors)
    if isEditedSince {
      found.append(LintFinding(.edited, "the configs differ from what lrpatch wrote"))
    }
    return found
  }

  private func mscaleFindings(_ factors: ModelFactors) -> [LintFinding] {
    var found: [LintFinding] = []
    if let factor = model.scaling?["factor"]?.double, abs(factor - factors.scale) > 1e-6 * factor {
      found.append(
        LintFinding(
          .factorRatio,
          "factor is \(factor) but the windows' ratio is \(factors.scale): transformers uses the one for mscale, others the other"
        ))
    }
    if factors.mscalesDiffer {
      found.append(
        LintFinding(
          .mscaleDiffers,
          "mscale is \(factors.longMscale) for long and \(factors.shortMscale) for short inputs: only vLLM, SGLang and phimoe can express that"
        ))
    } else if !factors.isMscaleDerived {
      let runtimes = factors.runtimesThatCannotExpressMscale(model.architecture)
      if !runtimes.isEmpty {
        found.append(
          LintFinding(
            .mscaleLiteral,
            "mscale \(factors.longMscale) is not the derived one: \(Runtime.list(runtimes)) cannot express it"))
      }
    }
    return found
  }

  /// Limits that keep a long input from being served.
  private var limitFindings: [LintFinding] {
    var found: [LintFinding] = []
    let window = model.geometry.window
    let isExtended = window > model.geometry.originalWindow
    if model.architecture.slidesUnconditionally, isExtended {
      let declared = config["sliding_window"]
      let limit =
        declared == nil ? model.architecture.defaultSlidingWindow : declared.flatMap(\.integer)
      if let limit, limit < window {
        found.append(
          LintFinding(
            .slidingWindow,
            "sliding_window \(limit)\(declared == nil ? " (the default where it is not said)" : "") keeps attention from reaching across \(window) tokens"
          ))
      }
    } else if config["use_sliding_window"]?.flag == true, let limit = config["sliding_window"]?.integer,
      limit < window
    {
      found.append(
        LintFinding(.slidingWindow, "use_sliding_window is true with sliding_window \(limit)"))
    }
    if let limit = model.tokenizerConfig?.value["model_max_length"]?.double, isExtended,
      limit < Double(window)
    {
      found.append(
        LintFinding(
          .tokenizerLimit,
          "model_max_length is \(Int(limit)), below the window of \(window); vLLM takes the smaller one"))
    }
    return found
  }

  private var familyFindings: [LintFinding] {
    var found: [LintFinding] = []
    if model.config.value["auto_map"] != nil || model.architecture.isRemoteCode {
      found.append(
        LintFinding(
          .remoteCode, "the model brings code of its own, which may accept other keys than the built-in readers"))
    }
    if model.architecture.modelType == "phimoe" {
      found.append(
        LintFinding(.phimoeShort, "transformers 5 uses the short factors of phimoe at every length"))
    }
    return found
  }

  private var isEditedSince: Bool {
    let undo = UndoFolder(modelPath: model.path)
    guard let name = undo.names.last, let record = try? undo.record(name) else { return false }
    return record.files.contains { file in
      guard let after = file.after?.bytes else { return false }
      return (try? FileSystem.contents(of: "\(model.path)/\(file.name)")) != after
    }
  }
}
