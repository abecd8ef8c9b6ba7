package import Formats
package import Models

/// LongRoPE in a GGUF file: the keys and tensors that make llama.cpp use a set of factors.
///
/// `apply` and `convert` both write them.
package struct GGUFLongRoPE: Sendable {
  package let keys: [GGUFKey]
  /// One-dimensional tensors of 32-bit floats: (pairs).
  package let tables: [(name: String, values: [Float])]

  /// The type is written only where llama.cpp's loader needs it for the tables: ik_llama.cpp aborts
  /// on it, and runs a Phi-3 without it.
  package init(_ factors: ModelFactors, _ gguf: Architecture.GGUF) {
    func key(_ name: String, _ value: GGUFValue) -> GGUFKey {
      GGUFKey("\(gguf.name).\(name)", value)
    }
    keys =
      [key(GGUFRopeName.window, .uint32(UInt32(factors.window)))]
      + (gguf.needsType ? [key(GGUFRopeName.type, .string("longrope"))] : [])
      + [
        key(GGUFRopeName.originalWindow, .uint32(UInt32(factors.originalWindow))),
        key(GGUFRopeName.attentionFactor, .float32(Float(factors.longMscale))),
      ]
    tables = [
      (GGUFModel.longName, factors.long.map { Float($0) }),
      (GGUFModel.shortName, factors.short.map { Float($0) }),
    ]
  }

  /// Keys that would scale the frequencies a second time or turn RoPE off.
  package static func staleKeys(in model: GGUFModel) -> Set<String> {
    let prefix = model.geometry.architecture
    let names = [GGUFRopeName.factor, GGUFRopeName.legacyFactor] + GGUFRopeName.yarn.map(\.gguf)
    var keys = Set(names.map { "\(prefix).\($0)" })
    if model.architecture.gguf?.needsType == false { keys.insert("\(prefix).\(GGUFRopeName.type)") }
    let finetuned = "\(prefix).\(GGUFRopeName.finetuned)"
    if model.first.header[key: finetuned] == .bool(false) { keys.insert(finetuned) }
    return keys
  }

  /// Refuses attention scales that differ by length, because llama.cpp has only one.
  /// - Throws: `ModelError` of kind `unsafe`.
  package static func requireOneMscale(
    _ factors: ModelFactors, _ path: String
  ) throws(ModelError) {
    guard factors.mscalesDiffer else { return }
    throw .unsafe(
      path,
      "mscale is \(factors.longMscale) for long and \(factors.shortMscale) for short inputs, but llama.cpp has one for both; --allow-divergent writes the long one"
    )
  }
}
