import Formats

/// A `general.architecture` whose loader in llama.cpp takes LongRoPE's factor tensors and whose graph uses them.
/// (refact and pangu-embedded load them but never use them, so they are not here.)
public struct GGUFArchitecture: Equatable, Sendable {
  public var name: String
  /// Whether the loader creates the tensors only where `rope.scaling.type` is `longrope`.
  public var needsType: Bool
  /// False for one whose loader refuses or ignores the tensors.
  public var takesFactors = true

  public static let all: [GGUFArchitecture] = [
    .init(name: "phi3", needsType: false),
    .init(name: "phimoe", needsType: false),
    .init(name: "minicpm", needsType: true),
    .init(name: "minicpm3", needsType: false),
    .init(name: "llama", needsType: true),
    .init(name: "llama-embed", needsType: true),
    .init(name: "mistral3", needsType: true),
    .init(name: "granite", needsType: true),
    .init(name: "granitemoe", needsType: true),
    .init(name: "granite_swa", needsType: true),
    .init(name: "deci", needsType: true),
    .init(name: "apertus", needsType: true),
    .init(name: "step35", needsType: true),
  ]

  /// One that cannot be patched, but may be run.
  static func withoutFactors(_ name: String) -> GGUFArchitecture {
    GGUFArchitecture(name: name, needsType: true, takesFactors: false)
  }

  /// - Throws: `PatchError` naming the architectures that do.
  public static func named(_ name: String, subject: String) throws(PatchError) -> GGUFArchitecture {
    guard let found = all.first(where: { $0.name == name }) else {
      let names = all.map(\.name).joined(separator: ", ")
      throw .unsupported(
        subject,
        "llama.cpp's loader for architecture '\(name.sanitized)' refuses or ignores factor tensors; those that use them: \(names)"
      )
    }
    return found
  }
}
