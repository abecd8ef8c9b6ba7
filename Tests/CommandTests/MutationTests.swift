import Formats
import Foundation
import Patch
import TestSupport
import Testing

/// Random byte flips, truncations and splices of every fixture.
///
/// Reading and planning always answer within a second, in bounded memory, and without a crash.
/// `make test` runs this under the address sanitizer.
@Suite("Mutations", .serialized) struct MutationTests {
  static let isLong = ProcessInfo.processInfo.environment["LRPATCH_TEST_LONG"] != nil
  static let cases = isLong ? 20_000 : 1500

  static let gguf = [
    "gguf/every-type.gguf", "gguf/nested-arrays.gguf", "gguf/no-tensors.gguf",
    "models/phi3-tiny-longrope.gguf",
    "patched.gguf",
  ]
  static let safetensors = (try? safetensorsFixtures()) ?? []
  static let texts = [
    "models/needle-256/config.json", "models/needle-256-x4.factors.json",
    "factors/phi-3-mini-128k-instruct.json",
    "factors/longrope-v1-csv/ft_la2_128k.csv", "factors/longrope2-llama3-8b-128k.json",
  ]

  @Test func filesToMutateAreThere() { #expect(Self.safetensors.count >= 3) }

  @Test(arguments: gguf) func survivesMutatedGGUF(_ name: String) throws {
    try mutate(try original(name), seed: 1, as: "m.gguf") { path in
      _ = try? GGUFFile(path: path)
      try? Self.exercise(path)
    }
  }

  @Test(arguments: safetensors) func survivesMutatedSafetensors(_ name: String) throws {
    try mutate(Fixture.bytes(name), seed: 2, as: "model.safetensors") { path in
      _ = try? SafetensorsFile(path: path)
      _ = try? SafetensorsFolder(path: FileSystem.folder(of: path))
    }
  }

  @Test(arguments: texts) func survivesMutatedTexts(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    try mutate(bytes, seed: 3, as: "config.json") { path in
      _ = try? JSONDocument(path: path)
      _ = try? FactorSource(path: path)
      try? Self.exercise(FileSystem.folder(of: path))
    }
  }

  /// Everything that reads a model, and the plan of a patch.
  private static func exercise(_ model: String) throws {
    let session = try ModelSession(path: model, exclusive: false)
    _ = try? Inspection(session)
    _ = try? Lint.findings(session)
    let source = try FactorSource(path: Fixture.path("models/needle-256-x4.factors.json"))
    let apply = Apply(source.set, factorsSHA256: "", version: "test", options: ApplyOptions())
    _ = try? apply.plan(for: session)
    _ = try? Revert().perform(in: session)
  }

  private static func safetensorsFixtures() throws -> [String] {
    try FileSystem.names(in: Fixture.path("safetensors")).filter { $0.hasSuffix(".safetensors") }
      .map { "safetensors/\($0)" }
  }

  /// A fixture, or a model that this program has patched.
  private func original(_ name: String) throws -> [UInt8] {
    guard name == "patched.gguf" else { return try Fixture.bytes(name) }
    let folder = try TemporaryDirectory()
    let path = try folder.write(
      "m.gguf", GGUFBuilder.llama().floats("a", [1]).floats("b", [2, 3]).bytes)
    let source = try FactorSource(path: folder.write("f.json", ModelBuilder.factors(pairs: 16)))
    let apply = Apply(source.set, factorsSHA256: "", version: "test", options: ApplyOptions())
    do {
      let session = try ModelSession(path: path, exclusive: true)
      try apply.perform(apply.plan(for: session), in: session)
    }
    return try FileSystem.contents(of: path)
  }

  // MARK: The mutator

  private func mutate(
    _ original: [UInt8], seed: UInt64, as name: String, _ read: (String) throws -> Void
  ) throws {
    try #require(!original.isEmpty)
    var random = Seeded(seed)
    let folder = try TemporaryDirectory()
    let clock = ContinuousClock()
    let memory = Self.peakMemory
    // Most of what can go wrong is at the beginning of a large file.
    let reach = min(original.count, 64 << 10)
    for number in 0..<Self.cases {
      let mutated = Self.mutation(of: original, reach, &random)
      let path = try folder.write(name, mutated)
      let time = try clock.measure { try read(path) }
      // The sanitizer makes memory access several times slower.
      #expect(time < .seconds(1), "case \(number) of \(name) with seed \(seed)")
    }
    #expect(Self.peakMemory - memory < 200 << 20, "\(name)")
  }

  private static func mutation(
    of original: [UInt8], _ reach: Int, _ random: inout Seeded
  ) -> [UInt8] {
    var bytes = original
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
    case 1:
      let start = Int.random(in: 0..<reach, using: &random)
      let end = Int.random(in: start...min(bytes.count, start + 64), using: &random)
      bytes.removeSubrange(start..<end)
    case 2:
      let start = Int.random(in: 0..<reach, using: &random)
      let count = Int.random(in: 0...min(64, bytes.count - start), using: &random)
      let piece = Array(bytes[start..<start + count])
      bytes.insert(contentsOf: piece, at: Int.random(in: 0..<reach, using: &random))
    case 3:
      // A length or count that is absurd, or absurd once multiplied.
      let place = Int.random(in: 0..<max(1, reach - 8), using: &random)
      let absurd: [UInt64] = [.max, .max / 64, 1 << 63, 1 << 31, 0]
      let value = absurd.randomElement(using: &random) ?? 0
      for (index, byte) in GGUFBuilder.little(value).enumerated() where place + index < bytes.count
      {
        bytes[place + index] = byte
      }
    default:
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<reach, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
    }
    return bytes
  }

  /// The peak memory of the process so far, in bytes.
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
