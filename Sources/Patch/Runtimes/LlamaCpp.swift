import Formats
import Models

/// llama.cpp, which reads GGUF files only.
struct LlamaCpp: RuntimeReader {
  let runtime = Runtime.llamaCpp

  /// llama.cpp rounds the context up to a multiple of this before comparing it with the original
  /// window.
  static let contextUnit = 256

  func read(_ config: FolderConfig) -> RuntimeReading {
    .unsupported(runtime, "reads GGUF files only")
  }

  func read(_ model: GGUFModel) -> RuntimeReading { LlamaCppLoader(model: model).read() }

  func serving(window: Int, model: String) -> String {
    "llama-server -m \(model) -c \(window)"
  }
}

/// The behaviour of llama.cpp's loader and graph for one file.
private struct LlamaCppLoader {
  let model: GGUFModel

  private var prefix: String { model.geometry.architecture }

  private func value(_ name: String) -> GGUFValue? {
    model.first.header[key: "\(prefix).rope.\(name)"]
  }

  func read() -> RuntimeReading {
    let type = value("scaling.type")?.text ?? "linear"
    guard ["none", "linear", "yarn", "longrope"].contains(type) else {
      return .failure(.llamaCpp, "it aborts on the rope scaling type '\(type.sanitized)'")
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
        return .failure(.llamaCpp, "\(name) has \(table.count) values, expected \(pairs)")
      }
    }
    if hasTables, !createsTables {
      return .failure(
        .llamaCpp,
        "wrong number of tensors: it accepts factor tensors only if rope.scaling.type is longrope")
    }
    if model.frequencyFactors != nil, isLongRoPE || creates != .forLongRoPE {
      return .failure(
        .llamaCpp,
        "wrong number of tensors: it does not accept rope_freqs.weight together with longrope")
    }
    return tables(type)
  }

  private func tables(_ type: String) -> RuntimeReading {
    let original = value("scaling.original_context_length")?.integer ?? model.geometry.window
    let mscale = value("scaling.attn_factor")?.double ?? 1
    let stretch =
      type == "none" ? 1 : value("scaling.factor")?.double ?? value("scale_linear")?.double ?? 1
    func table(_ name: String, _ factors: [Float]?) -> UsedTable {
      UsedTable(
        name: factors == nil ? "none" : name, factors: factors.map { $0.map(Double.init) },
        mscale: mscale, theta: model.geometry.theta,
        rotaryDimensions: model.geometry.rotaryDimensions,
        stretch: stretch > 0 && stretch.isFinite ? stretch : 1)
    }
    var reading = RuntimeReading(.llamaCpp)
    if let frequencies = model.frequencyFactors {
      reading.long = table("llama3", frequencies)
      reading.short = reading.long
      return reading
    }
    // A context beyond the original window means the long table for every input.
    let isLong = model.geometry.window.roundedUp(to: LlamaCpp.contextUnit) > original
    let used = isLong ? table("long", model.longFactors) : table("short", model.shortFactors)
    reading.long = used
    reading.short = used
    if model.longFactors != nil {
      reading.switching =
        "at start: -c (a multiple of 256) > \(original) means long for every input"
    }
    return reading
  }
}
