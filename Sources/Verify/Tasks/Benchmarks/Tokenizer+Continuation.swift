import Inference

extension Tokenizer {
  /// The tokens of a text and its continuation, and where the continuation begins, as lm-eval's
  /// `_encode_pair` divides them.
  ///
  /// The white space at the end of the text counts as part of the continuation. Both are encoded as
  /// one text, whose tokens after as many as the text alone has are the continuation.
  /// - Parameter checkpoint: called between pieces of work. An error that it throws ends the work.
  func tokens<E>(
    of text: String, continuedBy continuation: String, _ checkpoint: () throws(E) -> Void
  ) throws(E) -> (all: [Int], start: Int) {
    let lead = beginning.map { [$0] } ?? []
    let all = try lead + encode(text + continuation, checkpoint: checkpoint)
    let start = try lead.count + encode(text.endAsInPython.text, checkpoint: checkpoint).count
    return (all, start)
  }
}
