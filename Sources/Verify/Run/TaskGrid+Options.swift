import Formats
import Inference
import Models
import Patch

/// The grid that options ask for.
extension TaskGrid {
  /// - Parameter baselineWindow: the window of the baseline; nil without one.
  /// - Throws: what reading the texts and the benchmarks throws.
  init(
    _ options: VerifyOptions, _ geometry: RopeGeometry, _ tokenizer: Tokenizer, baselineWindow: Int?
  ) throws {
    tasks = Self.tasks(options)
    if tasks.contains(where: \.hasLengths) {
      lengths = Array(Set(options.lengths ?? Self.lengths(geometry))).sorted()
    }
    depths = Self.depths(options.depths)
    samples = options.samples
    prompts = options.prompts
    seed = options.seed
    style = options.passkeyPrompt
    method = options.method
    stride = options.stride
    windows = options.windows
    shard = options.shard
    sample = options.sample
    if case .everywhere? = options.baseline { comparesEverywhere = true }
    try addTexts(options.texts, tokenizer, originalWindow: geometry.originalWindow)
    // Model and baseline are asked the same, so a prompt must fit both.
    try addFiles(options, window: min(geometry.window, baselineWindow ?? .max))
  }

  private static func tasks(_ options: VerifyOptions) -> [Task] {
    var tasks = options.tasks
    if tasks.isEmpty { tasks = options.texts.isEmpty ? [.passkey] : [.passkey, .perplexity] }
    if options.baseline != nil { tasks.append(.retention) }
    return tasks.uniqued
  }

  private static func lengths(_ geometry: RopeGeometry) -> [Int] {
    let original = geometry.originalWindow
    var lengths = [original / 2, original]
    while let last = lengths.last, last * 2 <= geometry.window { lengths.append(last * 2) }
    return lengths
  }

  private static func depths(_ count: Int) -> [Double] {
    count == 1 ? [0.5] : (0..<count).map { Double($0) / Double(count - 1) }
  }

  /// Tokenizing a book takes a moment, so it is read only if a task needs it.
  private mutating func addTexts(
    _ paths: [String], _ tokenizer: Tokenizer, originalWindow: Int
  ) throws {
    let needsTokens = tasks.contains { $0.needsTokens }
    guard needsTokens || tasks.contains(where: { $0.needsEssay }) else { return }
    var texts = try paths.map { path in
      (name: path, text: try FileSystem.text(FileSystem.contents(of: path), of: path))
    }
    remarks += texts.compactMap { LineEnds.remark($0.text.utf8, name: $0.name) }
    if texts.isEmpty { texts = [(name: ShippedText.name, text: try ShippedText.text())] }
    if needsTokens {
      let most = mostCharacters(originalWindow)
      self.texts = texts.map {
        Text(name: $0.name, tokens: tokenizer.encode(String($0.text.prefix(most))))
      }
      haystack = Text(name: texts[0].name, tokens: self.texts.flatMap(\.tokens))
    }
    essay = RULEREssay(
      texts.map(\.text).joined(separator: "\n"),
      name: texts.map(\.name).joined(separator: ", "))
  }

  /// The characters of a text that the windows can reach.
  ///
  /// No token is shorter than a byte, and in prose none is longer than 16.
  private func mostCharacters(_ originalWindow: Int) -> Int {
    let reach = lengths.map { length in
      Perplexity.reach(length: length, method, stride: stride, maximumWindows: windows)
    }.max()
    let longest = max(lengths.max() ?? 0, WindowCrossing.length(originalWindow))
    let crossing = (windows ?? WindowCrossing.defaultTexts) * longest
    return Int(min(16 * Double(max(reach ?? 0, crossing)), 0x1p40))
  }
}

extension VerifyOptions {
  /// The gates that are judged: the given ones, or the default ones of the tasks.
  ///
  /// A part of a grid is never judged.
  func gates(for tasks: [TaskGrid.Task]) -> [Gate] {
    if shard != nil { return [] }
    if let gates { return gates }
    return tasks.compactMap(\.defaultGate).compactMap { try? Gate($0) }
  }
}
