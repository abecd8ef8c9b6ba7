import Formats

extension GGUFFile {
  /// The names, without a prefix, of sizes that llama.cpp also reads as one value per layer.
  private static let listed = [
    "feed_forward_length", "attention.head_count", "attention.head_count_kv",
  ]

  /// The header with a single number for each list that has the same number for every layer.
  ///
  /// Other lists stay, and whoever asks for the size gets an error.
  var uniformHeader: GGUFHeader {
    var header = header
    guard let prefix = header[key: "general.architecture"]?.text,
      let layers = header[key: "\(prefix).block_count"]?.integer
    else { return header }
    for name in Self.listed {
      let key = "\(prefix).\(name)"
      guard let values = integers(key), values.count == layers, let first = values.first,
        values.allSatisfy({ $0 == first }), let number = UInt32(exactly: first),
        let index = header.keys.firstIndex(where: { $0.name == key })
      else { continue }
      header.keys[index].value = .uint32(number)
    }
    return header
  }
}
