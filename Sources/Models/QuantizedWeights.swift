import Formats

/// The ways in which a folder's weights are quantised outside GGUF.
extension ModelFolder {
  /// Refuses weights that are quantised in a way that is not unpacked.
  /// - Throws: `ModelError` that names the way and says what to do.
  package func refuseQuantizedWeights() throws(ModelError) {
    guard let (name, remedy) = quantization else { return }
    throw .unsupported(
      "\(path)/\(Self.configName)",
      "the weights are quantised by \(name.sanitized), which is not unpacked; \(remedy). Patching changes only configs and works as they are"
    )
  }

  /// What the weights are quantised by, and the remedy; nil if they are not.
  private var quantization: (name: String, remedy: String)? {
    let text = textConfig
    if let own = [config.value["quantization_config"], text["quantization_config"]]
      .compactMap(\.self).first(where: { !$0.isNull })
    {
      let bits = own["load_in_4bit"]?.flag == true ? " (4 bits)" : ""
      switch own["quant_method"]?.text {
      case "bitsandbytes":
        return (
          "bitsandbytes\(bits)",
          "use the unquantised model, or load it with transformers, call dequantize(), and save it"
        )
      case "mlx": return ("MLX", Self.mlxRemedy)
      case let method:
        return (
          method ?? own["quant_algo"]?.text ?? "an unnamed method", "use the unquantised model"
        )
      }
    }
    // MLX-LM writes the member without a method.
    if config.value["quantization"]?["group_size"] != nil { return ("MLX", Self.mlxRemedy) }
    return nil
  }

  private static let mlxRemedy =
    "use the unquantised model, or convert it with mlx_lm.convert --dequantize"
}
