import Formats
import Models
import TestSupport
import Testing

/// Numbers of a model, read from either format by one rule.
@Suite("Hyperparameters") struct HyperparameterTests {
  /// The message that a reading ends with, or nil if it succeeds.
  private static func refusal(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  private static func config(_ member: String, _ value: String) throws -> Hyperparameters {
    let json = try JSONDocument(parsing: Array("{\"\(member)\": \(value)}".utf8)).value
    return Hyperparameters(config: json, .llama, path: "config.json")
  }

  private static func keys(_ key: GGUFKey...) throws -> Hyperparameters {
    var header = try GGUFFile(path: Fixture.path("architectures/llama.gguf")).header
    header.keys = key
    return Hyperparameters(header, .llama, path: "m.gguf")
  }

  @Test(arguments: ["-1", "2.5", "1e400", "\"8\"", "268435457", "[1]"])
  func sizesAreWholeNumbersWithinALimit(_ value: String) throws {
    let numbers = try Self.config("num_hidden_layers", value)
    let message = try #require(Self.refusal { _ = try numbers.count(.layers) })
    #expect(message.contains("config.json") && message.contains("'num_hidden_layers' is "))
    #expect(message.contains("a whole number from 0 to 268435456"), "\(message)")
  }

  @Test func bothFormatsRefuseInTheSameWords() throws {
    let config = try Self.config("num_hidden_layers", "-4")
    let keys = try Self.keys(GGUFKey("llama.block_count", .int32(-4)))
    let messages = [config, keys].map { numbers in
      Self.refusal { _ = try numbers.count(.layers) }.map {
        $0.replacing("config.json", with: "FILE").replacing("m.gguf", with: "FILE")
          .replacing("num_hidden_layers", with: "NAME").replacing("llama.block_count", with: "NAME")
      }
    }
    #expect(messages[0] != nil && messages[0] == messages[1])
  }

  @Test func aMissingNumberIsNamedAsItsFormatNamesIt() throws {
    let config = try Self.config("model_type", "\"llama\"")
    let keys = try Self.keys()
    #expect(
      Self.refusal { _ = try config.count(.hidden) }?.contains("'hidden_size' is missing") == true)
    #expect(
      Self.refusal { _ = try keys.count(.hidden) }?.contains("'llama.embedding_length' is missing")
        == true)
  }

  @Test func widthsOfNumbersDoNotMatter() throws {
    for value in [GGUFValue.uint32(7), .uint64(7), .int16(7), .float32(7)] {
      #expect(try Self.keys(GGUFKey("llama.block_count", value)).count(.layers) == 7)
    }
    let epsilon = try Self.keys(
      GGUFKey("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)))
    #expect(try epsilon.number(.epsilon) == 1e-5)
  }

  @Test func headsDivideTheHiddenStateUnlessTheModelSaysMore() throws {
    let text = "{\"hidden_size\": 96, \"num_attention_heads\": 4}"
    let plain = Hyperparameters(
      config: try JSONDocument(parsing: Array(text.utf8)).value, .llama, path: "config.json")
    #expect(try plain.headSize() == 24 && !plain.gives(.headDimension))
    #expect(try Self.config("head_dim", "80").headSize() == 80)
    #expect(try Self.config("head_dim", "null").isNull(.headDimension))
  }
}
