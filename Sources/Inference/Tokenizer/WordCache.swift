/// Caches the tokens of the words in one text, because most words are repeated.
struct WordCache {
  private static let mostWords = 1 << 16
  private static let longestWord = 64

  private let model: any WordModel
  private var known: [ByteKey: [Int]] = [:]

  init(_ model: any WordModel) { self.model = model }

  mutating func encode<E>(
    _ word: ArraySlice<UInt8>, _ checkpoint: () throws(E) -> Void
  ) throws(E) -> [Int] {
    guard word.count <= Self.longestWord else { return try model.encode(word, checkpoint) }
    if let ids = known[ByteKey(word)] { return ids }
    let ids = try model.encode(word, checkpoint)
    // The key is a copy, because a slice would keep the whole text in memory.
    if known.count < Self.mostWords { known[ByteKey(Array(word))] = ids }
    return ids
  }
}
