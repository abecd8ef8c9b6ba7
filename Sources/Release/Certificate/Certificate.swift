public import Formats
import Models
import Patch
public import Verify

/// A certificate: an in-toto statement about a model's files that says what was measured on them, and
/// everything that it takes to repeat it.
///
/// Its predicate is in-toto's test result (https://in-toto.io/attestation/test-result/v0.1), whose
/// readers ignore members that they do not know. The member `lrpatch` holds the whole results.
public struct Certificate: Sendable {
  /// The model's name.
  public var name: String
  /// The model's files, each a subject of the statement.
  public var files: [FileDigest]
  /// The version of lrpatch that wrote it.
  public var version: String
  /// The results that it certifies.
  public var results: [ResultDocument]

  /// The type of the predicate.
  static let predicateType = "https://in-toto.io/attestation/test-result/v0.1"
  static let statementType = "https://in-toto.io/Statement/v1"

  init(name: String, files: [FileDigest], version: String, results: [ResultDocument]) {
    self.name = name
    self.files = files
    self.version = version
    self.results = results
  }

  /// Certifies results.
  /// - Parameters:
  ///   - manifest: the model's files as they are now.
  ///   - results: results of these files, each with the name of its file.
  /// - Throws: `ModelError` for a result that cannot be repeated, that is of other files, or that ended
  ///   early.
  public init(
    of manifest: ModelManifest, _ results: [(name: String, document: ResultDocument)]
  ) throws {
    for (name, result) in results {
      try result.requirePublishable(name)
      try result.require(toBeOf: manifest, name)
      let options = try VerifyOptions(repeating: result, of: "", subject: name)
      if let path = options.baseline?.path {
        throw ModelError.unsupported(
          name,
          "was compared with another model, \(path), which a certificate does not cover; measure with --baseline alone"
        )
      }
      guard !result.verdicts.isEmpty else {
        throw ModelError.unsupported(
          name, "claims nothing; measure it with gates, or name some with --require")
      }
    }
    self.init(
      name: manifest.name, files: manifest.files, version: lrpatchVersion,
      results: results.map(\.document))
  }

  /// All claims: the gates of all results, with what was measured for them.
  public var claims: [Verdict] { results.flatMap(\.verdicts) }

  /// The texts and files of questions that were given, each once.
  public var inputs: [FileDigest] { results.flatMap(\.provenance.inputs).uniqued }
}

extension Certificate {
  /// The statement.
  public var json: JSONValue {
    .object([
      "_type": .string(Self.statementType),
      "subject": .array(files.map(Self.resource)),
      "predicateType": .string(Self.predicateType),
      "predicate": .object([
        "result": .string(claims.allSatisfy(\.passes) ? "PASSED" : "FAILED"),
        "configuration": .array(inputs.map(Self.resource)),
        "passedTests": .array(claims.filter(\.passes).map { .string($0.gate.text) }),
        "warnedTests": .array([]),
        "failedTests": .array(claims.filter { !$0.passes }.map { .string($0.gate.text) }),
        "lrpatch": .object([
          "schema": DocumentSchema.certificate.json, "version": .string(version),
          "model": .string(name),
          "files": .array(
            files.map { .object(["name": .string($0.name), "size": .number($0.size)]) }),
          "results": .array(results.map(\.json)),
        ]),
      ]),
    ])
  }

  private static func resource(_ file: FileDigest) -> JSONValue {
    .object(["name": .string(file.name), "digest": .object(["sha256": .string(file.sha256)])])
  }

  /// Reads a certificate.
  /// - Throws: `FileError`; `FormatError`; `ModelError` for JSON that is not a certificate.
  public init(path: String) throws {
    let bytes = try FileSystem.contents(of: path, limit: 1 << 30)
    do { try self.init(json: JSONDocument(parsing: bytes).value, subject: path) } catch let error
      as FormatError
    { throw error.inFile(path) }
  }

  /// - Throws: `ModelError` for JSON that is not a certificate, names different files in its statement
  ///   and in its results, or has no claim.
  init(json: JSONValue, subject: String) throws {
    let own = json["predicate"]?["lrpatch"]
    guard json["_type"]?.text == Self.statementType,
      own?["schema"]?.text == DocumentSchema.certificate.rawValue
    else {
      throw ModelError.unsupported(
        subject, "not a certificate; expected an in-toto statement that lrpatch certify has written"
      )
    }
    func wrong(_ member: String) -> ModelError {
      .unsupported(subject, "not a certificate: '\(member)' is missing or wrong")
    }
    guard let name = own?["model"]?.text, let version = own?["version"]?.text,
      let results = own?["results"]?.elements, !results.isEmpty
    else { throw wrong("predicate") }
    self.init(
      name: name.sanitized, files: [], version: version.sanitized,
      results: try results.map { value in
        var result = try ResultDocument(json: value, subject: subject)
        result.verdicts = try result.readGates(subject).map(result.measured.judge)
        return result
      })
    files = self.results[0].provenance.files
    let subjects = json["subject"]?.elements?.map {
      "\($0["name"]?.text ?? "") \($0["digest"]?["sha256"]?.text ?? "")"
    }
    guard Set(subjects ?? []) == Set(files.map { "\($0.name) \($0.sha256)" }), !files.isEmpty,
      self.results.allSatisfy({ Set($0.provenance.files) == Set(files) })
    else { throw wrong("subject") }
    guard !claims.isEmpty else {
      throw ModelError.unsupported(subject, "it has no claim")
    }
  }
}
