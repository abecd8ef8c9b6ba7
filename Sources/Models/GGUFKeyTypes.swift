package import Formats

/// A key whose value has another type than the one that llama.cpp's loader accepts.
///
/// The loader converts nothing: it refuses a file in which one of the keys that it reads has another
/// type. Source: `GGUFMeta::GKV::get_kv` in llama-model-loader.cpp.
package struct MistypedKey: Sendable {
  package var key: GGUFKey
  /// The type that the loader accepts.
  package var expected: GGUFValueType

  /// `'llama.rope.freq_base' is FLOAT64, and llama.cpp accepts FLOAT32 only`.
  package var description: String {
    "'\(key.name.sanitized)' is \(key.value.type.name), and llama.cpp accepts \(expected.name) only"
  }

  /// The same key with the accepted type.
  /// - Throws: `ModelError` if the type cannot express the value.
  package func retyped(subject: String) throws(ModelError) -> GGUFKey {
    guard let value = key.value.converted(to: expected) else {
      throw .unsupported(subject, "the key \(description); its value cannot be stored as that")
    }
    return GGUFKey(key.name, value)
  }
}

extension GGUFModel {
  /// The keys for which llama.cpp refuses the file.
  package var mistypedKeys: [MistypedKey] {
    let expected = architecture.ggufKeyTypes(prefix: geometry.architecture)
    return first.header.keys.compactMap { key in
      guard let type = expected[key.name], key.value.type != type else { return nil }
      // Sizes may be arrays with one value per layer.
      if key.value.type == .array, type == .uint32 { return nil }
      return MistypedKey(key: key, expected: type)
    }
  }
}

extension Architecture {
  /// Other counts that the loader reads for every architecture, without the prefix.
  private static let otherCounts = [
    "vocab_size", "expert_count", "expert_used_count", "expert_group_count",
    "expert_group_used_count", "nextn_predict_layers", "pooling_type", "embedding_length_out",
    "rope.dimension_count_swa", "attention.key_length_swa", "attention.value_length_swa",
  ]

  /// The types that llama.cpp's loader accepts for the keys that it reads.
  fileprivate func ggufKeyTypes(prefix: String) -> [String: GGUFValueType] {
    var types = GGUFVocabularyKey.types
    for (name, type) in GGUFRopeName.types { types["\(prefix).\(name)"] = type }
    if gguf?.readsYarnTurns == true {
      for parameter in GGUFRopeName.yarn where parameter.isReadWithTurns {
        types["\(prefix).\(parameter.gguf)"] = .float32
      }
    }
    for row in Hyperparameter.common + hyperparameters {
      guard let name = row.gguf else { continue }
      types["\(prefix).\(name)"] = row.kind == .count ? .uint32 : .float32
    }
    if decoder?.hasTemperature == true {
      types["\(prefix).\(QueryTemperature.key)"] = .float32
    }
    for name in Self.otherCounts { types["\(prefix).\(name)"] = .uint32 }
    types["\(prefix).attention.causal"] = .bool
    types["\(prefix).rope.scaling.alpha"] = .float32
    return types
  }
}

/// The keys that describe the vocabulary.
package enum GGUFVocabularyKey {
  package static let prefix = "tokenizer.ggml."

  /// The types that llama.cpp's loader accepts.
  static let types: [String: GGUFValueType] = {
    var types: [String: GGUFValueType] = [
      "general.architecture": .string, "general.name": .string, "general.alignment": .uint32,
      "general.file_type": .uint32, prefix + "token_type_count": .uint32,
    ]
    for name in ["model", "pre"] { types[prefix + name] = .string }
    for name in ["tokens", "scores", "token_type", "merges"] { types[prefix + name] = .array }
    for name in [
      "bos", "eos", "eot", "eom", "unknown", "padding", "seperator", "mask",
      "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep",
    ] {
      types["\(prefix)\(name)_token_id"] = .uint32
    }
    for name in [
      "add_bos_token", "add_eos_token", "add_sep_token", "add_space_prefix",
      "remove_extra_whitespaces",
    ] {
      types[prefix + name] = .bool
    }
    return types
  }()
}

extension GGUFValue {
  /// The same value with another type, or nil if that type cannot express it.
  ///
  /// A real number is rounded to single precision.
  package func converted(to type: GGUFValueType) -> GGUFValue? {
    switch type {
    case .uint32:
      return number.flatMap { UInt32(exactly: $0) }.map { .uint32($0) }
    case .float32:
      guard let number = integer.map(Double.init) ?? double else { return nil }
      let single = Float(number)
      return single.isFinite == number.isFinite ? .float32(single) : nil
    case .bool:
      guard let integer, integer == 0 || integer == 1 else { return nil }
      return .bool(integer == 1)
    default: return nil
    }
  }
}
