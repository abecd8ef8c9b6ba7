import Formats
import Foundation
import TestSupport
import Testing

@Suite("GGUF header") struct GGUFHeaderTests {
  private func parse(_ builder: GGUFBuilder) throws -> GGUFHeader {
    try GGUFHeader(parsing: builder.bytes.rawSpan)
  }

  @Test func readsEveryScalarType() throws {
    let builder = GGUFBuilder()
      .key("u8", type: 0, [200]).key("i8", type: 1, [0xFF])
      .key("u16", type: 2, [1, 2]).key("i16", type: 3, [0xFE, 0xFF])
      .key("u32", 7).key("i32", type: 5, GGUFBuilder.little(Int32(-7)))
      .key("f32", Float(1.5)).key("bool", type: 7, [1]).key("string", "é")
      .key("u64", type: 10, GGUFBuilder.little(UInt64.max))
      .key("i64", type: 11, GGUFBuilder.little(Int64.min))
      .key("f64", type: 12, GGUFBuilder.little((0.1).bitPattern))
    let values = try parse(builder).keys.map(\.value)
    #expect(
      values == [
        .uint8(200), .int8(-1), .uint16(0x0201), .int16(-2), .uint32(7), .int32(-7),
        .float32(1.5), .bool(true), .string("é"), .uint64(.max), .int64(.min), .float64(0.1),
      ])
  }

  @Test func leavesArraysInTheFile() throws {
    let header = try parse(GGUFBuilder().key("tokens", ["a", "bc"]))
    guard case .array(let array) = header[key: "tokens"] else {
      Issue.record("not an array")
      return
    }
    #expect(array.elementType == .string && array.count == 2)
    #expect(array.byteCount == 8 + 1 + 8 + 2)
  }

  @Test func readsArraysNestedToADepthOfFourAndNoDeeper() throws {
    func nested(_ depth: Int) -> [UInt8] {
      depth == 1
        ? GGUFBuilder.little(UInt32(0)) + GGUFBuilder.little(UInt64(1)) + [9]
        : GGUFBuilder.little(UInt32(9)) + GGUFBuilder.little(UInt64(1)) + nested(depth - 1)
    }
    #expect(throws: Never.self) { try parse(GGUFBuilder().key("deep", type: 9, nested(4))) }
    #expect(throws: FormatError.self) {
      try parse(GGUFBuilder().key("deeper", type: 9, nested(5)))
    }
  }

  @Test func placesTensorsByTheCustomAlignment() throws {
    var builder = GGUFBuilder().key("general.alignment", 64)
    builder.alignment = 64
    let header = try parse(builder.floats("a", [1, 2]).floats("b", [3]))
    #expect(header.alignment == 64)
    #expect(header.tensors.map(\.offset) == [0, 64])
    #expect(header.dataOffset % 64 == 0)
  }

  @Test func toleratesAMissingPaddingAfterTheLastTensor() throws {
    var builder = GGUFBuilder().floats("a", [1])
    builder.data = Array(builder.data.prefix(4))
    #expect(throws: Never.self) { try parse(builder) }
  }

  /// The fixtures, and every GGUF file in the folder LRPATCH_VOCABULARIES (`make conformance` sets
  /// it to that of llama.cpp's vocabularies).
  static let written: [String] = {
    let fixtures = Fixture.path("gguf")
    let folders =
      [fixtures] + [ProcessInfo.processInfo.environment["LRPATCH_VOCABULARIES"]].compactMap { $0 }
    return folders.flatMap { folder in
      ((try? FileSystem.names(in: folder)) ?? []).filter { $0.hasSuffix(".gguf") }.map {
        "\(folder)/\($0)"
      }
    }
  }()

  @Test func filesToWriteAgainAreThere() { #expect(Self.written.count >= 3) }

  @Test(arguments: written) func writesWhatItRead(_ path: String) throws {
    let bytes = try FileSystem.contents(of: path)
    let header = try GGUFHeader(parsing: bytes.rawSpan)
    #expect(header.encoded(arraysIn: bytes.rawSpan) == Array(bytes[..<header.dataOffset]))
  }

  @Test func knowsEveryTypeOfTheTableOnce() {
    let all = ElementType.all.filter { $0.ggmlNumber != nil }
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(all.count == 35)
  }

  /// The cases of llama.cpp's test-gguf catalogue and a few of our own, each refused for its own
  /// reason.
  @Test(arguments: MalformedGGUF.allCases)
  func refuses(_ malformed: MalformedGGUF) {
    let bytes = malformed.bytes
    do {
      _ = try GGUFHeader(parsing: bytes.rawSpan)
      Issue.record("accepted")
    } catch {
      #expect(malformed.matches(error.reason), "\(error)")
      #expect(error.offset != nil || malformed == .notEnoughData)
      #expect(!"\(error)".isEmpty)
    }
  }
}

/// Files that no reader may accept, with the names of llama.cpp's catalogue if it has them.
enum MalformedGGUF: CaseIterable {
  case badMagic, badVersion0, badVersion1, badVersionFuture, bigEndian, badTensorCount, badKeyCount,
    empty
  case badKeySize, emptyKey, longKey, keyNotUTF8, textNotUTF8, badType, duplicateKey, badAlign,
    wrongTypeAlign,
    hugeAlign
  case hugeArray, hugeString, truncatedValue
  case badNameSize, tensorNotUTF8, badDimensions, badShape, elementsTooBig, bytesTooBig, padWrap
  case badTensorType, removedTensorType, unevenRow, badOffset, duplicateName, inconsistentAlign,
    notEnoughData
  case manyHugeTensors

