import Formats
import Models
import TestSupport
import Testing

/// One model in both formats answers alike.
@Suite("Model files") struct ModelFileTests {
  /// Fixtures that exist as a folder and as a file.
  static let pairs = ["models/needle-256", "architectures/granite", "architectures/phi3-partial"]

  @Test(arguments: pairs) func bothFormatsDescribeOneModel(_ name: String) throws {
    let folder = try ModelFile(path: Fixture.path(name))
    let file = try ModelFile(path: Fixture.path("\(name).gguf"))
    #expect(folder.format == .folder && file.format == .gguf)
    #expect(folder.architecture.gguf?.name == file.architecture.gguf?.name)
    let (a, b) = (folder.geometry, file.geometry)
    #expect(a.theta == b.theta && a.rotaryDimensions == b.rotaryDimensions)
    #expect(a.window == b.window && a.layers == b.layers)
    for quantity in [Hyperparameter.Quantity.layers, .hidden, .heads, .feedForward] {
      #expect(
        try folder.hyperparameters.count(quantity) == file.hyperparameters.count(quantity),
        "\(quantity)")
    }
    #expect(folder.config["model_type"] != nil && file.config.isNull)
  }

  /// Every tensor of one format has its role's name; what is fused in one is still named in both.
  @Test(arguments: pairs) func tensorsAreFoundByTheirRoles(_ name: String) throws {
    for path in [Fixture.path(name), Fixture.path("\(name).gguf")] {
      let model = try ModelFile(path: path)
      let names = Set(try ModelTensors(model).all.map(\.plainName))
      #expect(names.contains(model.tensorName(.embedding)))
      #expect(names.contains(model.tensorName(.layer(1, .attentionNorm))))
      #expect(names.contains(model.tensorName(.layer(0, .attentionOutput))))
    }
  }

  @Test func whatIsMissingIsNamed() throws {
    let place = try TemporaryDirectory()
    for (name, member) in [("window", "max_position_embeddings"), ("type", "model_type")] {
      var folder = try NeedleFolder()
      try folder.config.remove([member])
      let path = try folder.write(to: place, as: name)
      #expect {
        _ = try ModelFile(path: path)
      } throws: {
        "\($0)".contains(member)
      }
    }
    #expect(throws: FileError.self) { _ = try ModelFile(path: "\(place.path)/none") }
  }
}
