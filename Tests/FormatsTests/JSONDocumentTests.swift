import Formats
import TestSupport
import Testing

@Suite("JSON documents") struct JSONDocumentTests {
  private func parse(_ text: String) throws -> JSONDocument {
    try JSONDocument(parsing: Array(text.utf8))
  }

  private func edited(
    _ text: String, _ edit: (inout JSONDocument) throws -> Void
  ) throws -> String {
    var document = try parse(text)
    try edit(&document)
    return String(decoding: document.bytes, as: UTF8.self)
  }

  /// Texts that a reader and writer of values would not preserve.
  static let fragile = [
    #"{"model_max_length": 1000000000000000019884624838656, "a": 1}"#,
    #"{"a": "\u00e9 <\/s> \ud83d\ude00", "b": -0, "c": 1E+5, "d": 0.10}"#,
    "{\r\n\t\"a\" : 1 ,\r\n\t\"b\":[ 1,2 ]\r\n}\r\n",
    "\u{FEFF}{\n  \"a\": 1\n}",
    "{}", "  { \"a\" : { } }  \n",
  ]

  @Test(arguments: fragile) func keepsEveryByteOfWhatItDoesNotTouch(_ text: String) throws {
    #expect(try parse(text).bytes == Array(text.utf8))
    // A new member can be added and removed without a trace.
    let roundTrip = try edited(text) {
      try $0.set(["new"], to: .number(1))
      try $0.remove(["new"])
    }
    let isEmptyObject = text.contains("{}")
    #expect(isEmptyObject || roundTrip == text)
  }

  @Test func keepsNumberTextAndDecodesEscapes() throws {
    let value = try parse(Self.fragile[0]).value
    #expect(value["model_max_length"] == .number("1000000000000000019884624838656"))
    let second = try parse(Self.fragile[1]).value
    #expect(second["a"]?.text == "é </s> 😀")
    #expect(second["b"] == .number("-0"))
  }

  @Test func replacesOnlyTheValue() throws {
    let text = "{\n  \"a\" : 1,\n  \"b\":\t2\n}"
    #expect(
      try edited(text) { try $0.set(["a"], to: .number(7)) } == "{\n  \"a\" : 7,\n  \"b\":\t2\n}")
  }

  @Test func keepsTheTextOfAValueThatAlreadyMeansTheSame() throws {
    let text = "{\"theta\": 1e4}"
    #expect(try edited(text) { try $0.set(["theta"], to: .number(10000.0)) } == text)
  }

  @Test func followsTheFilesIndentation() throws {
    let wide = try edited("{\n    \"a\": {\n        \"x\": 1\n    }\n}\n") {
      try $0.set(["a", "y"], to: .array([.number(1), .number(2)]))
    }
    #expect(
      wide
        == "{\n    \"a\": {\n        \"x\": 1,\n        \"y\": [\n            1,\n            2\n        ]\n    }\n}\n"
    )
    let tabs = try edited("{\r\n\t\"a\": 1\r\n}") { try $0.set(["b"], to: .null) }
    #expect(tabs == "{\r\n\t\"a\": 1,\r\n\t\"b\": null\r\n}")
    let line = try edited("{\"a\": 1, \"c\": 2}") {
      try $0.set(["b"], to: .object(["x": .number(1), "y": .bool(true)]))
    }
    #expect(line == "{\"a\": 1, \"c\": 2, \"b\": {\"x\": 1, \"y\": true}}")
    let compact = try edited("{\"a\":1,\"c\":2}") { try $0.set(["b"], to: .string("q\"\n")) }
    #expect(compact == "{\"a\":1,\"c\":2,\"b\":\"q\\\"\\n\"}")
  }

  @Test func removesFirstMiddleAndLastMembers() throws {
    let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}"
    #expect(try edited(text) { try $0.remove(["a"]) } == "{\n  \"b\": 2,\n  \"c\": 3\n}")
    #expect(try edited(text) { try $0.remove(["b"]) } == "{\n  \"a\": 1,\n  \"c\": 3\n}")
    #expect(try edited(text) { try $0.remove(["c"]) } == "{\n  \"a\": 1,\n  \"b\": 2\n}")
  }

  @Test func reportsADuplicateKeyWithItsPlace() {
    #expect(throws: FormatError(.duplicateKey, at: 8, .key("a"))) {
      try parse("{\"a\":1, \"a\":1}")
    }
    // The same key in two spellings.
    #expect(throws: FormatError(.duplicateKey, at: 7, .key("a"))) {
      try parse(#"{"a":1,"\u0061":1}"#)
    }
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{'a':1}", "{a:1}", "01", "1.", ".5", "+1", "nan",
    "+Infinity",
    "infinity",
    "tru", "\"a", "\"\\x\"", "\"\\u12\"", "\"\u{1}\"", "{} {}", "// c\n{}", "[1 2]", "nul", "-",
    "1e", "\u{FEFF}",
  ])
  func refusesWhatIsNotJSON(_ text: String) {
    #expect(throws: FormatError.self) { try parse(text) }
  }

  @Test func refusesInvalidUTF8AndDeepNesting() {
    #expect(throws: FormatError.self) {
      try JSONDocument(parsing: Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8))
    }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: FormatError(.nestedTooDeep(limit: 64), at: 64)) { try parse(deep) }
  }

  @Test func keepsANulInAKey() throws {
    let value = try parse(#"{"a\u0000b": 1, "a": 2}"#).value
    #expect(value.members?.map(\.name) == ["a\0b", "a"])
  }

  @Test func refusesToEnterWhatIsNoObject() {
    #expect(throws: FormatError.self) {
      try edited("{\"a\":1}") { try $0.set(["a", "b"], to: .null) }
    }
    #expect(throws: FormatError.self) { try edited("{}") { try $0.set(["a", "b"], to: .null) } }
  }
}
