package import Formats

/// The record of a patch in a model: the version of lrpatch and the checksum of the factors.
package struct PatchMark: Equatable, Sendable {
  /// The member of a config, and the prefix of the keys of a GGUF file.
  package static let member = "lrpatch"

  package var version: String
  package var factorsSHA256: String

  package init(version: String, factorsSHA256: String) {
    self.version = version
    self.factorsSHA256 = factorsSHA256
  }

  var json: JSONValue {
    .object(["factors_sha256": .string(factorsSHA256), "version": .string(version)])
  }

  /// The record as keys of a GGUF file.
  package var keys: [GGUFKey] {
    [
      GGUFKey("\(Self.member).version", .string(version)),
      GGUFKey("\(Self.member).factors_sha256", .string(factorsSHA256)),
    ]
  }
}
