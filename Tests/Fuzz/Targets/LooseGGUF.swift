import Formats
import TestSupport

/// A GGUF file with a valid header, taken apart so that its parts can be changed.
struct LooseGGUF {
  private struct Key {
    var name: [UInt8]
    var type: UInt32
    var value: [UInt8]
  }

  private struct Tensor {
    var name: [UInt8]
    var shape: [UInt64]
    var type: UInt32
    var byteCount: Int
  }

  private var version: UInt32
  private var keys: [Key]
  private var tensors: [Tensor]
  private var data: [UInt8]
  private var alignment: Int

  /// Names that readers look for.
  private static let names = [
    "general.architecture", "general.alignment", "general.type", "split.no", "split.count",
    "split.tensors.count", "llama.context_length", "llama.embedding_length", "llama.block_count",
    "llama.attention.head_count", "llama.attention.head_count_kv", "llama.rope.dimension_count",
    "llama.rope.freq_base", "llama.rope.scaling.type", "llama.rope.scaling.factor",
    "llama.rope.scaling.original_context_length", "llama.rope.scaling.attn_factor",
    "llama.attention.sliding_window", "llama.attention.key_length", "tokenizer.ggml.model",
    "tokenizer.ggml.pre", "tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.scores",
    "tokenizer.ggml.token_type", "tokenizer.ggml.bos_token_id", "tokenizer.chat_template",
    "lrpatch.undo", "lrpatch.padding", "lrpatch.version", "lrpatch.factors_sha256",
  ].map { Array($0.utf8) }

  private static let texts = [
    "llama", "phi3", "minicpm", "longrope", "yarn", "linear", "none", "model", "gpt2", "default",
    "llama-bpe", "adapter", "", "a",
  ]

  private static let tensorNames = [
    "rope_factors_long.weight", "rope_factors_short.weight", "rope_freqs.weight",
    "token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight", "output_norm.weight",
  ].map { Array($0.utf8) }

  /// Nil for a header that cannot be parsed.
  init?(_ bytes: [UInt8]) {
    guard let header = try? GGUFHeader(parsing: bytes.rawSpan, requireData: false) else {
      return nil
    }
    version = header.version
    alignment = header.alignment
    keys = header.keys.map { key in
      Key(
        name: Array(key.name.utf8), type: key.value.type.rawValue,
        value: Array(bytes[key.valueOffset..<key.range.upperBound]))
    }
    tensors = header.tensors.map { tensor in
      Tensor(
        name: Array(tensor.name.utf8), shape: tensor.shape.map { UInt64($0) },
        type: tensor.type.ggmlNumber ?? 0, byteCount: tensor.byteCount)
    }
    data = Array(bytes[min(bytes.count, header.dataOffset)...])
  }

  func mutated(_ random: inout Seeded, _ plain: FuzzMutator.Plain) -> [UInt8] {
    var file = self
    for _ in 0...random.below(4) { file.change(&random, plain) }
    var fields: [(offset: Int, width: Int)] = []
    var bytes = file.encoded(&fields)
    if random.chance(2), let field = fields.randomElement(using: &random) {
      let old = (0..<field.width).reduce(UInt64(0)) {
        $0 | UInt64(bytes[field.offset + $1]) << ($1 * 8)
      }
      let edge = Edges.integers.randomElement(using: &random) ?? 0
      let new = random.chance(2) ? edge : old &+ UInt64(random.below(65)) &- 32
      bytes.replaceSubrange(
        field.offset..<field.offset + field.width, with: GGUFBuilder.little(new).prefix(field.width)
      )
    }
    return bytes
  }

  // MARK: Changes

