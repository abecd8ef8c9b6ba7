import Models
import Testing

/// What every record of an architecture must satisfy, so that a new one cannot be wrong unnoticed.
@Suite("Records of architectures") struct ArchitectureRecordTests {
  /// The architectures that can be run.
  static let run = Architecture.all.filter { $0.decoder != nil }.map(\.name)

  private static func named(_ name: String) throws -> Architecture {
    try #require(Architecture.all.first { $0.name == name })
  }

  @Test func namesAreUnambiguous() {
    let types = Architecture.all.compactMap(\.modelType)
    #expect(types.count > 10 && Set(types).count == types.count)
    for type in types { #expect(Architecture.known(modelType: type)?.modelType == type) }
    for name in Architecture.all.compactMap({ $0.gguf?.name }) {
      #expect(Architecture.known(gguf: name)?.gguf?.name == name)
    }
    #expect(Architecture.known(modelType: "gpt2") == nil && Architecture.known(gguf: "gpt2") == nil)
  }

  /// Two tensors of a layer never have one name, and each can be found in a folder.
  @Test(arguments: run) func everyTensorHasItsOwnName(_ name: String) throws {
    let architecture = try Self.named(name)
    let decoder = try #require(architecture.decoder)
    for format in [ModelFormat.folder, .gguf] {
      let roles = decoder.layerRoles.flatMap { role in
        format == .folder ? role.experts(2) ?? [role] : [role]
      }
      let names =
        roles.map { architecture.tensorName(.layer(3, $0), in: format) }
        + [.embedding, .finalNorm, .output].map { architecture.tensorName($0, in: format) }
      let stored = names.filter { !$0.hasSuffix("..weight") && !$0.hasSuffix(".3.weight") }
      #expect(Set(stored).count == stored.count, "\(architecture.name): \(stored)")
      if format == .folder {
        #expect(stored.count == names.count, "\(architecture.name): \(names)")
      }
      for name in names { #expect(!architecture.isDispensable(name, in: format)) }
    }
  }

  /// No key is in a table twice, no member twice for one quantity, and the quantities that every
  /// model has are there.
  @Test(arguments: run) func theTableOfNumbersIsComplete(_ name: String) throws {
    let rows = try Self.named(name).hyperparameters
    let members = rows.compactMap { row in row.config.map { "\(row.quantity.name) \($0)" } }
    for names in [members, rows.compactMap(\.gguf)] {
      #expect(Set(names).count == names.count, "\(name): \(names)")
    }
    let quantities = Set(rows.map(\.quantity))
    #expect(
      quantities.isSuperset(of: [.layers, .hidden, .heads, .epsilon]), "\(name)")
  }

  /// What can be converted has a class that a config can name.
  @Test func convertibleArchitecturesHaveBothNames() {
    let convertible = Architecture.all.filter(\.isConvertible)
    #expect(convertible.count > 8)
    for architecture in convertible {
      #expect(architecture.modelType != nil && architecture.className?.isEmpty == false)
    }
  }
}
