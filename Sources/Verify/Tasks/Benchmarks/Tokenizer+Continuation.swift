import Inference

extension Tokenizer {
  /// The tokens of a text and its continuation, and where the continuation begins, as lm-eval's
  /// `_encode_pair` divides them.
  ///
  /// The white space at the end of the text counts as part of the continuation. Both are encoded as
  /// one text, whose tokens after as many as the text alone has are the continuation.
  func tokens(of text: String, continuedBy continuation: String) -> (all: [Int], start: Int) {
    let lead = beginning.map { [$0] } ?? []
    let all = lead + encode(text + continuation)
    let start = lead.count + encode(text.endAsInPython.text).count
    return (all, start)
  }
}
