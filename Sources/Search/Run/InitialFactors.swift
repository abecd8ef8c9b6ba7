import Formats
import Models
import Patch

/// Candidates to begin a search with: factors in any form, or the log of a search or of the
/// published code.
struct InitialFactors {
  private(set) var candidates: [Candidate] = []
  private let path: String
  private let space: SearchSpace

  /// - Throws: `ModelError` for a file of another kind, or factors of another length.
  init(_ path: String, _ space: SearchSpace) throws {
    self.path = path
    self.space = space
    let lists = FileSystem.isFolder(path) ? nil : try Self.lists(path)
    if let lists {
      for list in lists { try add(list) }
    } else {
      let set = try FactorSource(path: path).set
      guard let factors = set.long.uniform else {
        throw ModelError.unsupported(
          path, "a search cannot begin with factors that differ by layer")
      }
      try add(factors, startTokens: set.startTokens)
    }
  }

  /// The lists in a log, or nil for any other file.
  private static func lists(_ path: String) throws -> [[Double]]? {
    guard let bytes = try? FileSystem.contents(of: path, limit: 64 << 20),
      bytes.first == UInt8(ascii: "{")
    else { return nil }
    if let value = try? JSONDocument(parsing: bytes).value {
      // A log of the published code: its population with perplexities, the best first.
      guard let population = value["population"]?.elements else { return nil }
      return population.compactMap { $0.elements?.first?.doubles }
    }
    let lines = bytes.split(separator: 0x0A).map { try? JSONDocument(parsing: Array($0)).value }
    guard lines.first??["schema"]?.text == SearchLog.schema else { return nil }
    var lists: [[Double]] = []
    for line in lines.reversed() {
      if let factors = line?["factors"]?.doubles, !lists.contains(factors) { lists.append(factors) }
    }
    return lists
  }

  private mutating func add(_ factors: [Double], startTokens: Int = 0) throws {
    // Genomes of dim_piece_mono have two more numbers in front.
    let own = factors.count == space.pairs + 2 ? Array(factors.dropFirst(2)) : factors
    guard own.count == space.pairs else {
      throw ModelError.unsupported(
        path, "the list has \(factors.count) factors: expected \(space.pairs)")
    }
    guard own.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw ModelError.unsupported(path, "a factor is not a positive finite number")
    }
    candidates.append(Candidate(zip(own, space.base).map { $0 / $1 }, startTokens: startTokens))
  }
}
