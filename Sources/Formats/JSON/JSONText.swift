internal import CJSONC

/// Checks the syntax of JSON texts and decodes their strings, with json-c.
enum JSONText {
  /// Checks the syntax of a text.
  /// - Throws: `invalidJSON` with json-c's reason and offset.
  static func checkSyntax(_ text: [UInt8], from start: Int) throws(FormatError) {
    _ = try parse(text, start..<text.count)
  }

  /// The string at `range`, which includes its quotes, with escapes decoded.
  static func decodeString(_ text: [UInt8], _ range: Range<Int>) throws(FormatError) -> String {
    let inner = text[(range.lowerBound + 1)..<(range.upperBound - 1)]
    if !inner.contains(UInt8(ascii: "\\")) {
      guard let plain = String(validating: inner, as: UTF8.self) else {
        throw FormatError(.invalidUTF8, at: range.lowerBound)
      }
      return plain
    }
    guard let decoded = try parse(text, range) else {
      throw FormatError(.invalidJSON("the string is damaged"), at: range.lowerBound)
    }
    return decoded
  }

  /// Parses one value and returns it if it is a string, otherwise nil.
  private static func parse(_ text: [UInt8], _ range: Range<Int>) throws(FormatError) -> String? {
    guard range.count < Int(Int32.max) else {
      throw FormatError(.tooLarge(UInt64(range.count), limit: UInt64(Int32.max)))
    }
    guard let tokener = unsafe json_tokener_new_ex(Int32(JSONScanner.maximumDepth)) else {
      throw FormatError(.invalidJSON("out of memory"))
    }
    defer { unsafe json_tokener_free(tokener) }
    unsafe json_tokener_set_flags(
      tokener, Int32(JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8))
    // json-c takes a number as complete only if something follows it, so append a NUL.
    let terminated = text[range] + [0]
    let value = unsafe terminated.withUnsafeBytes { buffer in
      unsafe json_tokener_parse_ex(
        tokener, buffer.assumingMemoryBound(to: CChar.self).baseAddress, Int32(buffer.count))
    }
    defer { unsafe json_object_put(value) }
    let error = unsafe json_tokener_get_error(tokener)
    guard error == json_tokener_success else {
      let reason = unsafe String(cString: json_tokener_error_desc(error))
      let end = unsafe json_tokener_get_parse_end(tokener)
      throw FormatError(.invalidJSON(reason), at: range.lowerBound + end)
    }
    guard unsafe json_object_is_type(value, json_type_string) != 0 else { return nil }
    let length = unsafe Int(json_object_get_string_len(value))
    // json-c owns the characters until `json_object_put`; the copy is made before.
    let characters = unsafe UnsafeRawBufferPointer(
      start: json_object_get_string(value), count: length)
    return unsafe String(decoding: characters, as: UTF8.self)
  }
}
