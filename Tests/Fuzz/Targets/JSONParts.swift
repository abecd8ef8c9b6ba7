import Formats
import TestSupport

/// Changes JSON texts value by value, with parts of texts that were changed before.
struct JSONParts {
  private static let most = 512
  private var values: [JSONValue] = []
  private var names: [String] = []

  /// Nil for a text that is not JSON.
  mutating func mutated(
    _ bytes: [UInt8], _ random: inout Seeded, _ plain: FuzzMutator.Plain
  ) -> [UInt8]? {
    guard let value = try? JSONDocument(parsing: bytes).value else { return nil }
    let style = random.chance(3) ? JSONStyle.standard : .compact
    return style.encode(mutated(value, &random, plain))
  }

  /// A value with one to four changes.
  mutating func mutated(
    _ value: JSONValue, _ random: inout Seeded, _ plain: FuzzMutator.Plain
  ) -> JSONValue {
    var result = value
    for _ in 0...random.below(4) {
      var place = random.below(Self.count(result))
      result = changed(result, &place, &random, plain)
    }
    return result
  }

  /// The number of values in a value.
  private static func count(_ value: JSONValue) -> Int {
    switch value {
    case .array(let elements): elements.reduce(1) { $0 + count($1) }
    case .object(let members): members.reduce(1) { $0 + count($1.value) }
    default: 1
    }
  }

  /// Changes the value with the number `place`, counted from the outermost, and makes the number
  /// negative.
  private mutating func changed(
    _ value: JSONValue, _ place: inout Int, _ random: inout Seeded, _ plain: FuzzMutator.Plain
  ) -> JSONValue {
    let isHere = place == 0
    place -= 1
    if isHere { return other(value, &random, plain) }
    switch value {
    case .array(var elements):
      for index in elements.indices where place >= 0 {
        elements[index] = changed(elements[index], &place, &random, plain)
      }
      return .array(elements)
    case .object(var members):
      for index in members.indices where place >= 0 {
        keep(members[index], &random)
        members[index].value = changed(members[index].value, &place, &random, plain)
      }
      return .object(members)
    default: return value
    }
  }

  private mutating func keep(_ member: JSONMember, _ random: inout Seeded) {
    guard random.chance(8) else { return }
    if values.count < Self.most {
      values.append(member.value)
      names.append(member.name)
    } else {
      let place = random.below(Self.most)
      (values[place], names[place]) = (member.value, member.name)
    }
  }

  private func other(
    _ value: JSONValue, _ random: inout Seeded, _ plain: FuzzMutator.Plain
  ) -> JSONValue {
    switch (value, random.below(4)) {
    case (.object(var members), 0...2):
      change(&members, &random)
      return .object(members)
    case (.array(var elements), 0...2):
      change(&elements, &random)
      return .array(elements)
    case (.string(let text), 0...2):
      let bytes = plain(Array(text.utf8), text.utf8.count + 16)
      return .string(String(decoding: bytes, as: UTF8.self))
    case (.number(let text), 0):
      return .number((Int(text) ?? 0) &+ (random.below(5) - 2))
    case (.number, 1...2): return .number(Edges.numbers[random.below(Edges.numbers.count)])
    default: return scalar(&random)
    }
  }

  private func scalar(_ random: inout Seeded) -> JSONValue {
    if !values.isEmpty, random.chance(2) { return values[random.below(values.count)] }
    return switch random.below(8) {
    case 0: .null
    case 1: .bool(random.chance(2))
    case 2: .string("")
    case 3: .array([])
    case 4: .object([])
    default: .number(Edges.numbers[random.below(Edges.numbers.count)])
    }
  }

  private func change(_ members: inout [JSONMember], _ random: inout Seeded) {
    let place = random.below(members.count)
    switch random.below(4) {
    case 0 where !members.isEmpty: members.remove(at: place)
    case 1 where members.count > 1: members.swapAt(place, random.below(members.count))
    case 2 where !members.isEmpty: members[place].value = scalar(&random)
    default:
      let name = names.isEmpty ? "x" : names[random.below(names.count)]
      guard !members.contains(where: { $0.name == name }) else { return }
      members.insert(JSONMember(name, scalar(&random)), at: random.below(members.count + 1))
    }
  }

  private func change(_ elements: inout [JSONValue], _ random: inout Seeded) {
    let place = random.below(elements.count)
    switch random.below(4) {
    case 0 where !elements.isEmpty: elements.remove(at: place)
    case 1 where elements.count > 1: elements.swapAt(place, random.below(elements.count))
    case 2 where !elements.isEmpty:
      let repeated = Array(repeating: elements[place], count: 1 + random.below(8))
      elements.insert(contentsOf: repeated, at: place)
    default: elements.insert(scalar(&random), at: random.below(elements.count + 1))
    }
  }
}
