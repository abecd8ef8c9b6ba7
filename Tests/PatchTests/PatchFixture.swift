import Formats
import Patch
import TestSupport

/// A model in its own temporary folder, with helpers for tests.
struct PatchFixture {
  let folder: TemporaryDirectory
  let model: String

  /// A model folder of a family.
  init(_ family: String, isV5: Bool = false) throws {
    try self.init(config: ModelBuilder.config(family, isV5: isV5))
  }

  init(config: String) throws {
    folder = try TemporaryDirectory()
    model = "\(folder.path)/model"
    try folder.write("model/config.json", config)
    try folder.write("model/tokenizer_config.json", "{\"model_max_length\": 256}")
  }

  init(_ builder: GGUFBuilder) throws { try self.init(bytes: builder.bytes) }

  /// A GGUF file.
  init(bytes: [UInt8]) throws {
    folder = try TemporaryDirectory()
    model = try folder.write("model.gguf", bytes)
  }

  init(fixture: String) throws {
    folder = try TemporaryDirectory()
    model = try folder.copy(fixture)
  }

  @discardableResult
  func apply(_ factors: String, options: ApplyOptions = ApplyOptions()) throws -> Plan {
    let source = try FactorSource(path: folder.write("factors.json", factors))
    let apply = Apply(source.set, factorsSHA256: source.sha256, version: "test", options: options)
    let session = try ModelSession(path: model, exclusive: true)
    let plan = try apply.plan(for: session)
    try apply.perform(plan, in: session)
    return plan
  }

  func revert(all: Bool = false) throws -> Int {
    var revert = Revert()
    revert.all = all
    return try revert.perform(in: ModelSession(path: model, exclusive: true))
  }

  func inspect() throws -> Inspection {
    try Inspection(ModelSession(path: model, exclusive: false))
  }

  func lint() throws -> [LintFinding] {
    try Lint.findings(ModelSession(path: model, exclusive: false))
  }

  /// The config of a model folder.
  var config: JSONValue { get throws { try JSONDocument(path: "\(model)/config.json").value } }

  /// The bytes of a GGUF file.
  var bytes: [UInt8] { get throws { try FileSystem.contents(of: model) } }
  var header: GGUFHeader { get throws { try GGUFFile(path: model).header } }
}
