/// RULER's 13 tasks.
///
/// Two of them ask questions from SQuAD and HotpotQA, which cannot be made from a seed: they need a
/// file.
public enum RULERTask: String, CaseIterable, Sendable {
  case niahSingle1 = "niah_single_1"
  case niahSingle2 = "niah_single_2"
  case niahSingle3 = "niah_single_3"
  case niahMultikey1 = "niah_multikey_1"
  case niahMultikey2 = "niah_multikey_2"
  case niahMultikey3 = "niah_multikey_3"
  case niahMultivalue = "niah_multivalue"
  case niahMultiquery = "niah_multiquery"
  case variableTracking = "vt"
  case commonWords = "cwe"
  case frequentWords = "fwe"
  case squad = "qa_1"
  case hotpotQA = "qa_2"

  /// The tasks that need no file.
  public static let withoutFile = allCases.filter { !$0.needsFile }

  /// Whether the questions come from a file.
  public var needsFile: Bool { self == .squad || self == .hotpotQA }

  /// The most tokens of an answer, `max_gen_toks` in lm-eval.
  public var tokensToGenerate: Int {
    switch self {
    case .variableTracking: 30
    case .commonWords: 120
    case .frequentWords: 50
    case .squad, .hotpotQA: 32
    default: 128
    }
  }

  /// The text between the input and the generation prefix, `target_delimiter` in lm-eval.
  public var delimiter: String { self == .commonWords ? "\n\n" : " " }

  /// Whether the answers stand in the prompt as they are.
  var isRetrieval: Bool { needle != nil }

  /// Whether the prompts are cut from the essay.
  public var needsEssay: Bool { needle?.haystack == .essay }
}
