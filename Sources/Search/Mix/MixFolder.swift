package import Formats
import Foundation
package import Inference
import Verify

/// The folder that `mix` writes: rows in safetensors files, their description, and the recipe.
package struct MixFolder {
  private let mixture: Mixture
  private let settings: Mixture.Settings
  private let texts: [MixText]
  private let tokenizer: Tokenizer

  /// The number of rows in one file of about a gibibyte.
  private static func rowsAFile(_ rowTokens: Int) -> Int { max(1, (1 << 30) / (8 * rowTokens)) }

  package init(
    _ mixture: Mixture, _ settings: Mixture.Settings, _ texts: [MixText], _ tokenizer: Tokenizer
  ) {
    self.mixture = mixture
    self.settings = settings
    self.texts = texts
    self.tokenizer = tokenizer
  }

  private static func encoded(_ rows: ArraySlice<Mixture.Row>, _ rowTokens: Int) -> [UInt8] {
    func tensor(_ name: String, _ type: ElementType, _ shape: [Int], _ bytes: Int)
      -> SafetensorsTensor
    {
      SafetensorsTensor(name: name, dtype: type, shape: shape, range: 0..<bytes)
    }
    let count = rows.count * rowTokens * 4
    guard
      let writer = try? SafetensorsWriter(
        metadata: nil,
        tensors: [
          tensor("input_ids", .i32, [rows.count, rowTokens], count),
          tensor("position_ids", .i32, [rows.count, rowTokens], count),
          tensor("kind", .u8, [rows.count], rows.count),
        ])
    else { preconditionFailure("three tensors make a header") }
    var bytes = writer.header
    for tensor in writer.tensors {
      switch tensor.name {
      case "input_ids": for row in rows { row.tokens.forEach { append($0, to: &bytes) } }
      case "position_ids": for row in rows { row.positions.forEach { append($0, to: &bytes) } }
      default: bytes += rows.map { $0.isLong ? 1 : 0 }
      }
    }
    return bytes
  }

  private static func append(_ value: Int32, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> Int32(shift)))
    }
  }

  package func rows(long: Bool) -> Int { mixture.rows.count { $0.isLong == long } }

  /// The document `lrpatch.mix/1`.
  private func description(_ files: [JSONValue]) -> JSONValue {
    func id(_ token: Int?) -> JSONValue { token.map { .number($0) } ?? .null }
    func counts(_ factor: Int) -> JSONValue {
      .object([
        "short": .number(rows(long: false) * factor), "long": .number(rows(long: true) * factor),
      ])
    }
    return .object([
      "schema": DocumentSchema.mix.json, "original_window": .number(settings.originalWindow),
      "window": .number(settings.window), "positions": .string(settings.positions.rawValue),
      "row_tokens": .number(settings.rowTokens), "vocabulary_size": .number(tokenizer.vocabulary),
      "beginning_token": id(settings.beginning), "end_token": id(settings.end),
      "seed": .number(String(settings.seed)),
      "files": .array(files),
      "rows": counts(1), "tokens": counts(settings.rowTokens),
      "texts": .array(
        texts.map {
          .object([
            "name": .string($0.name), "sha256": .string($0.sha256),
            "tokens": .number($0.documents.reduce(0) { $0 + $1.count }),
          ])
        }),
    ])
  }

  /// Writes one file after another, so that only one is in memory.
  /// - Returns: the document `lrpatch.mix/1`, which is also written.
  /// - Throws: `FileError`.
  package func write(to path: String) throws -> JSONValue {
    var description = JSONValue.null
    try OutputFolder.create(path) { folder in
      func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try Descriptor(path: "\(folder)/\(name)", .create)
        try file.write(bytes, at: 0)
        try file.sync()
      }
      var files: [JSONValue] = []
      let size = Self.rowsAFile(settings.rowTokens)
      for (number, start) in stride(from: 0, to: mixture.rows.count, by: size).enumerated() {
        let rows = mixture.rows[start..<min(start + size, mixture.rows.count)]
        let name = String(format: "mix-%05d.safetensors", number)
        let bytes = Self.encoded(rows, settings.rowTokens)
        try write(name, bytes)
        files.append(
          .object([
            "name": .string(name), "rows": .number(rows.count),
            "sha256": .string(Formats.sha256(bytes)),
          ]))
      }
      description = self.description(files)
      try write("mix.json", JSONStyle.standard.encode(description) + [0x0A])
      try write("train.py", ShippedText.trainingRecipe)
    }
    return description
  }
}
