import Formats
import Patch
import Search

/// Candidates to begin a search with: factors in any form, the log of a search, or the log of a published one.
struct InitialFactors {
  private(set) var candidates: [Candidate] = []
  private let path: String
  private let space: SearchSpace

  /// - Throws: `PatchError` for a file of another kind, or factors of another length.
  init(_ path: String, _ space: SearchSpace) throws {
    self.path = path
    self.space = space
    let lists = FileSystem.isFolder(path) ? nil : try Self.lists(path)
    if let lists {
      for list in lists { try add(list) }
    } else {
      let set = try FactorSource(path: path).set
      guard let factors = set.long.uniform else {
        throw PatchError.unsupported(path, "factors that differ by layer cannot begin a search")
      }
      try add(factors, startTokens: set.startTokens)
    }
  }

  /// What logs hold; nil for a file that is none.
  private static func lists(_ path: String) throws -> [[Double]]? {
    guard let bytes = try? FileSystem.contents(of: path, limit: 64 << 20), bytes.first == UInt8(ascii: "{") else {
      return nil
    }
    if let value = try? JSONDocument(parsing: bytes).value {
      // The published code's: its population, each with its perplexity, the best first.
      guard let population = value["population"]?.elements else { return nil }
      return population.compactMap { $0.elements?.first?.doubles }
    }
    let lines = bytes.split(separator: 0x0A).map { try? JSONDocument(parsing: Array($0)).value }
    guard lines.first??["schema"]?.text == "lrpatch.search-log/1" else { return nil }
    var lists: [[Double]] = []
    for line in lines.reversed() {
      if let factors = line?["factors"]?.doubles, !lists.contains(factors) { lists.append(factors) }
    }
    return lists
  }

  private mutating func add(_ factors: [Double], startTokens: Int = 0) throws {
    // Genomes of dim_piece_mono have two numbers more at their head.
    let own = factors.count == space.pairs + 2 ? Array(factors.dropFirst(2)) : factors
    guard own.count == space.pairs else {
      throw PatchError.unsupported(path, "\(factors.count) factors, expected one list of \(space.pairs)")
    }
    guard own.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw PatchError.unsupported(path, "holds what is no factor")
    }
    candidates.append(Candidate(zip(own, space.base).map { $0 / $1 }, startTokens: startTokens))
  }
}
