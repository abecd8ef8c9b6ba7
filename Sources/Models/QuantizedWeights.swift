import Formats

/// How a folder's weights are quantised outside GGUF, as `quantization_config` says.
enum WeightQuantization: Sendable {
  /// Bytes with scales in `weight_scale` or `weight_scale_inv`: fp8, FBGEMM and ModelOpt.
  case scaled(block: [Int]?)
  /// compressed-tensors: bytes as in `scaled`, or packed integers of some bits.
  case compressed(bits: Int?, block: [Int]?)
  /// GPTQ. The stored zero points lack `zeroOffset`.
  case gptq(bits: Int, zeroOffset: Float)
  /// AWQ's layout for matrix products, with 4 bits.
  case awq
}

extension ModelFolder {
  /// How the weights are quantised, or nil if they are not.
  /// - Throws: `ModelError` that names a way that is not unpacked and says what to do.
  func weightQuantization() throws(ModelError) -> WeightQuantization? {
    let members = [config.value["quantization_config"], textConfig["quantization_config"]]
    guard let own = members.compactMap(\.self).first(where: { !$0.isNull }) else {
      // MLX-LM writes its member without a method.
      if config.value["quantization"]?["group_size"] != nil {
        throw unpackable("MLX", Self.mlxRemedy)
      }
      return nil
    }
    switch own["quant_method"]?.text {
    case "fp8", "fbgemm_fp8": return .scaled(block: try blockSize(own["weight_block_size"]))
    case "modelopt" where own["quant_algo"]?.text == "FP8": return .scaled(block: nil)
    case "compressed-tensors": return try compressed(own)
    case "gptq": return try gptq(own)
    case "awq": return try awq(own)
    case "bitsandbytes":
      let bits = own["load_in_4bit"]?.flag == true ? " (4 bits)" : ""
      throw unpackable(
        "bitsandbytes\(bits)",
        "use the unquantised model, or load it with transformers, call dequantize(), and save it")
    case "mlx": throw unpackable("MLX", Self.mlxRemedy)
    case let method:
      throw unpackable(method ?? own["quant_algo"]?.text ?? "an unnamed method")
    }
  }

  /// A note on what is lost when quantised weights are unpacked, or nil if they are not quantised.
  package func quantizationRemark() throws(ModelError) -> String? {
    guard let quantization = try weightQuantization() else { return nil }
    let name =
      switch quantization {
      case .scaled: "8-bit floats"
      case .compressed(nil, _): "compressed-tensors"
      case .compressed(let bits?, _): "compressed-tensors (\(bits) bits)"
      case .gptq(let bits, _): "GPTQ (\(bits) bits)"
      case .awq: "AWQ (4 bits)"
      }
    return
      "the weights are unpacked from \(name); activations and cache are not rounded, as runtimes with 8-bit products round them"
  }

  private func unpackable(
    _ name: String, _ remedy: String = "use the unquantised model"
  ) -> ModelError {
    .unsupported(
      "\(path)/\(Self.configName)",
      "the weights are quantised by \(name.sanitized), which is not unpacked; \(remedy). Patching changes only configs and works as they are"
    )
  }

  private static let mlxRemedy =
    "use the unquantised model, or convert it with mlx_lm.convert --dequantize"

  // MARK: The methods

  private func compressed(_ own: JSONValue) throws(ModelError) -> WeightQuantization {
    let name = "compressed-tensors"
    if let status = own["quantization_status"]?.text, status != "compressed" {
      throw unpackable("\(name) with the status '\(status)'")
    }
    if let format = own["sparsity_config"]?["format"]?.text, format != "dense" {
      throw unpackable("\(name) with the sparsity '\(format)'")
    }
    if let members = own["transform_config"]?["config_groups"]?.members, !members.isEmpty {
      throw unpackable("\(name) with transforms of the weights")
    }
    var (bits, blocks): (Set<Int>, Set<[Int]>) = ([], [])
    for group in own["config_groups"]?.members ?? [] {
      let format = group.value["format"]?.text ?? own["format"]?.text ?? "none"
      let weights = group.value["weights"] ?? .null
      switch format {
      case "dense": break
      case "float-quantized", "int-quantized", "naive-quantized":
        if let block = try blockSize(weights["block_structure"]) { blocks.insert(block) }
      case "pack-quantized":
        guard let count = weights["num_bits"]?.integer, (1...8).contains(count) else {
          throw unpackable("\(name) without a number of bits from 1 to 8")
        }
        bits.insert(count)
      default: throw unpackable("\(name) in the format '\(format)'")
      }
    }
    guard bits.count < 2, blocks.count < 2 else {
      throw unpackable("\(name) with several numbers of bits or block sizes")
    }
    return .compressed(bits: bits.first, block: blocks.first)
  }

  private func gptq(_ own: JSONValue) throws(ModelError) -> WeightQuantization {
    guard let bits = own["bits"]?.integer, [2, 3, 4, 8].contains(bits) else {
      throw unpackable("GPTQ without a number of bits of 2, 3, 4 or 8")
    }
    switch own["checkpoint_format"]?.text ?? "gptq" {
    case "gptq": return .gptq(bits: bits, zeroOffset: 1)
    case "gptq_v2": return .gptq(bits: bits, zeroOffset: 0)
    case let format: throw unpackable("GPTQ in the format '\(format)'")
    }
  }

  private func awq(_ own: JSONValue) throws(ModelError) -> WeightQuantization {
    let version = (own["version"]?.text ?? own["format"]?.text ?? "gemm").lowercased()
    guard version == "gemm", own["bits"]?.integer ?? own["w_bit"]?.integer ?? 4 == 4 else {
      throw unpackable("AWQ in another layout than 'gemm' with 4 bits")
    }
    return .awq
  }

  /// A block size: two whole numbers, or nil for null.
  private func blockSize(_ value: JSONValue?) throws(ModelError) -> [Int]? {
    guard let value, !value.isNull else { return nil }
    let sizes = value.elements?.compactMap(\.integer) ?? []
    guard sizes.count == 2, sizes.allSatisfy({ $0 > 0 }) else {
      throw unpackable("blocks of an unknown shape")
    }
    return sizes
  }

  /// The type of the numbers in the config, if it has 16 or 32 bits.
  var storedType: ElementType? {
    switch (textConfig["dtype"] ?? textConfig["torch_dtype"] ?? config.value["dtype"]
      ?? config.value["torch_dtype"])?.text
    {
    case "float32": .f32
    case "float16": .f16
    case "bfloat16": .bf16
    default: nil
    }
  }
}