  var bytes: [UInt8] {
    let start = GGUFBuilder()
    switch self {
    case .badMagic: return Array("GGML".utf8) + start.bytes.dropFirst(4)
    case .badVersion0: return with(start) { $0.version = 0 }.bytes
    case .badVersion1: return with(start) { $0.version = 1 }.bytes
    case .badVersionFuture: return with(start) { $0.version = 4 }.bytes
    case .bigEndian: return with(start) { $0.version = 0x0300_0000 }.bytes
    case .badTensorCount: return with(start) { $0.tensorCount = .max / 64 }.bytes
    case .badKeyCount: return with(start) { $0.keyCount = .max / 64 }.bytes
    case .empty: return []
    case .badKeySize:
      return start.raw(key: GGUFBuilder.little(UInt64.max / 64) + [1, 2, 3, 4, 5]).bytes
    case .emptyKey: return start.key("", 1).bytes
    case .longKey: return start.key(String(repeating: "k", count: 65_536), 1).bytes
    case .keyNotUTF8:
      return start.raw(
        key: GGUFBuilder.little(UInt64(1)) + [0xFF] + GGUFBuilder.little(UInt32(0)) + [1]
      ).bytes
    case .textNotUTF8: return start.key("a", type: 8, GGUFBuilder.little(UInt64(1)) + [0xC0]).bytes
    case .badType: return start.key("a", type: 13, [0]).bytes
    case .duplicateKey: return start.key("a", 1).key("a", 2).bytes
    case .badAlign: return start.key("general.alignment", 3).bytes
    case .wrongTypeAlign: return start.key("general.alignment", "32").bytes
    case .hugeAlign: return start.key("general.alignment", 1 << 30).bytes
    case .hugeArray:
      return start.key(
        "a", type: 9, GGUFBuilder.little(UInt32(0)) + GGUFBuilder.little(UInt64.max / 64)
      ).bytes
    case .hugeString: return start.key("a", type: 8, GGUFBuilder.little(UInt64.max / 64)).bytes
    case .truncatedValue: return start.key("a", type: 10, [1, 2, 3, 4]).bytes
    case .badNameSize:
      return start.tensor(String(repeating: "n", count: 64), shape: [1], data: [0, 0, 0, 0]).bytes
    case .tensorNotUTF8:
      var builder = start.tensor("x", shape: [1], data: [0, 0, 0, 0]).bytes
      builder[24 + 8] = 0xFF
      return builder
    case .badDimensions:
      return start.tensor("a", shape: [1, 1, 1, 1, 1], data: [0, 0, 0, 0]).bytes
    case .badShape: return start.tensor("a", shape: [-1]).bytes
    case .elementsTooBig: return start.tensor("a", shape: [1 << 32, 1 << 32]).bytes
    case .bytesTooBig: return start.tensor("a", shape: [1 << 61, 2]).bytes
    case .padWrap: return start.tensor("a", shape: [Int64.max - 3], type: 24).bytes
    case .badTensorType: return start.tensor("a", shape: [32], type: 99).bytes
    case .removedTensorType: return start.tensor("a", shape: [32], type: 4).bytes
    case .unevenRow: return start.tensor("a", shape: [33], type: 8).bytes
    case .badOffset: return start.tensor("a", shape: [1], offset: 32, data: [0, 0, 0, 0]).bytes
    case .duplicateName: return start.floats("a", [1]).floats("a", [1]).bytes
    case .inconsistentAlign:
      return start.key("general.alignment", 64).floats("a", [1]).floats("b", [1]).bytes
    case .notEnoughData: return with(start.floats("a", [1, 2, 3])) { $0.data = [1, 2] }.bytes
    case .manyHugeTensors:
      return start.tensor("a", shape: [1 << 58], data: []).tensor(
        "b", shape: [1 << 60], offset: 1 << 60
      ).bytes
    }
  }

  private func with(_ builder: GGUFBuilder, _ change: (inout GGUFBuilder) -> Void) -> GGUFBuilder {
    var copy = builder
    change(&copy)
    return copy
  }

  func matches(_ reason: FormatError.Reason) -> Bool {
    switch (self, reason) {
    case (.badMagic, .notGGUF), (.empty, .notGGUF), (.badVersion0, .unsupportedVersion),
      (.badVersion1, .unsupportedVersion), (.badVersionFuture, .unsupportedVersion),
      (.bigEndian, .bigEndian), (.badTensorCount, .impossibleCount),
      (.badKeyCount, .impossibleCount),
      (.badKeySize, .truncated), (.emptyKey, .emptyKey), (.longKey, .nameTooLong),
      (.keyNotUTF8, .invalidUTF8), (.textNotUTF8, .invalidUTF8), (.badType, .unknownValueType),
      (.duplicateKey, .duplicateKey), (.badAlign, .badAlignment), (.wrongTypeAlign, .wrongType),
      (.hugeAlign, .badAlignment), (.hugeArray, .impossibleCount), (.hugeString, .truncated),
      (.truncatedValue, .truncated), (.badNameSize, .nameTooLong), (.tensorNotUTF8, .invalidUTF8),
      (.badDimensions, .tooManyDimensions), (.badShape, .negativeDimension),
      (.elementsTooBig, .sizeOverflow), (.bytesTooBig, .sizeOverflow), (.padWrap, .sizeOverflow),
      (.badTensorType, .unknownTensorType), (.removedTensorType, .removedTensorType),
      (.unevenRow, .unevenRow), (.badOffset, .misplacedTensor), (.duplicateName, .duplicateTensor),
      (.inconsistentAlign, .misplacedTensor), (.notEnoughData, .dataBeyondEnd),
      (.manyHugeTensors, .misplacedTensor), (.manyHugeTensors, .sizeOverflow):
      true
    default: false
    }
  }
}
