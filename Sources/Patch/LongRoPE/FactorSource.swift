import Formats

/// Factors and where they came from.
public struct FactorSource: Sendable {
  public let set: FactorSet
  /// Of the file's bytes, or of the canonical form where the factors came out of a model.
  public let sha256: String

  /// Reads factors from any accepted source: a factors file, a search CSV, a JSON file with a scaling object, or
  /// another model, folder or GGUF.
  /// - Throws: `PatchError`, `FormatError` or `FileError`.
  public init(path: String) throws {
    let status = try FileStatus(of: path, followingLinks: true)
    if status.kind == .folder {
      let config = try JSONDocument(path: "\(path)/\(HuggingFaceModel.configName)").value
      let text = config["text_config"]?.members == nil ? config : config["text_config"] ?? config
      (set, sha256) = Self.canonical(try FactorSet(json: text, subject: path))
      return
    }
    let head = try Descriptor(path: path, .read).read(at: 0, count: min(4, status.size))
    if head == GGUFHeader.magic {
      (set, sha256) = Self.canonical(try FactorSet(gguf: GGUFModel(path: path)))
      return
    }
    let bytes = try FileSystem.contents(of: path, limit: 4 << 20)
    set = try Self.parse(bytes, path)
    sha256 = Formats.sha256(bytes)
  }

  private static func canonical(_ set: FactorSet) -> (FactorSet, String) {
    (set, Formats.sha256(JSONStyle.standard.encode(set.json)))
  }

  /// JSON begins with a brace; everything else is read as CSV.
  private static func parse(_ bytes: [UInt8], _ path: String) throws -> FactorSet {
    let text = JSONDocument.hasByteOrderMark(bytes) ? bytes.dropFirst(3) : bytes[...]
    let first = text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      do {
        return try FactorSet(json: JSONDocument(parsing: bytes).value, subject: path)
      } catch let error as FormatError {
        throw error.inFile(path)
      }
    }
    guard let csv = String(validating: text, as: UTF8.self) else {
      throw PatchError.unsupported(path, "neither JSON nor text")
    }
    return try FactorSet(csv: csv, subject: path)
  }
}

extension FactorSet {
  /// The factors that a GGUF model carries.
  /// - Throws: `PatchError` where it carries none.
  public init(gguf model: GGUFModel) throws(PatchError) {
    guard let long = model.longFactors else {
      throw .unsupported(model.path, "has no tensor '\(GGUFModel.longName)'")
    }
    for (name, list) in [(GGUFModel.longName, long), (GGUFModel.shortName, model.shortFactors ?? [])] {
      if let index = list.firstIndex(where: { !FactorSet.plausible.contains(Double($0)) }) {
        throw .unsupported(
          model.path, "tensor '\(name)' has the factor \(list[index]) at \(index), expected \(FactorSet.plausible)")
      }
    }
    let prefix = model.geometry.architecture
    let attention = model.first.header[key: "\(prefix).rope.scaling.attn_factor"]?.double ?? 1
    guard FactorSet.plausibleMscale.contains(attention) else {
      throw .unsupported(
        model.path,
        "the key '\(prefix).rope.scaling.attn_factor' is \(attention), expected \(FactorSet.plausibleMscale)")
    }
    self.init(
      originalWindow: model.geometry.isOriginalWindowKnown ? model.geometry.originalWindow : nil,
      window: model.geometry.window,
      long: .uniform(long.map(\.asDecimal)),
      short: model.shortFactors.map { .uniform($0.map(\.asDecimal)) },
      mscale: .literal(long: attention, short: attention))
    let derived = Mscale.su.values(
      originalWindow: model.geometry.originalWindow, window: model.geometry.window)
    if abs(derived.long - attention) <= 1e-6 * attention { mscale = .su }
    try validate(model.path)
  }
}

extension Float {
  /// The number that the shortest decimal form of this one denotes: 1.08, not 1.0800000429153442.
  package var asDecimal: Double { Double(description) ?? Double(self) }
}