  private mutating func change(_ random: inout Seeded, _ plain: FuzzMutator.Plain) {
    let key = random.below(keys.count)
    let tensor = random.below(tensors.count)
    switch random.below(14) {
    case 0 where !keys.isEmpty: keys.remove(at: key)
    case 1 where !keys.isEmpty: keys.swapAt(key, random.below(keys.count))
    case 2 where !keys.isEmpty: keys[key].name = plain(keys[key].name, 80)
    case 3 where !keys.isEmpty:
      keys[key].name = Self.names.randomElement(using: &random) ?? keys[key].name
    case 4...5 where !keys.isEmpty: (keys[key].type, keys[key].value) = value(&random, plain)
    case 6 where !keys.isEmpty: keys[key].value = plain(keys[key].value, keys[key].value.count + 16)
    case 7 where !tensors.isEmpty: tensors.remove(at: tensor)
    case 8 where !tensors.isEmpty: tensors[tensor].shape = shape(&random)
    case 9 where !tensors.isEmpty: tensors[tensor].type = UInt32(random.below(42))
    case 10 where !tensors.isEmpty:
      tensors[tensor].name = Self.tensorNames.randomElement(using: &random) ?? []
    case 11:
      let name =
        random.chance(2) ? Self.tensorNames.randomElement(using: &random) ?? [] : plain([97], 70)
      tensors.insert(
        Tensor(name: name, shape: shape(&random), type: 0, byteCount: 0),
        at: random.below(tensors.count + 1))
    case 12: data = plain(data, data.count + 64)
    default:
      let (type, value) = value(&random, plain)
      let name = Self.names.randomElement(using: &random) ?? []
      keys.insert(Key(name: name, type: type, value: value), at: random.below(keys.count + 1))
    }
  }

  private func shape(_ random: inout Seeded) -> [UInt64] {
    (0..<random.below(6)).map { _ in
      random.chance(4)
        ? Edges.integers.randomElement(using: &random) ?? 0
        : [1, 2, 16, 32, 48, 128, 256].randomElement(using: &random) ?? 1
    }
  }

  /// A type and an encoded value.
  private func value(_ random: inout Seeded, _ plain: FuzzMutator.Plain) -> (UInt32, [UInt8]) {
    let type = UInt32(random.below(13))
    return (type, element(of: type, &random, plain, depth: 0))
  }

  private func element(
    of type: UInt32, _ random: inout Seeded, _ plain: FuzzMutator.Plain, depth: Int
  ) -> [UInt8] {
    switch type {
    case 8:
      let text = Array((Self.texts.randomElement(using: &random) ?? "").utf8)
      return GGUFBuilder.little(UInt64(text.count)) + text
    case 9:
      let inner = depth < 6 ? UInt32(random.below(13)) : 4
      let count = random.below(5)
      let elements = (0..<count).flatMap { _ in element(of: inner, &random, plain, depth: depth + 1)
      }
      return GGUFBuilder.little(inner) + GGUFBuilder.little(UInt64(count)) + elements
    default:
      let width = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8][Int(type)]
      let edge = Edges.integers.randomElement(using: &random) ?? 0
      return Array(GGUFBuilder.little(random.chance(8) ? random.next() : edge).prefix(width))
    }
  }

  // MARK: Encoding

  /// The bytes of the file, and the places of its counts, lengths, types and offsets.
  private func encoded(_ fields: inout [(offset: Int, width: Int)]) -> [UInt8] {
    var bytes = GGUFHeader.magic
    func field<T: FixedWidthInteger>(_ value: T, _ fields: inout [(offset: Int, width: Int)]) {
      fields.append((bytes.count, T.bitWidth / 8))
      bytes += GGUFBuilder.little(value)
    }
    field(version, &fields)
    field(UInt64(tensors.count), &fields)
    field(UInt64(keys.count), &fields)
    for key in keys {
      field(UInt64(key.name.count), &fields)
      bytes += key.name
      field(key.type, &fields)
      // The length of a string; the type and the count of an array.
      if key.type == 8, key.value.count >= 8 { fields.append((bytes.count, 8)) }
      if key.type == 9, key.value.count >= 12 {
        fields += [(bytes.count, 4), (bytes.count + 4, 8)]
      }
      bytes += key.value
    }
    var offset = 0
    for tensor in tensors {
      field(UInt64(tensor.name.count), &fields)
      bytes += tensor.name
      field(UInt32(tensor.shape.count), &fields)
      for extent in tensor.shape { field(extent, &fields) }
      field(tensor.type, &fields)
      field(UInt64(offset), &fields)
      offset += Self.byteCount(tensor).roundedUp(to: alignment)
    }
    bytes += [UInt8](repeating: 0, count: bytes.count.roundedUp(to: alignment) - bytes.count)
    return bytes + data.prefix(offset)
      + [UInt8](repeating: 0, count: max(0, min(offset, 1 << 14) - data.count))
  }

  /// The size of a small tensor, else 0.
  private static func byteCount(_ tensor: Tensor) -> Int {
    guard let block = (try? ElementType(ggmlNumber: tensor.type))?.block else { return 0 }
    var elements = 1
    for extent in tensor.shape {
      guard extent <= 1 << 12, elements <= 1 << 16 else { return 0 }
      elements *= Int(extent)
    }
    return elements / block.elements * block.bytes
  }
}
