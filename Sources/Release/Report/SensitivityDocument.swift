import Formats
import Models
public import Verify

/// What a report shows of the result of `lrpatch factors sensitivity --json`.
public struct SensitivityDocument: Sendable {
  /// A rotary pair.
  struct Pair: Sendable {
    var factor: Double
    /// The change of the loss by that of the factor's logarithm, in nats per token.
    var slope: Double
    /// The shares by which the factor may fall and rise; nil if it may be anything.
    var room: (down: Double?, up: Double?)
  }

  let pairs: [Pair]
  /// The slowest pair whose factor has less room than a tenth.
  let slowestThatMatters: Int?
  let mscaleSlope: Double
  /// The rise of perplexity, as a share, up to which a factor has room.
  let tolerance: Double
  /// The length of a document or a needle prompt, in tokens.
  let length: Int
  /// How many documents or needles of which kind were run, in words.
  let units: String

  /// Reads a saved document.
  /// - Throws: `FileError`; `FormatError`; `ModelError` for JSON that is not such a document.
  public init(path: String) throws {
    let value: JSONValue
    do {
      value = try JSONDocument(parsing: FileSystem.contents(of: path, limit: 64 << 20)).value
    } catch let error as FormatError { throw error.inFile(path) }
    guard value["schema"]?.text == DocumentSchema.sensitivity.rawValue,
      let pairs = value["pairs"]?.elements, let length = value["length"]?.integer, length > 0,
      let mscaleSlope = value["mscale_slope"]?.double, let tolerance = value["tolerance"]?.double,
      let units = value["units"]?.integer, let fitness = value["fitness"]?.text
    else {
      throw ModelError.unsupported(
        path,
        "not a result of lrpatch factors sensitivity --json; expected '\(DocumentSchema.sensitivity.rawValue)'"
      )
    }
    self.pairs = try pairs.map { pair in
      guard let factor = pair["factor"]?.double, factor > 0, let slope = pair["slope"]?.double
      else { throw ModelError.unsupported(path, "a pair has no factor or no slope") }
      return Pair(
        factor: factor, slope: slope,
        room: (pair["room_down"]?.double, pair["room_up"]?.double))
    }
    self.length = length
    self.mscaleSlope = mscaleSlope
    self.tolerance = tolerance
    self.units = "\(units) \(fitness == "needle" ? "needles" : "documents")"
    slowestThatMatters = value["slowest_that_matters"]?.integer
  }

  /// Checks that the document is about the factors of a result.
  /// - Parameter path: its file.
  /// - Throws: `ModelError` if it is about others.
  public func require(factorsOf result: ResultDocument, _ path: String) throws {
    let own = result.inspection["factors"]?["long"]?.doubles ?? []
    let isSame =
      own.count == pairs.count
      && zip(own, pairs).allSatisfy { ($0 / $1.factor - 1).magnitude < 1e-5 }
    guard isSame else {
      throw ModelError.unsupported(path, "is about other factors than the result's")
    }
  }
}
