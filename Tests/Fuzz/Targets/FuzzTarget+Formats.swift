import Formats

extension FuzzTarget {
  static func readGGUF(_ bytes: [UInt8]) throws(FuzzFinding) {
    _ = try? GGUFHeader(parsing: bytes.rawSpan)
    guard let header = try? GGUFHeader(parsing: bytes.rawSpan, requireData: false) else { return }
    for key in header.keys {
      try FuzzFinding.require(key.range.upperBound <= bytes.count, "a key ends in the file")
      guard case .array(let array) = key.value, case .inFile(let range) = array.elements else {
        continue
      }
      try FuzzFinding.require(
        range.lowerBound >= key.valueOffset && range.upperBound == key.range.upperBound,
        "an array lies in its key")
    }
    let encoded = header.encoded(arraysIn: bytes.rawSpan)
    try FuzzFinding.require(encoded.count == header.dataOffset, "a header keeps its size")
    guard let again = try? GGUFHeader(parsing: encoded.rawSpan, requireData: false) else {
      throw FuzzFinding("what is written can be read")
    }
    try FuzzFinding.require(
      again.encoded(arraysIn: encoded.rawSpan) == encoded, "what is read is written again")
  }

  static func readSafetensors(_ bytes: [UInt8]) throws(FuzzFinding) {
    guard let header = try? SafetensorsHeader(parsing: bytes.rawSpan) else { return }
    let covered = header.tensors.reduce(0) { $0 + $1.range.count }
    try FuzzFinding.require(header.dataOffset + covered == bytes.count, "tensors cover the data")
    let metadata = header.metadata?.map { ($0.name, $0.value.text ?? "") }
    guard let writer = try? SafetensorsWriter(metadata: metadata, tensors: header.tensors) else {
      throw FuzzFinding("what is read can be written")
    }
    let file = writer.header + [UInt8](repeating: 0, count: covered)
    guard let again = try? SafetensorsHeader(parsing: file.rawSpan) else {
      throw FuzzFinding("what is written can be read")
    }
    try FuzzFinding.require(again.metadata == header.metadata, "metadata stay")
    try FuzzFinding.require(
      described(again.tensors) == described(header.tensors), "tensors stay")
  }

  private static func described(_ tensors: [SafetensorsTensor]) -> [String] {
    tensors.map { "\(Array($0.name.utf8)) \($0.dtype.name) \($0.shape) \($0.range.count)" }.sorted()
  }

  static func readIndex(_ bytes: [UInt8]) {
    FuzzBench.shared.put(bytes, "sharded/\(SafetensorsFolder.indexName)")
    _ = try? SafetensorsFolder(path: FuzzBench.shared.path("sharded"))
  }

  // MARK: JSON

  static func readJSON(_ bytes: [UInt8]) throws(FuzzFinding) {
    guard let document = try? JSONDocument(parsing: bytes) else { return }
    let old = document.value
    try FuzzFinding.require(
      (try? JSONDocument(parsing: JSONStyle.compact.encode(old)).value) == old,
      "what is written can be read")
    var paths: [[String]] = []
    collectObjects(old, [], &paths)
    guard !paths.isEmpty else { return }
    let choice = bytes.reduce(UInt(7)) { ($0 &* 31) &+ UInt($1) }
    let parent = paths[Int(choice % UInt(paths.count))]
    try editJSON(document, in: parent, choice / 64)
  }

  private static func collectObjects(_ value: JSONValue, _ path: [String], _ all: inout [[String]])
  {
    guard let members = value.members, all.count < 64 else { return }
    all.append(path)
    for member in members { collectObjects(member.value, path + [member.name], &all) }
  }

  /// Sets and removes members of one object, each of which must change just that.
  private static func editJSON(
    _ document: JSONDocument, in parent: [String], _ choice: UInt
  ) throws(FuzzFinding) {
    let names = member(parent, of: document.value)?.members?.map(\.name) ?? []
    let new = JSONValue.object(["x": .array([.number(1), .string("\u{1}\"\\é")]), "": .null])
    var targets = ["a new member"]
    if !names.isEmpty { targets.append(names[Int(choice % UInt(names.count))]) }
    for name in targets {
      var edited = document
      guard (try? edited.set(parent + [name], to: new)) != nil else {
        throw FuzzFinding("a member can be set")
      }
      try requireConsistent(edited)
      try FuzzFinding.require(member(parent + [name], of: edited.value) == new, "the member is set")
      guard (try? edited.remove(parent + [name])) != nil else {
        throw FuzzFinding("a member can be removed")
      }
      try requireConsistent(edited)
      let left = member(parent, of: edited.value)?.members?.map { Array($0.name.utf8) }
      let kept = names.filter { $0 != name }.map { Array($0.utf8) }
      try FuzzFinding.require(left == kept, "nothing else is removed")
    }
  }

  private static func requireConsistent(_ document: JSONDocument) throws(FuzzFinding) {
    try FuzzFinding.require(
      (try? JSONDocument(parsing: document.bytes).value) == document.value,
      "an edited text says what the document says")
  }

  private static func member(_ path: [String], of value: JSONValue) -> JSONValue? {
    path.reduce(value) { $0?[$1] }
  }
}
