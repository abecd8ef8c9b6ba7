import Formats

/// Small model folders of every family, with only a config.
///
/// No value is a default, so that a lost key shows.
package enum ModelBuilder {
  package static let families = [
    "llama", "mistral", "phi3", "phi3-partial", "phimoe", "minicpm", "minicpm3", "qwen2", "qwen3",
    "granite",
    "granitemoe", "apertus", "phi3small", "ministral", "phi4_multimodal",
  ]

  /// The rotary dimensions of each family here: 32, or 24 with partial rotary, or 16 in minicpm3's
  /// latent attention.
  package static func rotaryDimensions(_ family: String) -> Int {
    switch family {
    case "phi3-partial": 24
    case "minicpm3": 16
    default: 32
    }
  }

  /// - Parameter isV5: whether theta is only in `rope_parameters`.
  package static func config(_ family: String, isV5: Bool) -> String {
    let type = family == "phi3-partial" ? "phi3" : family
    var members = [
      "\"model_type\": \"\(type)\"", "\"hidden_size\": 128", "\"num_attention_heads\": 4",
      "\"num_hidden_layers\": 2", "\"max_position_embeddings\": 256", "\"vocab_size\": 100",
    ]
    var rope = ["\"rope_type\": \"default\"", "\"rope_theta\": 20000.0"]
    let partial = "\"partial_rotary_factor\": 0.75"
    switch family {
    case "phi3small":
      members.append("\"rope_embedding_base\": 20000.0")
      rope.removeLast()
    case "granite":
      members += [
        "\"logits_scaling\": 2.0", "\"attention_multiplier\": 0.5", "\"embedding_multiplier\": 3.0",
        "\"residual_multiplier\": 0.25", "\"attention_bias\": false", "\"mlp_bias\": false",
      ]
    case "qwen3": members.append("\"tie_word_embeddings\": false")
    case "minicpm3": members.append("\"qk_rope_head_dim\": 16")
    case "phi3-partial":
      rope.append(partial)
      if !isV5 { members.append(partial) }
    default: break
    }
    if isV5 {
      members.append("\"rope_parameters\": {\(rope.joined(separator: ", "))}")
    } else if family != "phi3small" {
      members.append("\"rope_theta\": 20000.0")
    }
    return "{\n  \(members.joined(separator: ",\n  "))\n}\n"
  }

  /// A canonical factors file for these models, from 256 to 1024 tokens.
  package static func factors(pairs: Int, mscale: String = "\"su\"", extra: String = "") -> String {
    let long = (0..<pairs).map { String(1 + Double($0) * 0.25) }.joined(separator: ", ")
    let short = (0..<pairs).map { String(1 + Double($0) * 0.01) }.joined(separator: ", ")
    return """
      {"schema": "lrpatch.factors/1", "original_max_position_embeddings": 256,
       "max_position_embeddings": 1024, "long_factor": [\(long)], "short_factor": [\(short)],
       "mscale": \(mscale)\(extra)}
      """
  }
}
