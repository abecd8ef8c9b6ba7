extension VerifyOptions {
  /// The options that were given a value although nothing that is measured uses them.
  ///
  /// An option with its default value does not count.
  func unused(by tasks: [TaskGrid.Task]) -> [String] {
    let defaults = VerifyOptions(model: model)
    let needsText = tasks.contains { $0.needsTokens || $0.needsEssay }
    let movesWindows = tasks.contains(.perplexity) && method.movesWindows
    let given: [(name: String, isGiven: Bool, isUsed: Bool)] = [
      ("lengths", lengths != nil, tasks.contains(where: \.hasLengths)),
      ("depths", depths != defaults.depths, tasks.contains(where: \.hasDepths)),
      ("samples", samples != nil, tasks.contains(where: \.hasPrompts)),
      ("passkey-prompt", passkeyPrompt != defaults.passkeyPrompt, tasks.contains(.passkey)),
      ("perplexity", !texts.isEmpty, needsText),
      ("method", method != defaults.method, tasks.contains(.perplexity)),
      ("stride", stride != defaults.stride, movesWindows),
      ("windows", windows != nil, tasks.contains(where: \.hasWindows)),
    ]
    return given.filter { $0.isGiven && !$0.isUsed }.map { "--\($0.name)" }
  }
}

extension TaskGrid.Task {
  /// Whether it asks questions, of which there are several samples.
  fileprivate var hasPrompts: Bool {
    switch self {
    case .passkey, .niah, .rag, .ruler, .benchmark: true
    case .perplexity, .retention, .crossing: false
    }
  }

  /// Whether it reads windows of texts.
  fileprivate var hasWindows: Bool { !hasPrompts }
}
