import Formats
import Foundation
import TestSupport
import Testing

/// Every error of a file, with its reason, the byte and the part that it names, as one recorded
/// list.
///
/// `LRPATCH_RECORD=1` writes the list again; read the difference before you commit it.
@Suite("Format errors") struct FormatErrorTests {
  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden/format-errors.txt").path

  @Test func areAsRecorded() throws {
    let folder = try TemporaryDirectory()
    var lines: [String] = []
    for malformed in MalformedGGUF.allCases {
      lines.append(
        line("gguf \(malformed)") { _ = try GGUFHeader(parsing: malformed.bytes.rawSpan) })
    }
    lines.append(
      line("gguf nested arrays") { _ = try GGUFHeader(parsing: Self.deeplyNested.bytes.rawSpan) })
    for (name, header, data) in Self.safetensors {
      let bytes = SafetensorsBuilder.file(header, data: data)
      lines.append(
        line("safetensors \(name)") { _ = try SafetensorsHeader(parsing: bytes.rawSpan) })
    }
    for (name, bytes) in Self.truncated {
      lines.append(
        line("safetensors \(name)") { _ = try SafetensorsHeader(parsing: bytes.rawSpan) })
    }
    for (name, map) in Self.indexes {
      let path = try index(map, in: folder)
      lines.append(line("index \(name)") { _ = try SafetensorsFolder(path: path) })
    }
    for (name, text) in Self.json {
      lines.append(line("json \(name)") { _ = try JSONDocument(parsing: Array(text.utf8)) })
    }
    lines.append(
      line("split one shard of two") {
        try folder.write("m-00001-of-00002.gguf", [])
        try #require(GGUFSplit(containing: "\(folder.path)/m-00001-of-00002.gguf"))
          .requireAllShards()
      })
    try compare(lines.joined(separator: "\n") + "\n")
  }

  private func compare(_ text: String) throws {
    if ProcessInfo.processInfo.environment["LRPATCH_RECORD"] == "1" {
      try text.write(toFile: Self.golden, atomically: true, encoding: .utf8)
    }
    let expected = try String(contentsOfFile: Self.golden, encoding: .utf8)
    for (found, golden) in zip(text.split(separator: "\n"), expected.split(separator: "\n"))
    where found != golden { Issue.record("\(found), expected \(golden)") }
    #expect(text.count == expected.count)
  }

  private func line(_ name: String, _ work: () throws -> Void) -> String {
    do {
      try work()
      Issue.record("\(name): accepted")
      return "\(name): accepted"
    } catch let error as FormatError {
      let place = error.offset.map { "byte \($0)" } ?? "no byte"
      let subject = error.subject.map { "\($0)".prefix(60) } ?? "no part"
      return
        "\(name): \(Self.name(error.reason)): \("\(error.reason)".prefix(120)); \(place); \(subject)"
    } catch {
      Issue.record("\(name): \(error)")
      return "\(name): \(type(of: error))"
    }
  }

  /// Every reason is in the list, or thrown by the test that is named here.
  @Test func everyReasonIsThrown() throws {
    let recorded = try String(contentsOfFile: Self.golden, encoding: .utf8)
    for name in Self.reasons where !recorded.contains(": \(name): ") {
      Issue.record("no input throws \(name)")
    }
  }

  /// A reason by its name.
  ///
  /// A new one does not compile until it is added here and below.
  private static func name(_ reason: FormatError.Reason) -> String {
    switch reason {
    case .truncated: "truncated"
    case .tooLarge: "tooLarge"
    case .invalidUTF8: "invalidUTF8"
    case .duplicateKey: "duplicateKey"
    case .duplicateTensor: "duplicateTensor"
    case .wrongType: "wrongType"
    case .notGGUF: "notGGUF"
    case .bigEndian: "bigEndian"
    case .unsupportedVersion: "unsupportedVersion"
    case .impossibleCount: "impossibleCount"
    case .emptyKey: "emptyKey"
    case .unknownValueType: "unknownValueType"
    case .nestedTooDeep: "nestedTooDeep"
    case .badAlignment: "badAlignment"
    case .nameTooLong: "nameTooLong"
    case .tooManyDimensions: "tooManyDimensions"
    case .negativeDimension: "negativeDimension"
    case .sizeOverflow: "sizeOverflow"
    case .unknownTensorType: "unknownTensorType"
    case .removedTensorType: "removedTensorType"
    case .unevenRow: "unevenRow"
    case .misplacedTensor: "misplacedTensor"
    case .dataBeyondEnd: "dataBeyondEnd"
    case .incompleteSplit: "incompleteSplit"
    case .inconsistentSplit: "inconsistentSplit"
    case .headerNotAnObject: "headerNotAnObject"
    case .invalidDescription: "invalidDescription"
    case .shapeDoesNotFit: "shapeDoesNotFit"
    case .subByteRemainder: "subByteRemainder"
    case .hole: "hole"
    case .overlap: "overlap"
    case .uncovered: "uncovered"
    case .outsideFolder: "outsideFolder"
    case .missingShard: "missingShard"
    case .missingTensor: "missingTensor"
    case .invalidJSON: "invalidJSON"
    }
  }

