import Formats
import Models
import TestSupport
import Testing

/// Which layers attend within a window, by the rules of each architecture.
@Suite("Sliding windows") struct SlidingWindowTests {
  private static func windows(_ type: String, _ members: String, layers: Int = 4) throws -> [Int?] {
    let place = try TemporaryDirectory()
    var text = ModelBuilder.config(type, isV5: false)
    text = text.replacing(/\n}\n$/, with: ",\n\(members)}\n")
    try place.write("m/config.json", text)
    return try ModelFolder(path: "\(place.path)/m").slidingWindows(layers: layers)
  }

  @Test func mistralHasOneUnlessTheConfigTurnsItOff() throws {
    #expect(try Self.windows("mistral", "\"x\": 1") == [4096, 4096, 4096, 4096])
    #expect(try Self.windows("mistral", "\"sliding_window\": 64") == [64, 64, 64, 64])
    #expect(try Self.windows("mistral", "\"sliding_window\": null") == [nil, nil, nil, nil])
  }

  @Test func qwenSwitchesItOnFromALayerOn() throws {
    let window = "\"sliding_window\": 64, \"max_window_layers\": 3"
    #expect(try Self.windows("qwen2", window) == [nil, nil, nil, nil])
    #expect(
      try Self.windows("qwen2", "\"use_sliding_window\": true, \(window)") == [nil, nil, nil, 64])
  }

  @Test(arguments: [
    "\"layer_types\": [\"full_attention\"]",
    "\"layer_types\": [\"sliding_attention\", \"full_attention\", \"full_attention\", \"full_attention\"]",
  ]) func typesOfLayersMustAgree(_ members: String) throws {
    #expect {
      _ = try Self.windows("llama", members)
    } throws: {
      "\($0)".contains("layer_types")
    }
  }

  @Test(arguments: ["0", "-1", "\"64\""]) func aWindowIsAWholeNumber(_ value: String) {
    #expect(throws: ModelError.self) { try Self.windows("mistral", "\"sliding_window\": \(value)") }
  }
}
