/// One prompt of a task, with the expected answers.
public struct RULERSample: Equatable, Sendable {
  /// Its number among those drawn.
  ///
  /// Samples that could not be made short enough are left out.
  public var index: Int
  /// The text up to the question, `input` in lm-eval.
  public var input: String
  /// The text between the input and the generation prefix.
  public var delimiter: String
  /// The beginning of the answer, `gen_prefix` in lm-eval.
  public var generationPrefix: String
  /// What the answer must contain, `outputs` in lm-eval.
  public var references: [String]
  /// The tokens that RULER counts: those of the prompt and those to generate.
  ///
  /// RULER counts neither the generation prefix of the needle tasks nor the delimiter.
  public var length: Int
  /// The length that was requested, in tokens.
  public var maximumLength: Int

  /// The whole text that the model continues, without a chat template.
  public var prompt: String { input + delimiter + generationPrefix }
}
