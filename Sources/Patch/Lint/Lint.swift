import Formats
import Models

/// Finds everything in a model that would make a runtime ignore, misread or refuse its factors.
public enum Lint {
  /// The findings, errors first.
  /// - Throws: `FileError` for a file that cannot be read, and `FormatError` for a file that is not
  ///   a GGUF file. A config or weights that cannot be parsed are findings.
  public static func findings(_ session: borrowing ModelSession) throws -> [LintFinding] {
    let found: [LintFinding] =
      switch session.format {
      case .folder: try folder(session.path)
      case .gguf: try GGUFLint.findings(session.path)
      }
    return sorted(found)
  }

  /// Findings with errors first, otherwise in their order.
  public static func sorted(_ findings: [LintFinding]) -> [LintFinding] {
    findings.enumerated().sorted {
      ($1.element.rule.severity, $0.offset) < ($0.element.rule.severity, $1.offset)
    }.map(\.element)
  }

  private static func folder(_ path: String) throws -> [LintFinding] {
    let configPath = "\(path)/\(ModelFolder.configName)"
    var found: [LintFinding] = []
    for name in [ModelFolder.configName, ModelFolder.tokenizerConfigName] {
      guard FileSystem.exists("\(path)/\(name)") else { continue }
      let bytes = try FileSystem.contents(of: "\(path)/\(name)", limit: 8 << 20)
      if JSONDocument.hasByteOrderMark(bytes) {
        found.append(
          LintFinding(
            .byteOrderMark, "\(name) begins with a byte-order mark, which transformers refuses"))
      }
      do { _ = try JSONDocument(parsing: bytes) } catch {
        return found + [LintFinding(.invalidConfig, "\(name): \(error)")]
      }
    }
    // The raw config has findings even if it keeps the folder from being opened.
    let config = try JSONDocument(path: configPath).value
    found += ConfigLint(config).findings
    do {
      found += FolderLint(try ModelFolder(path: path)).findings
    } catch let error as ModelError {
      found.append(LintFinding(.invalidConfig, error.message))
    }
    return found + weights(path)
  }

  private static func weights(_ path: String) -> [LintFinding] {
    let shards: [SafetensorsFolder.Shard]
    do { shards = try SafetensorsFolder(path: path)?.shards ?? [] } catch {
      return [LintFinding(.weightsInvalid, "\(error)")]
    }
    return shards.flatMap { shard in
      var found: [LintFinding] = []
      if shard.header.dataOffset % 8 != 0 {
        found.append(
          LintFinding(
            .weightsUnaligned,
            "\(shard.name): data begins at byte \(shard.header.dataOffset), which is not a multiple of 8; some loaders copy such weights"
          ))
      }
      if shard.header.metadata?.isEmpty == true {
        found.append(
          LintFinding(
            .weightsEmptyMetadata,
            "\(shard.name): __metadata__ is empty, which some readers do not expect"))
      }
      return found
    }
  }
}

/// Findings that both formats share.
enum SharedLint {
  static func tables(_ factors: ModelFactors) -> [LintFinding] {
    var found: [LintFinding] = []
    for (name, list) in [("long", factors.long), ("short", factors.short)] {
      if let index = list.indices.dropLast().first(where: { list[$0] > list[$0 + 1] }) {
        found.append(
          LintFinding(.factorNotMonotone, "the \(name) factors decrease after pair \(index)"))
      }
      if let least = list.min(), least < 1 {
        found.append(LintFinding(.factorBelowOne, "the \(name) factors go down to \(least)"))
      }
    }
    if factors.window < factors.originalWindow {
      found.append(
        LintFinding(
          .windowNotExtended,
          "the original window of \(factors.originalWindow) tokens is above the window of \(factors.window)"
        ))
    } else if factors.window == factors.originalWindow, factors.long != factors.short {
      found.append(
        LintFinding(
          .windowNotExtended,
          "the window is \(factors.window) and the original window \(factors.originalWindow): the long factors are never used"
        ))
    }
    return found
  }

  /// The findings that follow from what one runtime makes of the model.
  static func reading(_ reading: RuntimeReading, _ factors: ModelFactors) -> [LintFinding] {
    switch reading.status {
    case .fails:
      return [
        LintFinding(
          .runtimeFails, "\(reading.title) cannot load it: \(reading.notes.joined(separator: "; "))"
        )
      ]
    case .ignored:
      let why = reading.notes.isEmpty ? "" : ": \(reading.notes.joined(separator: "; "))"
      return [
        LintFinding(
          reading.isInherent ? .runtimeLacks : .runtimeIgnores,
          "\(reading.title) runs it without the factors\(why)")
      ]
    case .divergent:
      return [LintFinding(.runtimeDiverges, "\(reading.title) \(divergence(reading, factors))")]
    case .ok, .unsupported, .plain: return []
    }
  }

  /// How the table that a runtime uses differs from the model's.
  private static func divergence(_ reading: RuntimeReading, _ factors: ModelFactors) -> String {
    guard let used = reading.long else { return "uses different tables" }
    if abs(used.mscale - factors.longMscale) > 1e-6 * factors.longMscale {
      return "uses mscale \(used.mscale), expected \(factors.longMscale)"
    }
    let table = factors.window > factors.originalWindow ? "long" : "short"
    return used.name == table
      ? "uses different frequencies from those of the \(table) factors: they are scaled twice, or theta differs"
      : "uses the \(used.name) table for inputs of \(factors.window) tokens, expected the \(table) one"
  }

  /// What the choice between different tables means for users.
  static func choice(_ readings: [RuntimeReading], _ factors: ModelFactors) -> [LintFinding] {
    var found: [LintFinding] = []
    let running = readings.filter { $0.status == .ok && $0.name != "paper" }
    if factors.long != factors.short, factors.window > factors.originalWindow {
      let long = running.filter { $0.short?.name == "long" }.map(\.title)
      if !long.isEmpty {
        found.append(
          LintFinding(
            .tableChoice,
            "\(long.joined(separator: ", ")): short inputs use the long factors when the long window is served"
          ))
      }
      found += running.compactMap { reading in
        reading.chunkWarning.map { LintFinding(.chunkedPrefill, "\(reading.title): \($0)") }
      }
      let mixing = running.filter(\.keepsCacheAcrossSwitch).map(\.title)
      if !mixing.isEmpty {
        found.append(
          LintFinding(
            .crossing,
            "\(mixing.joined(separator: ", ")): an input that crosses \(factors.originalWindow) tokens during generation switches tables"
          ))
      }
    }
    if factors.shortMscale != 1 {
      found.append(
        LintFinding(.mscaleOnShort, "mscale \(factors.shortMscale) applies to short inputs too"))
    }
    return found
  }
}
