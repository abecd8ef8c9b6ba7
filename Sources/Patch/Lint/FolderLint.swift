import Formats
import Models

/// Problems in a model folder that could be opened.
struct FolderLint {
  private let model: ModelFolder
  private let config: JSONValue

  init(_ model: ModelFolder) {
    self.model = model
    config = model.textConfig
  }

  var findings: [LintFinding] {
    let factors: ModelFactors
    do {
      guard let carried = try model.storedFactors() else { return limitFindings }
      factors = carried
    } catch {
      let message = (error as? ModelError)?.message ?? "\(error)"
      return [LintFinding(.factorCount, message)] + limitFindings
    }
    guard let inspection = try? Inspection(model) else { return limitFindings }
    // These runtimes get a finding of their own, with a better remedy.
    let mute = factors.runtimesThatCannotExpressMscale(model.architecture).map(\.rawValue)
    let hasShortOnly = model.architecture.transformers.usesShortFactorsOnly
    var found: [LintFinding] = []
    for reading in inspection.readings.dropFirst() where !mute.contains(reading.name) {
      if hasShortOnly, reading.name == Runtime.transformers5.rawValue, reading.status != .fails {
        continue
      }
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
          "factor is \(factor) but the ratio of the windows is \(factors.scale): transformers derives mscale from the factor, other runtimes from the ratio"
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
            "mscale \(factors.longMscale) is not the derived value: \(Runtime.list(runtimes)) cannot express it"
          ))
      }
    }
    return found
  }

  /// Limits that prevent long inputs from being served.
  private var limitFindings: [LintFinding] {
    var found: [LintFinding] = []
    let window = model.geometry.window
    let isExtended = window > model.geometry.originalWindow
    if case .always(let missing) = model.architecture.slidingWindow, isExtended {
      let declared = config["sliding_window"]
      let limit = declared == nil ? missing : declared.flatMap(\.integer)
      if let limit, limit < window {
        found.append(
          LintFinding(
            .slidingWindow,
            "sliding_window \(limit)\(declared == nil ? " (the default)" : "") keeps attention from reaching across \(window) tokens"
          ))
      }
    } else if case .byType = model.architecture.slidingWindow, isExtended,
      let count = model.geometry.layers, let windows = try? model.slidingWindows(layers: count),
      let limit = windows.compactMap(\.self).min(), limit < window
    {
      found.append(
        LintFinding(
          .slidingWindow,
          "sliding_window \(limit) keeps attention from reaching across \(window) tokens in some layers"
        ))
    } else if config["use_sliding_window"]?.flag == true,
      let limit = config["sliding_window"]?.integer,
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
          "model_max_length is \(Int(limit)), below the window of \(window); vLLM uses the smaller one"
        ))
    }
    return found
  }

  private var familyFindings: [LintFinding] {
    var found: [LintFinding] = []
    if model.config.value["auto_map"] != nil || model.architecture.transformers.isRemoteCode {
      found.append(
        LintFinding(
          .remoteCode,
          "the model comes with its own code, which may accept different keys from the built-in readers"
        ))
    }
    if model.architecture.transformers.usesShortFactorsOnly {
      found.append(
        LintFinding(
          .phimoeShort,
          "transformers 5 uses the short factors of \(model.architecture.name) at every length"))
    }
    return found
  }

  /// Whether a config differs from what the last apply wrote.
  private var isEditedSince: Bool {
    let undo = UndoFolder(modelPath: model.path)
    guard let name = undo.names.last, let record = try? undo.record(name) else { return false }
    return record.files.contains { file in
      guard let after = file.after?.bytes else { return false }
      return (try? FileSystem.contents(of: "\(model.path)/\(file.name)")) != after
    }
  }
}
