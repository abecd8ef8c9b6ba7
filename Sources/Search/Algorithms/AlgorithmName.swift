import Formats

/// A search algorithm, and which options it takes.
public enum AlgorithmName: String, CaseIterable, Codable, Sendable {
  /// LongRoPE's evolution.
  case longrope
  /// LongRoPE2's evolution.
  case longrope2
  /// The evolutions of LongRoPE's published code, as they behave.
  case dimMono = "dim_mono"
  case dimPieceMono = "dim_piece_mono"
  case cmaES = "cma-es"
  /// The divide and conquer incremental search.
  case dcis
  /// A quasi-Newton method along the derivatives by all factors.
  case gradient

  /// Options that only some algorithms take.
  public enum Feature: CaseIterable, Sendable {
    /// Given candidates come before the algorithm's own.
    case initial
    /// n-hat is searched.
    case startTokens
    /// A table for shorter inputs of an extended model is searched.
    case readjusting
    /// The critical pair can be given.
    case criticalPair
    /// The greatest factor can be given.
    case maximum
    /// The attention scale is searched.
    case mscale
    /// An attention scale for each pair is searched.
    case pairMscales
    /// Candidates that are unlikely to be good enough are stopped early.
    case race
  }

  /// The options that the algorithm takes.
  public var features: Set<Feature> {
    switch self {
    case .longrope:
      [.initial, .startTokens, .readjusting, .maximum, .mscale, .pairMscales, .race]
    case .longrope2: [.criticalPair, .maximum, .mscale, .pairMscales, .race]
    case .cmaES, .gradient: [.initial, .readjusting, .criticalPair, .maximum, .mscale, .race]
    case .dcis: [.initial, .maximum, .race]
    case .dimMono, .dimPieceMono: []
    }
  }

  /// Whether it is one of the published code's algorithms.
  public var isPublished: Bool { self == .dimMono || self == .dimPieceMono }

  /// All algorithms but those of the published code.
  public static let standard = allCases.filter { !$0.isPublished }
  /// The algorithms of the published code.
  public static let published = allCases.filter(\.isPublished)

  /// The seed of a search that gives none.
  ///
  /// The published code always takes 42.
  public var defaultSeed: UInt64 { isPublished ? 42 : 0 }

  /// The greatest factor of a search that gives none, as a multiple of s.
  public var defaultMaximum: Double {
    switch self {
    case .longrope2, .gradient: 2
    case .longrope, .cmaES, .dcis, .dimMono, .dimPieceMono: 1.25
    }
  }

  /// The names of algorithms as a list in a sentence.
  package static func list(_ algorithms: [AlgorithmName]) -> String {
    algorithms.map(\.rawValue).alternatives
  }
}
