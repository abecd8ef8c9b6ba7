import Formats
import TestSupport

/// A safetensors file whose header is JSON, valid or not.
struct LooseSafetensors {
  private var header: JSONValue
  private var data: [UInt8]

  /// Nil for other bytes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 8 else { return nil }
    let length = bytes.rawSpan.load(UInt64.self, at: 0)
    guard length <= UInt64(bytes.count - 8),
      let document = try? JSONDocument(parsing: Array(bytes[8..<(8 + Int(length))]))
    else { return nil }
    header = document.value
    data = Array(bytes[(8 + Int(length))...])
  }

  func mutated(
    _ parts: inout JSONParts, _ random: inout Seeded, _ plain: FuzzMutator.Plain
  ) -> [UInt8] {
    var file = self
    file.header = parts.mutated(header, &random, plain)
    if !random.chance(4) { file.placeTensors(&random) }
    var text = (random.chance(4) ? JSONStyle.standard : .compact).encode(file.header)
    if random.chance(8) { text = plain(text, text.count + 32) }
    var length = UInt64(text.count)
    if random.chance(8) {
      length = random.chance(2) ? length &+ 1 : Edges.integers.randomElement(using: &random) ?? 0
    }
    if random.chance(8) { file.data = plain(file.data, file.data.count + 8) }
    return GGUFBuilder.little(length) + text + file.data
  }

  /// Gives every tensor the range that its type and shape need, and the data their size.
  private mutating func placeTensors(_ random: inout Seeded) {
    guard var members = header.members else { return }
    var end = 0
    for index in members.indices where members[index].name != "__metadata__" {
      guard var fields = members[index].value.members,
        let type = members[index].value["dtype"]?.text,
        let block = ElementType(safetensors: type).block,
        let size = Self.byteCount(members[index].value["shape"], block)
      else { continue }
      let range = JSONValue.array([.number(end), .number(end + size)])
      if let place = fields.firstIndex(where: { $0.name == "data_offsets" }) {
        fields[place].value = range
      } else {
        fields.append(JSONMember("data_offsets", range))
      }
      members[index].value = .object(fields)
      end += size
    }
    header = .object(members)
    data = Array((data + [UInt8](repeating: 0, count: max(0, end - data.count))).prefix(end))
  }

  /// The size of a small tensor, or nil.
  private static func byteCount(_ shape: JSONValue?, _ block: ElementType.Block) -> Int? {
    guard let extents = shape?.elements?.compactMap(\.integer) else { return nil }
    var total = block.bytes
    for extent in extents {
      guard (0...4096).contains(extent), total <= 1 << 20 else { return nil }
      total *= extent
    }
    return total <= 1 << 16 ? total / block.elements : nil
  }
}
