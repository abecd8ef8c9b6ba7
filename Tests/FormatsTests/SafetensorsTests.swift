import Formats
import TestSupport
import Testing

@Suite("safetensors") struct SafetensorsTests {
  private func parse(_ bytes: [UInt8]) throws -> SafetensorsHeader {
    try SafetensorsHeader(parsing: bytes.rawSpan)
  }

  private func reason(_ bytes: [UInt8]) -> FormatError.Reason? {
    do {
      _ = try parse(bytes)
      return nil
    } catch let error as FormatError {
      #expect(!"\(error)".isEmpty)
      return error.reason
    } catch {
      return nil
    }
  }

  private static let pair =
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}"#

  @Test func readsTensorsInTheOrderOfTheHeader() throws {
    let header = try parse(SafetensorsBuilder.file(Self.pair, data: 11))
    #expect(header.tensors.map(\.name) == ["a", "b"])
    #expect(header.tensors.map(\.range) == [0..<8, 8..<11])
    #expect(header.metadata == nil)
  }

  /// Files that the reference reader accepts.
  @Test(arguments: [
    ("{}", 0), ("{}     ", 0), (#"{"__metadata__":{}}"#, 0), (#"{"__metadata__":{"a":"b"}}"#, 0),
    (#"{"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, 4),
    (#"{"z":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]}}"#, 0),
    (
      #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      5
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}}"#, 4),
    (#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#, 1),
    (#"{"a":{"dtype":"NEW9","shape":[2],"data_offsets":[0,5]}}"#, 5),
  ])
  func accepts(_ header: String, _ data: Int) {
    #expect(reason(SafetensorsBuilder.file(header, data: data)) == nil)
  }

  @Test func refusesWhatTheReferenceRefusesAndItsTwoGaps() {
    func one(_ fields: String) -> String { "{\"a\":{\(fields)}}" }
    let file = SafetensorsBuilder.file
    #expect(reason([1, 2]) == .truncated(needed: 8, available: 2))
    #expect(reason(file("{}", 0, .max)) == .tooLarge(.max, limit: 100_000_000))
    #expect(reason(file("{}", 0, 100)) == .truncated(needed: 100, available: 2))
    #expect(reason(file(" {}", 0, nil)) == .headerNotAnObject(found: 0x20))
    #expect(reason(file("", 0, nil)) == .headerNotAnObject(found: 0))
    #expect(reason(file("{}\0", 0, nil))?.isInvalidJSON == true)
    #expect(reason(file("{}x", 0, nil))?.isInvalidJSON == true)
    #expect(
      reason(
        file(
          #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
          0, nil)) == .duplicateKey)
    #expect(reason(file(#"{"__metadata__":{"a":"1","a":"1"}}"#, 0, nil)) == .duplicateKey)
    #expect(
      reason(file(#"{"__metadata__":{"a":1}}"#, 0, nil))
        == .wrongType(expected: "a string", found: "a number"))
    #expect(
      reason(file(one(#""dtype":"F32","shape":[1],"data_offsets":[4,8]"#), 8, nil))
        == .hole(from: 0, to: 4))
    #expect(
      reason(
        file(
          #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
          3, nil))
        == .hole(from: 1, to: 2))
    #expect(
      reason(
        file(
          #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
          3, nil))
        == .overlap(with: "a"))
    let header = one(#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#)
    let start = UInt64(8 + header.utf8.count)
    #expect(reason(file(header, 5, nil)) == .uncovered(end: start + 4, fileSize: start + 5))
    #expect(reason(file(header, 3, nil)) == .uncovered(end: start + 4, fileSize: start + 3))
    #expect(
      reason(file(one(#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#), 4, nil))
        == .shapeDoesNotFit(declared: 8, spanned: 4))
    #expect(
      reason(file(one(#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#), 4, nil))?
        .isInvalidDescription == true)
    #expect(
      reason(file(one(#""dtype":"F32","shape":[-0],"data_offsets":[0,0]"#), 0, nil))?
        .isInvalidDescription == true)
    #expect(
      reason(
        file(one(#""dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]"#), 4, nil))
        == .sizeOverflow
    )
    #expect(
      reason(file(one(#""dtype":"F4","shape":[3],"data_offsets":[0,2]"#), 2, nil))
        == .subByteRemainder)
    #expect(
      reason(file(one(#""dtype":7,"shape":[1],"data_offsets":[0,4]"#), 4, nil))?
        .isInvalidDescription == true)
    #expect(
      reason(file(one(#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#), 4, nil))?
        .isInvalidDescription == true)
    #expect(reason(file(one(#""dtype":"F32","shape":[1]"#), 4, nil))?.isInvalidDescription == true)
  }

  @Test func writesTheBytesOfTheReferenceWriter() throws {
    for name in try writtenByTheReference() {
      let bytes = try Fixture.bytes(name)
      let header = try parse(bytes)
      let writer = try SafetensorsWriter(
        metadata: header.metadata?.map { ($0.name, $0.value.text ?? "") },
        tensors: header.tensors.shuffled())
      #expect(writer.header == Array(bytes[..<header.dataOffset]), "\(name)")
      #expect(writer.tensors.map(\.range) == header.tensors.map(\.range), "\(name)")
    }
  }

  private func writtenByTheReference() throws -> [String] {
    let names = try FileSystem.names(in: Fixture.path("safetensors"))
    // The library cannot write types smaller than a byte, so one file is made by hand.
    let files = names.filter { $0.hasSuffix(".safetensors") && $0 != "six-bit.safetensors" }.map {
      "safetensors/\($0)"
    }
    #expect(!files.isEmpty)
    return files + ["models/needle-256/model.safetensors"]
  }

  @Test func streamsAFileThatReadsBack() throws {
    let folder = try TemporaryDirectory()
    let tensors = [
      SafetensorsTensor(name: "b", dtype: ElementType(safetensors: "U8"), shape: [3], range: 0..<3),
      SafetensorsTensor(name: "a", dtype: .f32, shape: [1], range: 0..<4),
    ]
    let writer = try SafetensorsWriter(metadata: [("format", "pt")], tensors: tensors)
    let path = "\(folder.path)/out.safetensors"
    try writer.write(to: path) { tensor, file, offset in
      try file.write(
        Array(repeating: UInt8(tensor.name.utf8.first ?? 0), count: tensor.range.count), at: offset)
    }
    let file = try SafetensorsFile(path: path)
    #expect(file.header.tensors.map(\.name) == ["a", "b"])
    #expect(file.map.bytes.copy(file.dataRange(of: file.header.tensors[1])) == [0x62, 0x62, 0x62])
    #expect(throws: FileError.self) { try writer.write(to: path) { _, _, _ in } }
  }

  @Test func refusesToWriteANameTwice() {
    let tensor = SafetensorsTensor(name: "a", dtype: .f32, shape: [1], range: 0..<4)
    #expect(throws: FormatError(.duplicateTensor, .tensor("a"))) {
      try SafetensorsWriter(metadata: nil, tensors: [tensor, tensor])
    }
  }

  // MARK: Folders

  @Test func readsAFolderWithAnIndex() throws {
    let folder = try TemporaryDirectory()
    let shard = SafetensorsBuilder.file(
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: 1)
    try folder.write("s1.safetensors", shard)
    func index(_ map: String) throws {
      try folder.write("model.safetensors.index.json", "{\"weight_map\":\(map)}")
    }
    try index(#"{"a":"s1.safetensors"}"#)
    #expect(try SafetensorsFolder(path: folder.path)?.shards.map(\.name) == ["s1.safetensors"])

    func failure() -> FormatError.Reason? {
      do {
        _ = try SafetensorsFolder(path: folder.path)
        return nil
      } catch { return (error as? FormatError)?.reason }
    }
    try index(#"{"a":"../s1.safetensors"}"#)
    #expect(failure() == .outsideFolder("../s1.safetensors"))
    try index(#"{"a":"s2.safetensors"}"#)
    #expect(failure() == .missingShard("s2.safetensors"))
    try index(#"{"a":"s1.safetensors","b":"s1.safetensors"}"#)
    #expect(failure() == .missingTensor(inShard: "s1.safetensors"))
    try index("[]")
    #expect(failure()?.isInvalidDescription == true)
    try index(#"{"a":1}"#)
    #expect(failure() == .wrongType(expected: "a file name", found: "a number"))
  }
}

extension FormatError.Reason {
  var isInvalidJSON: Bool { if case .invalidJSON = self { true } else { false } }
  var isInvalidDescription: Bool { if case .invalidDescription = self { true } else { false } }
}
