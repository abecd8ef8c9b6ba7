public import Formats
import Verify

/// An in-toto statement about a model's files, ready to be signed.
///
/// OpenSSF model signing verifies it in a signed DSSE envelope.
///
/// Source: the predicate `https://model_signing/signature/v1.0`, whose verifiers ignore members
/// that they do not know.
public struct SigningStatement: Sendable {
  /// The files that are signed.
  public let manifest: ModelManifest
  /// Names in the model's folder that are not signed.
  public let ignoredNames: [String]
  /// What the program knows about the model, as a member of the predicate.
  public let knowledge: JSONValue

  /// Creates a statement about the files of a manifest.
  public init(_ manifest: ModelManifest, ignoring names: Set<String>, knowledge: JSONValue) {
    self.manifest = manifest
    ignoredNames = names.union(ModelManifest.gitNames).sorted()
    self.knowledge = knowledge
  }

  /// The statement as JSON, the payload of a DSSE envelope.
  public var json: JSONValue {
    .object([
      "_type": .string("https://in-toto.io/Statement/v1"),
      "subject": .array([
        .object([
          "name": .string(manifest.name), "digest": .object(["sha256": .string(rootDigest)]),
        ])
      ]),
      "predicateType": .string("https://model_signing/signature/v1.0"),
      "predicate": .object([
        "serialization": .object([
          "method": .string("files"), "hash_type": .string("sha256"),
          "allow_symlinks": .bool(manifest.hasLinks),
          "ignore_paths": .array(ignoredNames.map { .string($0) }),
        ]),
        "resources": .array(manifest.files.map(resource)),
        "lrpatch": knowledge,
      ]),
    ])
  }

  /// A model that is one file is its own only resource.
  private func resource(_ file: FileDigest) -> JSONValue {
    .object([
      "name": .string(manifest.isSingleFile ? "." : file.name), "algorithm": .string("sha256"),
      "digest": .string(file.sha256),
    ])
  }

  /// The SHA-256 of the bytes of all digests, one after another.
  private var rootDigest: String {
    sha256(manifest.files.flatMap { Self.bytes(hexadecimal: $0.sha256) })
  }

  private static func bytes(hexadecimal text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue.map(UInt8.init) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
