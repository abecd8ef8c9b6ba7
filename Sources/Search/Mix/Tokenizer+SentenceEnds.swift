package import Inference

extension Tokenizer {
  /// The tokens that end a sentence: with a full stop, a question or exclamation mark, or the end of
  /// a line.
  package var sentenceEnds: Set<Int> {
    let marks = Set(".?!\n".utf8)
    return Set(
      (0..<vocabulary).filter { id in
        bytes(of: id).last { $0 != 0x20 }.map(marks.contains) ?? false
      })
  }
}
