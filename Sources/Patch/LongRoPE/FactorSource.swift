import Formats
public import Models

/// Factors, with a checksum of their source.
public struct FactorSource: Sendable {
  /// The factors.
  public let set: FactorSet
  /// The SHA-256 of the file, or of the canonical form if the factors were read from a model.
  public let sha256: String

  /// Reads factors from any accepted source: a factors file, a search CSV, a JSON file with a
  /// scaling object, or another model in either format.
  /// - Throws: `ModelError`, `FormatError` or `FileError`.
  public init(path: String) throws {
    let status = try FileStatus(of: path, followingLinks: true)
    if status.kind == .folder {
      let config = try JSONDocument(path: "\(path)/\(ModelFolder.configName)").value
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

  /// Parses text that begins with a brace or a bracket as JSON, and everything else as CSV.
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
      throw ModelError.unsupported(path, "is neither JSON nor text")
    }
    return try FactorSet(csv: csv, subject: path)
  }
}

extension FactorSet {
  /// Reads the factors of a GGUF model.
  /// - Throws: `ModelError` if it has none, or if they are implausible.
  public init(gguf model: GGUFModel) throws(ModelError) {
    guard let long = model.longFactors else {
      throw .unsupported(model.path, "has no tensor '\(GGUFModel.longName)'")
    }
    for (name, list) in [
      (GGUFModel.longName, long), (GGUFModel.shortName, model.shortFactors ?? []),
    ] {
      if let index = list.firstIndex(where: { !FactorSet.plausible.contains(Double($0)) }) {
        throw .unsupported(
          model.path,
          "tensor '\(name)' has the factor \(list[index]) at index \(index), expected \(FactorSet.expectedFactor)"
        )
      }
    }
    let prefix = model.geometry.architecture
    let attention = model.first.header[key: "\(prefix).rope.scaling.attn_factor"]?.double ?? 1
    guard FactorSet.plausibleMscale.contains(attention) else {
      throw .unsupported(
        model.path,
        "the key '\(prefix).rope.scaling.attn_factor' is \(attention), expected \(FactorSet.expectedMscale)"
      )
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