  /// All but `inconsistentSplit`, which a model of several files throws: GGUFPatchTests has it.
  private static let reasons = [
    "truncated", "tooLarge", "invalidUTF8", "duplicateKey", "duplicateTensor", "wrongType",
    "notGGUF", "bigEndian", "unsupportedVersion", "impossibleCount", "emptyKey",
    "unknownValueType", "nestedTooDeep", "badAlignment", "nameTooLong", "tooManyDimensions",
    "negativeDimension", "sizeOverflow", "unknownTensorType", "removedTensorType", "unevenRow",
    "misplacedTensor", "dataBeyondEnd", "incompleteSplit", "headerNotAnObject",
    "invalidDescription", "shapeDoesNotFit", "subByteRemainder", "hole", "overlap", "uncovered",
    "outsideFolder", "missingShard", "missingTensor", "invalidJSON",
  ]

  // MARK: Inputs

  private static let deeplyNested: GGUFBuilder = {
    // An array whose elements are arrays, 40 deep.
    var value = GGUFBuilder.little(UInt32(4)) + GGUFBuilder.little(UInt64(0))
    for _ in 0..<40 {
      value = GGUFBuilder.little(UInt32(9)) + GGUFBuilder.little(UInt64(1)) + value
    }
    return GGUFBuilder().key("a", type: 9, value)
  }()

  private static func one(_ fields: String) -> String { "{\"a\":{\(fields)}}" }

  private static let safetensors: [(name: String, header: String, data: Int)] = [
    ("space before the header", " {}", 0), ("no header", "", 0),
    ("text after the header", "{}x", 0),
    (
      "tensor twice",
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      0
    ),
    ("number in the metadata", #"{"__metadata__":{"a":1}}"#, 0),
    ("hole at the start", one(#""dtype":"F32","shape":[1],"data_offsets":[4,8]"#), 8),
    (
      "overlap",
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
      3
    ),
    ("data to spare", one(#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#), 5),
    ("data missing", one(#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#), 3),
    ("shape of another size", one(#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#), 4),
    ("negative extent", one(#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#), 4),
    ("overflow", one(#""dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]"#), 4),
    ("half a byte", one(#""dtype":"F4","shape":[3],"data_offsets":[0,2]"#), 2),
    ("number as dtype", one(#""dtype":7,"shape":[1],"data_offsets":[0,4]"#), 4),
    ("descending offsets", one(#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#), 4),
    ("no offsets", one(#""dtype":"F32","shape":[1]"#), 4),
  ]

  private static let truncated: [(name: String, bytes: [UInt8])] = [
    ("two bytes", [1, 2]), ("huge header", SafetensorsBuilder.file("{}", data: 0, length: .max)),
    ("long header", SafetensorsBuilder.file("{}", data: 0, length: 100)),
  ]

  private static let indexes: [(name: String, map: String)] = [
    ("outside the folder", #"{"a":"../s1.safetensors"}"#),
    ("missing shard", #"{"a":"s2.safetensors"}"#),
    ("missing tensor", #"{"a":"s1.safetensors","b":"s1.safetensors"}"#), ("list", "[]"),
    ("number", #"{"a":1}"#),
    ("two shards with one unlisted tensor", #"{"a":"s1.safetensors","c":"s3.safetensors"}"#),
  ]

  private func index(_ map: String, in folder: TemporaryDirectory) throws -> String {
    try folder.write(
      "s1.safetensors",
      SafetensorsBuilder.file(
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"d":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        data: 2))
    try folder.write(
      "s3.safetensors",
      SafetensorsBuilder.file(
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"c":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"d":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
        data: 3))
    try folder.write("model.safetensors.index.json", "{\"weight_map\":\(map)}")
    return folder.path
  }

  private static let json: [(name: String, text: String)] = [
    ("end in an object", #"{"a": 1"#), ("key twice", #"{"a": 1, "a": 2}"#),
    ("text after the value", "{} x"),
    ("control character", "{\"a\": \"\u{1}\"}"), ("bare word", "{a: 1}"),
  ]
}
