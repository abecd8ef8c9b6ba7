/// Cuts documents into short and long segments, and packs each kind into rows.
struct MixSegments {
  private let settings: Mixture.Settings
  private var short: SegmentPacker
  private var long: SegmentPacker
  private var shortTokens = 0
  private var tokens = 0

  init(_ settings: Mixture.Settings) {
    self.settings = settings
    short = SegmentPacker(settings, isLong: false)
    long = SegmentPacker(settings, isLong: true)
  }

  var shortRows: [Mixture.Row] { short.rows }
  var longRows: [Mixture.Row] { long.rows }

  /// The longest part of a document that fits into a short segment.
  var shortest: Int { settings.originalWindow - marks }
  /// The longest part of a document that fits into a long segment.
  private var longest: Int { settings.rowTokens - marks }
  /// The tokens that mark the beginning and the end of a segment.
  private var marks: Int { (settings.beginning == nil ? 0 : 1) + (settings.end == nil ? 0 : 1) }

  /// Adds all documents.
  ///
  /// If there are too few short ones, pieces of the long ones take their place.
  mutating func add(_ documents: [[Int]], _ random: inout SearchRandom) {
    for document in documents where document.count <= shortest {
      add(document, isShort: true, &random)
    }
    for document in documents where document.count > shortest { cut(document, &random) }
  }

  private mutating func cut(_ document: [Int], _ random: inout SearchRandom) {
    var place = 0
    while place < document.count {
      let left = document.count - place
      let isShort = left <= shortest || needsShort
      let most = !isShort ? longest : left > shortest ? shortSize(&random) : left
      let end = place + min(left, most)
      add(Array(document[place..<end]), isShort: isShort, &random)
      place = end
    }
  }

  /// Whether there is less short data than there should be after one more row.
  private var needsShort: Bool {
    Double(shortTokens) < settings.shortShare * Double(tokens + settings.rowTokens)
  }

  /// The size of a short piece of a long document.
  private func shortSize(_ random: inout SearchRandom) -> Int {
    let least = max(1, shortest / 4)
    return least + random.index(below: shortest - least + 1)
  }

  private mutating func add(_ piece: [Int], isShort: Bool, _ random: inout SearchRandom) {
    if isShort { short.add(piece, &random) } else { long.add(piece, &random) }
    shortTokens += isShort ? piece.count : 0
    tokens += piece.count
  }

  // MARK: Rows

  /// The numbers of short and long rows that have the requested share of short ones.
  var counts: (short: Int, long: Int) {
    let most = settings.maximumTokens.map { max(1, $0 / settings.rowTokens) } ?? .max
    var total = min(most, shortRows.count + longRows.count)
    while total > 0, split(total).short > shortRows.count || split(total).long > longRows.count {
      total -= 1
    }
    return split(total)
  }

  private func split(_ total: Int) -> (short: Int, long: Int) {
    let short = Int((Double(total) * settings.shortShare).rounded())
    return (short, total - short)
  }
}
