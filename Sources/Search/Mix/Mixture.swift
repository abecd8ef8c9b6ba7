import Verify

/// Training data for LongRoPE2's mixed windows (section 3.3): rows of short segments, whose positions begin again with
/// each, and rows of long ones.
public struct Mixture: Sendable {
  public struct Settings: Sendable {
    public var originalWindow: Int
    /// Tokens of a row.
    public var window: Int
    /// The share of the tokens that is short: 0.3 in the paper.
    public var shortShare = 0.3
    /// Tokens at most; everything the texts give where nil.
    public var maximumTokens: Int?
    public var seed: UInt64 = 0
    /// Tokens that every segment begins and ends with.
    public var beginning: Int?
    public var end: Int?

    public init(originalWindow: Int, window: Int) {
      self.originalWindow = originalWindow
      self.window = window
    }
  }

  /// As many tokens as the window, with the position of each in its segment.
  public struct Row: Equatable, Sendable {
    public var tokens: [Int32] = []
    public var positions: [Int32] = []
    public var isLong: Bool
  }

  /// In the order of training.
  public let rows: [Row]

  /// - Parameter documents: tokens, without beginning and end tokens.
  /// - Throws: `VerifyError` for texts that give no row of a kind that is asked for.
  public init(_ documents: [[Int]], _ settings: Settings) throws {
    var random = SearchRandom(seed: settings.seed)
    let order = random.shuffled(documents.count)
    var short = Packer(settings, isLong: false)
    var long = Packer(settings, isLong: true)
    // What a segment may have of a document.
    let marks = (settings.beginning == nil ? 0 : 1) + (settings.end == nil ? 0 : 1)
    let (shortest, longest) = (settings.originalWindow - marks, settings.window - marks)
    guard shortest > 0 else { throw VerifyError("mix", "an original window of \(settings.originalWindow) tokens") }
    var rest: [[Int]] = []
    var (shortTokens, tokens) = (0, 0)
    for document in order.map({ documents[$0] }) {
      if document.count <= shortest {
        short.add(document)
        (shortTokens, tokens) = (shortTokens + document.count, tokens + document.count)
      } else {
        rest.append(document)
      }
    }
    // Where the texts have too few short documents, pieces of the long ones are short documents.
    for document in rest {
      var place = 0
      while place < document.count {
        let left = document.count - place
        let isShort =
          left <= shortest
          || Double(shortTokens) < settings.shortShare * Double(tokens + settings.window)
        let most = isShort ? shortest : longest
        let least = max(1, shortest / 4)
        let size = min(left, isShort && left > most ? least + random.index(below: most - least + 1) : most)
        let piece = Array(document[place..<place + size])
        if isShort { short.add(piece) } else { long.add(piece) }
        (shortTokens, tokens) = (shortTokens + (isShort ? size : 0), tokens + size)
        place += size
      }
    }
    // As many rows of each kind as keep the share, and no more than are asked for.
    let share = settings.shortShare
    let most = settings.maximumTokens.map { max(1, $0 / settings.window) } ?? .max
    func fitting(_ total: Int) -> (short: Int, long: Int) {
      let short = Int((Double(total) * share).rounded())
      return (short, total - short)
    }
    var total = min(most, short.rows.count + long.rows.count)
    while total > 0, fitting(total).short > short.rows.count || fitting(total).long > long.rows.count { total -= 1 }
    let (shortRows, longRows) = (short.rows.prefix(fitting(total).short), long.rows.prefix(fitting(total).long))
    guard share == 0 || !shortRows.isEmpty, share == 1 || !longRows.isEmpty else {
      throw VerifyError(
        "mix",
        "the texts have \(documents.reduce(0) { $0 + $1.count }) tokens, which give \(long.rows.count) long and \(short.rows.count) short rows of \(settings.window)"
      )
    }
    let rows = Array(shortRows) + Array(longRows)
    self.rows = random.shuffled(rows.count).map { rows[$0] }
  }

  /// Fills rows with segments; the last segment of a row is cut where the row is full.
  private struct Packer {
    private let settings: Settings
    private let isLong: Bool
    private(set) var rows: [Row] = []
    private var current: Row

    init(_ settings: Settings, isLong: Bool) {
      self.settings = settings
      self.isLong = isLong
      current = Row(isLong: isLong)
    }

    /// A part of a document, between a beginning and an end token.
    mutating func add(_ piece: [Int]) {
      let segment = [settings.beginning].compactMap(\.self) + piece + [settings.end].compactMap(\.self)
      let part = segment.prefix(settings.window - current.tokens.count)
      current.tokens += part.map { Int32($0) }
      current.positions += part.indices.map { Int32($0) }
      if current.tokens.count == settings.window {
        rows.append(current)
        current = Row(isLong: isLong)
      }
    }
  }
}
