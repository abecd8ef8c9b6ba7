import Models

/// Training data for LongRoPE2's mixed windows (section 3.3): rows of short segments and rows of
/// long segments.
///
/// Positions begin at 0 in each segment. In long rows they may skip some (`MixPositions`), so that
/// a row as long as the original window reaches through the extended one.
public struct Mixture: Sendable {
  /// The sizes of a mixture.
  public struct Settings: Sendable {
    /// The length of a short segment, in tokens.
    public var originalWindow: Int
    /// The extended window, in tokens.
    public var window: Int
    /// The positions in long rows.
    public var positions = MixPositions.full
    /// The tokens that end a sentence, between which `longrecipe` skips positions.
    public var sentenceEnds: Set<Int> = []
    /// The share of short data: 0.3 in the paper.
    public var shortShare = 0.3
    /// The most tokens to use, or nil for all.
    public var maximumTokens: Int?
    /// The seed of the order of documents and rows.
    public var seed: UInt64 = 0
    /// The token with which every segment begins, or nil.
    public var beginning: Int?
    /// The token with which every segment ends, or nil.
    public var end: Int?

    /// The length of a row, in tokens: that of the extended window, or of the original one if
    /// positions are skipped.
    public var rowTokens: Int {
      positions.rowTokens(originalWindow: originalWindow, window: window)
    }

    /// Settings with the paper's share of short data.
    public init(originalWindow: Int, window: Int) {
      self.originalWindow = originalWindow
      self.window = window
    }
  }

  /// A row of `rowTokens` tokens, with the position of each in its segment.
  public struct Row: Equatable, Sendable {
    /// The tokens of all segments.
    public var tokens: [Int32] = []
    /// The position of each token in its segment.
    public var positions: [Int32] = []
    /// Whether the segments are long.
    public var isLong: Bool
  }

  /// The rows in the order of training.
  public let rows: [Row]

  /// Cuts documents into segments, and packs the segments into rows.
  /// - Parameter documents: the tokens of each document, without beginning and end tokens.
  /// - Throws: `ModelError` if the texts give no row of a requested kind.
  public init(_ documents: [[Int]], _ settings: Settings) throws {
    var random = SearchRandom(seed: settings.seed)
    var segments = MixSegments(settings)
    guard segments.shortest > 0 else {
      throw ModelError.unsupported(
        "mix", "an original window of \(settings.originalWindow) tokens has no room for a document")
    }
    guard settings.positions == .full || settings.originalWindow >= 2 else {
      throw ModelError.unsupported(
        "--positions", "a row of \(settings.originalWindow) token has no place for a gap")
    }
    if let most = settings.maximumTokens, most < settings.rowTokens {
      throw ModelError.unsupported(
        "--tokens",
        "\(most) tokens are fewer than one row of \(settings.rowTokens)")
    }
    segments.add(random.shuffled(documents.count).map { documents[$0] }, &random)
    let (counts, share) = (segments.counts, settings.shortShare)
    guard share == 0 || counts.short > 0, share == 1 || counts.long > 0 else {
      if let most = settings.maximumTokens, !segments.shortRows.isEmpty, !segments.longRows.isEmpty
      {
        throw ModelError.unsupported(
          "--tokens",
          "\(most) tokens have no room for a row of \(settings.rowTokens) of each kind, \(share) of them short"
        )
      }
      throw Self.tooLittleText(documents, segments, settings.rowTokens)
    }
    let rows =
      Array(segments.shortRows.prefix(counts.short)) + segments.longRows.prefix(counts.long)
    self.rows = random.shuffled(rows.count).map { rows[$0] }
  }

  private static func tooLittleText(
    _ documents: [[Int]], _ segments: MixSegments, _ rowTokens: Int
  ) -> ModelError {
    let tokens = documents.reduce(0) { $0 + $1.count }
    return .unsupported(
      "mix",
      """
      the texts have \(tokens) tokens, which give only \(segments.longRows.count) long and \
      \(segments.shortRows.count) short rows of \(rowTokens); give more text
      """)
  }
}
