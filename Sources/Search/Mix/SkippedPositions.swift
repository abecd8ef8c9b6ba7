/// Rising positions below the extended window for a row as long as the original one.
///
/// A row reaches beyond the original window, so that it is trained with the long factors.
struct SkippedPositions {
  /// The number of tokens in the row: L0.
  let count: Int
  /// The extended window, in tokens: L.
  let window: Int

  /// PoSE with two pieces: the first is at most half of the row, and the second begins after any
  /// number of skipped positions that the window has room for, at least one.
  ///
  /// The text goes on across the seam. In the paper's table 4 it does not matter which text
  /// follows.
  func pose(_ random: inout SearchRandom) -> [Int] {
    let seam = firstPiece(&random)
    let skipped = 1 + random.index(below: window - count)
    return (0..<count).map { $0 < seam ? $0 : $0 + skipped }
  }

  /// LongRecipe as its code does it: the skipped positions fall between sentences and behind the
  /// last, at random, and some tokens at the beginning skip none.
  ///
  /// Its selection of sentences is left out, so that every token counts.
  /// - Parameter starts: where the sentences after the first begin, in order.
  func longRecipe(_ starts: [Int], _ random: inout SearchRandom) -> [Int] {
    guard !starts.isEmpty else { return pose(&random) }
    // One place for each sentence and for each skipped position; the first sentence is first.
    let sentences = starts.count + 1
    var places = Set<Int>()
    while places.count < sentences {
      places.insert(random.index(below: window - count + sentences))
    }
    let sorted = places.sorted()
    var positions: [Int] = []
    var sentence = 0
    for token in 0..<count {
      if sentence < starts.count, token == starts[sentence] { sentence += 1 }
      let skipped = sentence == 0 ? 0 : sorted[sentence] - sentence
      positions.append(token + skipped)
    }
    let unmoved = firstPiece(&random)
    for token in 0..<unmoved { positions[token] = token }
    return positions[count - 1] < count ? pose(&random) : positions
  }

  /// A length from 1 to half of the row.
  private func firstPiece(_ random: inout SearchRandom) -> Int {
    1 + random.index(below: (count + 1) / 2)
  }
}
