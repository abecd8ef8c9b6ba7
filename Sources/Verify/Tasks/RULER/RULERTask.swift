/// 11 of RULER's 13 tasks.
///
/// The other two ask questions about SQuAD and HotpotQA, which cannot be made from a seed.
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

  /// The names of RULER's 13 tasks, in RULER's order.
  public static let allNames = allCases.map(\.rawValue) + ["qa_1", "qa_2"]

  /// The most tokens of an answer, `max_gen_toks` in lm-eval.
  public var tokensToGenerate: Int {
    switch self {
    case .variableTracking: 30
    case .commonWords: 120
    case .frequentWords: 50
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
