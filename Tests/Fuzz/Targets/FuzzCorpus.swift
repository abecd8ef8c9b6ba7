import Formats
import TestSupport

/// The inputs from which fuzzing of a target begins.
///
/// Seeds are fixtures, files in `Tests/Fuzz/Seeds`, and what the program makes here. A corpus is what
/// libFuzzer found and could not make smaller without losing coverage: `Tests/Fuzz/Corpora`, one
/// compressed file for each target, in which every input follows its length.
package enum FuzzCorpus {
  private static let root = "\(Fixture.root)/Tests/Fuzz"
  /// Larger inputs are slow, and add nothing.
  private static let largestSeed = 20_000

  /// The seeds and the corpus of a target.
  package static func inputs(of target: FuzzTarget) throws -> [[UInt8]] {
    try seeds(of: target) + corpus(of: target)
  }

  private static func corpusPath(_ target: FuzzTarget) -> String {
    "\(root)/Corpora/\(target.rawValue).zst"
  }

  private static func corpus(of target: FuzzTarget) throws -> [[UInt8]] {
    let path = corpusPath(target)
    guard FileSystem.exists(path) else { return [] }
    let bytes = try Zstd.decompress(FileSystem.contents(of: path), limit: 64 << 20)
    var reader = ByteReader(bytes.rawSpan)
    var inputs: [[UInt8]] = []
    while reader.remaining > 0 {
      let count = try Int(reader.read(UInt32.self))
      let start = try reader.take(count)
      inputs.append(Array(bytes[start..<start + count]))
    }
    return inputs
  }

  /// Makes the corpus of a target from the files in a folder, the smallest first, up to a number of
  /// bytes.
  package static func pack(_ folder: String, for target: FuzzTarget, limit: Int) throws {
    let inputs = try FileSystem.names(in: folder).map { name in
      (name: name, bytes: try FileSystem.contents(of: "\(folder)/\(name)"))
    }.sorted { ($0.bytes.count, $0.name) < ($1.bytes.count, $1.name) }
    var packed: [UInt8] = []
    for input in inputs where packed.count + input.bytes.count < limit {
      packed += GGUFBuilder.little(UInt32(input.bytes.count)) + input.bytes
    }
    try OutputFile.replace(corpusPath(target), by: Zstd.compress(packed))
  }

  /// Writes all inputs of a target to files.
  package static func unpack(_ target: FuzzTarget, to folder: String) throws {
    for input in try inputs(of: target) {
      try OutputFile.replace("\(folder)/\(sha256(input).prefix(40))", by: input)
    }
  }

  // MARK: Seeds

  private static func seeds(of target: FuzzTarget) throws -> [[UInt8]] {
    var paths = fixtures(of: target).map { Fixture.path($0) }
    let own = "\(root)/Seeds/\(target.rawValue)"
    if FileSystem.isFolder(own) { paths += try FileSystem.names(in: own).map { "\(own)/\($0)" } }
    var seeds: [[UInt8]] = []
    for path in paths {
      let files =
        FileSystem.isFolder(path) ? try FileSystem.names(in: path).map { "\(path)/\($0)" } : [path]
      for file in files where !FileSystem.isFolder(file) {
        let bytes = try FileSystem.contents(of: file)
        if bytes.count <= largestSeed { seeds.append(bytes) }
      }
    }
    return seeds + made(for: target)
  }

  /// Files and folders in `fixtures`.
  private static func fixtures(of target: FuzzTarget) -> [String] {
    let families = ["llama", "phi3", "granite", "minicpm3", "llama3-scaling", "qwen3", "phimoe"]
    return switch target {
    case .gguf: ["gguf"]
    case .ggufModel: ["gguf", "tokenizers/pieces.gguf", "tokenizers/bytes-llama3.gguf"]
    case .safetensors: ["safetensors", "quantized"]
    case .index: ["safetensors/sharded/model.safetensors.index.json"]
    case .json:
      [
        "models/needle-256/config.json", "models/needle-256/tokenizer_config.json",
        "models/needle-256-x4.factors.json",
      ]
    case .factors:
      ["factors", "architectures/llama.factors.json", "architectures/phi3.factors.json"]
    case .config:
      families.map { "architectures/\($0)/config.json" } + ["models/needle-256-x4/config.json"]
    case .tokenizer:
      [
        "architectures/llama/tokenizer.json", "tokenizers/bytes/tokenizer.json",
        "tokenizers/marks/tokenizer.json",
      ]
    case .chat: ["models/needle-256/tokenizer_config.json"]
    case .undo, .journal, .result, .checkpoint, .card: []
    }
  }

  private static func made(for target: FuzzTarget) -> [[UInt8]] {
    let bench = FuzzBench.shared
    switch target {
    case .gguf, .ggufModel:
      let factors = (0..<16).map { Float(1 + $0) }
      let long = GGUFBuilder.llama(window: 1024).key("llama.rope.scaling.type", "longrope")
        .key("llama.rope.scaling.original_context_length", 256 as UInt32)
        .floats("rope_factors_long.weight", factors).floats("rope_factors_short.weight", factors)
      return [
        bench.patched, GGUFBuilder.llama().floats("a", [1]).floats("b", [2, 3]).bytes, long.bytes,
      ]
    case .config:
      return ModelBuilder.families.flatMap { family in
        [true, false].map { Array(ModelBuilder.config(family, isV5: $0).utf8) }
      }
    case .undo: return bench.records
    case .journal: return bench.journals
    default: return []
    }
  }
}
