/// A part of a word: its token, and its bytes in the word.
struct Symbol: Sendable {
  /// The token, or nil for a character without one.
  var id: Int?
  var start: Int
  var count: Int
}

/// A possible merge of two neighbours: the resulting token, and a priority.
///
/// Lower priorities come first.
struct Merge: Sendable {
  var priority: Double
  var id: Int
}

/// The symbols of a word, in which neighbours merge until no pair can.
///
/// The best pair merges first, and the leftmost of equal pairs.
///
/// With a linked list and a heap of candidates, a word of n characters takes O(n log n). A
/// candidate is stale if one of its symbols has been merged, which changes their total length.
struct SymbolChain {
  private struct Candidate {
    var merge: Merge
    var place: Int
    var count: Int

    func precedes(_ other: Candidate) -> Bool {
      merge.priority != other.merge.priority
        ? merge.priority < other.merge.priority : place < other.place
    }
  }

  private static let none = -1
  private var symbols: [Symbol]
  private var next: [Int]
  private var previous: [Int]
  private var heap: [Candidate] = []

  init(_ symbols: [Symbol]) {
    self.symbols = symbols
    next = symbols.indices.map { $0 + 1 < symbols.count ? $0 + 1 : Self.none }
    previous = symbols.indices.map { $0 - 1 }
  }

  /// Merges neighbours as long as `rule` returns a merge.
  /// - Returns: the remaining symbols.
  mutating func merged<E>(
    _ checkpoint: () throws(E) -> Void, _ rule: (Symbol, Symbol) -> Merge?
  ) throws(E) -> [Symbol] {
    for place in symbols.indices {
      if place & 0xFFFF == 0xFFFF { try checkpoint() }
      offer(place, rule)
    }
    var count = 0
    while let best = pop() {
      count += 1
      if count & 0xFFFF == 0 { try checkpoint() }
      let right = next[best.place]
      guard symbols[best.place].count > 0, right != Self.none,
        symbols[best.place].count + symbols[right].count == best.count
      else { continue }
      join(best.place, right, as: best.merge.id)
      if previous[best.place] != Self.none { offer(previous[best.place], rule) }
      offer(best.place, rule)
    }
    return symbols.filter { $0.count > 0 }
  }

  private mutating func join(_ left: Int, _ right: Int, as id: Int) {
    symbols[left].id = id
    symbols[left].count += symbols[right].count
    symbols[right].count = 0
    next[left] = next[right]
    if next[right] != Self.none { previous[next[right]] = left }
  }

  /// Adds the symbol at `place` and its right neighbour to the candidates.
  private mutating func offer(_ place: Int, _ rule: (Symbol, Symbol) -> Merge?) {
    guard next[place] != Self.none else { return }
    let (left, right) = (symbols[place], symbols[next[place]])
    guard let merge = rule(left, right) else { return }
    push(Candidate(merge: merge, place: place, count: left.count + right.count))
  }

  private mutating func push(_ candidate: Candidate) {
    heap.append(candidate)
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop() -> Candidate? {
    guard let best = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return best }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in (2 * parent + 1)...(2 * parent + 2)
      where child < heap.count && heap[child].precedes(heap[least]) {
        least = child
      }
      if least == parent { return best }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
