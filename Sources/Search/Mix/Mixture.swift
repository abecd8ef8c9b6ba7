import Models
import Verify

/// Training data for LongRoPE2's mixed windows (section 3.3): rows of short segments and rows of
/// long segments. Positions begin at 0 in each segment.
public struct Mixture: Sendable {
  public struct Settings: Sendable {
    public var originalWindow: Int
    /// The length of a row, in tokens.
    public var window: Int
    /// The share of short data: 0.3 in the paper.
    public var shortShare = 0.3
    /// The most tokens to use, or nil for all.
    public var maximumTokens: Int?
    public var seed: UInt64 = 0
    /// The tokens with which every segment begins and ends.
    public var beginning: Int?
    public var end: Int?

    public init(originalWindow: Int, window: Int) {
      self.originalWindow = originalWindow
      self.window = window
    }
  }

  /// A row of as many tokens as the window, with the position of each in its segment.
  public struct Row: Equatable, Sendable {
    public var tokens: [Int32] = []
    public var positions: [Int32] = []
    public var isLong: Bool
  }

  /// The rows in the order of training.
  public let rows: [Row]

  /// - Parameter documents: the tokens of each document, without beginning and end tokens.
  /// - Throws: `ModelError` if the texts give no row of a requested kind.
  public init(_ documents: [[Int]], _ settings: Settings) throws {
    var random = SearchRandom(seed: settings.seed)
    let order = random.shuffled(documents.count)
    var short = Packer(settings, isLong: false)
    var long = Packer(settings, isLong: true)
    // The longest parts of a document that fit into a short and a long segment.
    let marks = (settings.beginning == nil ? 0 : 1) + (settings.end == nil ? 0 : 1)
    let (shortest, longest) = (settings.originalWindow - marks, settings.window - marks)
    guard shortest > 0 else {
      throw ModelError.unsupported(
        "mix", "an original window of \(settings.originalWindow) tokens has no room for a document")
    }
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
    // If there are too few short documents, pieces of the long ones take their place.
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
    // Take as many rows of each kind as keep the share, up to the requested number.
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
      throw ModelError.unsupported(
        "mix",
        "the texts have \(documents.reduce(0) { $0 + $1.count }) tokens, which give only \(long.rows.count) long and \(short.rows.count) short rows of \(settings.window); give more text"
      )
    }
    let rows = Array(shortRows) + Array(longRows)
    self.rows = random.shuffled(rows.count).map { rows[$0] }
  }

  /// Fills rows with segments. The last segment of a row is cut where the row is full.
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

    /// Adds a part of a document as a segment, with the beginning and end tokens.
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
