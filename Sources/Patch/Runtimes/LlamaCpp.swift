import Formats
import Models

/// llama.cpp, which reads GGUF files only.
struct LlamaCpp: RuntimeReader {
  let runtime = Runtime.llamaCpp
  let prefill = PrefillChunks(2048, option: "-b")

  /// llama.cpp rounds the context up to a multiple of this before comparing it with the original
  /// window.
  static let contextUnit = 256

  /// When the long table is used, in words.
  /// - Parameter option: the option that sets the context.
  static func switching(_ option: String, _ original: Int) -> String {
    "at start: \(option) (a multiple of \(contextUnit)) > \(original) means long for every input"
  }

  func read(_ config: FolderConfig) -> RuntimeReading {
    .readsFilesOnly(runtime)
  }

  func read(_ model: GGUFModel) -> RuntimeReading { Self.read(model, as: runtime) }

  /// What a runtime makes of a file that it runs with llama.cpp's loader.
  /// - Parameter option: the option that sets the context.
  static func read(
    _ model: GGUFModel, as runtime: Runtime, option: String = "-c"
  ) -> RuntimeReading {
    LlamaCppLoader(model: model, runtime: runtime, option: option).read()
  }

  func read(
    _ model: GGUFModel, patchedLike paper: RuntimeReading, _ factors: ModelFactors
  ) -> RuntimeReading {
    Self.read(patchedLike: paper, factors, as: runtime)
  }

  /// The reading of a file with factors that serves its whole window.
  static func read(
    patchedLike paper: RuntimeReading, _ factors: ModelFactors, as runtime: Runtime,
    option: String = "-c"
  ) -> RuntimeReading {
    var reading = RuntimeReading(runtime)
    (reading.long, reading.short) = (paper.long, paper.long)
    reading.switching = switching(option, factors.originalWindow)
    return reading
  }

  func serving(window: Int, model: String) -> String {
    "llama-server -m \(model) -c \(window)"
  }
}

/// The behaviour of llama.cpp's loader and graph for one file.
private struct LlamaCppLoader {
  let model: GGUFModel
  let runtime: Runtime
  /// The option that sets the context.
  let option: String

  private var prefix: String { model.geometry.architecture }

  private func value(_ name: String) -> GGUFValue? {
    model.first.header[key: "\(prefix).\(name)"]
  }

  func read() -> RuntimeReading {
    if let key = model.mistypedKeys.first {
      return .failure(runtime, "it refuses a key of another type: \(key.description)")
    }
    let type = value(GGUFRopeName.type)?.text ?? "linear"
    guard ["none", "linear", "yarn", "longrope"].contains(type) else {
      return .failure(runtime, "it aborts on the rope scaling type '\(type.sanitized)'")
    }
    let isLongRoPE = type == "longrope"
    let creates = model.architecture.gguf?.factorTensors ?? .never
    let createsTables =
      switch creates {
      case .never: false
      case .forLongRoPE: isLongRoPE
      case .always: true
      }
    let hasTables = model.longFactors != nil || model.shortFactors != nil
    let pairs = model.geometry.rotaryDimensions / 2
    for (name, table) in [
      (GGUFModel.longName, model.longFactors), (GGUFModel.shortName, model.shortFactors),
      (GGUFModel.frequenciesName, model.frequencyFactors),
    ] {
      if let table, table.count != pairs {
        return .failure(runtime, "\(name) has \(table.count) values, expected \(pairs)")
      }
    }
    if hasTables, !createsTables {
      return .failure(
        runtime,
        "wrong number of tensors: it accepts factor tensors only if rope.scaling.type is longrope")
    }
    if model.frequencyFactors != nil, isLongRoPE || creates != .forLongRoPE {
      return .failure(
        runtime,
        "wrong number of tensors: it does not accept rope_freqs.weight together with longrope")
    }
    return tables(type)
  }

  private func tables(_ type: String) -> RuntimeReading {
    let original = value(GGUFRopeName.originalWindow)?.integer ?? model.geometry.window
    var reading = RuntimeReading(runtime)
    reading.notes = unreadKeys(type)
    if let frequencies = model.frequencyFactors {
      reading.long = table("llama3", frequencies, type, original)
      reading.short = reading.long
      return reading
    }
    // A context beyond the original window means the long table for every input.
    let isLong = model.geometry.window.roundedUp(to: LlamaCpp.contextUnit) > original
    let used =
      isLong
      ? table("long", model.longFactors, type, original)
      : table("short", model.shortFactors, type, original)
    reading.long = used
    reading.short = used
    if model.longFactors != nil {
      reading.switching = LlamaCpp.switching(option, original)
    }
    return reading
  }

  /// The divisor of the frequencies.
  private func stretch(_ type: String) -> Double {
    if type == "none" { return 1 }
    let factor = value(GGUFRopeName.factor)?.double ?? value(GGUFRopeName.legacyFactor)?.double ?? 0
    return factor > 0 && factor.isFinite ? factor : 1
  }

  /// - Parameter factors: the tensor's values, which the graph divides all frequencies by.
  private func table(
    _ name: String, _ factors: [Float]?, _ type: String, _ original: Int
  ) -> UsedTable {
    let (geometry, stretch) = (model.geometry, stretch(type))
    let (theta, dimensions) = (geometry.theta, geometry.rotaryDimensions)
    var mscale = value(GGUFRopeName.attentionFactor)?.double ?? 1
    let name = factors == nil ? (stretch == 1 ? "none" : type) : name
    guard type == "yarn" else {
      return UsedTable(
        name: name, factors: factors.map { $0.map(Double.init) }, mscale: mscale, theta: theta,
        rotaryDimensions: dimensions, stretch: stretch)
    }
    // Only some architectures read the ends of the ramp; the others have the published ones.
    var yarn = YaRN(factor: stretch, originalWindow: original)
    if model.architecture.gguf?.readsYarnTurns == true {
      yarn.turns = YarnTurns(
        fast: value(GGUFRopeName.betaFast)?.double ?? yarn.turns.fast,
        slow: value(GGUFRopeName.betaSlow)?.double ?? yarn.turns.slow)
      let multiplier = value(GGUFRopeName.logMultiplier)?.double ?? 0
      mscale *=
        YaRN.mscale(scale: stretch)
        / (multiplier == 0 ? 1 : YaRN.mscale(scale: stretch, coefficient: multiplier))
    } else {
      mscale *= YaRN.mscale(scale: stretch)
    }
    let divisors = factors ?? Array(repeating: 1, count: dimensions / 2)
    return UsedTable(
      name: name, mscale: mscale,
      inverseFrequencies: zip(
        yarn.inverse(theta: theta, rotaryDimensions: dimensions), divisors
      ).map { $0 / Double($1) },
      singlePrecision: zip(
        yarn.singlePrecision(theta: theta, rotaryDimensions: dimensions), divisors
      ).map { $0 / $1 })
  }

  /// Keys of YaRN that converters write but the loader does not read for this architecture.
  private func unreadKeys(_ type: String) -> [String] {
    guard type == "yarn" else { return [] }
    let reads = model.architecture.gguf?.readsYarnTurns == true
    return GGUFRopeName.yarn.compactMap { parameter in
      guard !(reads && parameter.isReadWithTurns),
        let number = model.first.header[key: "\(prefix).\(parameter.gguf)"]?.number,
        number != parameter.defaultValue
      else { return nil }
      return "it does not read \(prefix).\(parameter.gguf) (\(number)) for this architecture"
    }
  }
}
