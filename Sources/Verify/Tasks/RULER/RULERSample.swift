/// One prompt of one task, with the answers that are looked for.
public struct RULERSample: Equatable, Sendable {
  /// Its number among those drawn; one that could not be made short enough is left out.
  public var index: Int
  /// The text up to the question, `input` in lm-eval.
  public var input: String
  /// What stands between the input and the generation prefix.
  public var delimiter: String
  /// How the answer begins, `gen_prefix` in lm-eval.
  public var generationPrefix: String
  /// What the answer must contain, `outputs` in lm-eval.
  public var references: [String]
  /// The tokens that RULER counts: a prompt's and those to generate. It leaves out the generation prefix of the needle
  /// tasks, and counts no delimiter.
  public var length: Int
  /// The length that was asked for.
  public var maximumLength: Int

  /// The whole text that a model continues, without a chat template.
  public var prompt: String { input + delimiter + generationPrefix }
}
