/// Builds safetensors files, valid or not, from the header's text and the data.
package enum SafetensorsBuilder {
  package static func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    return GGUFBuilder.little(length ?? UInt64(text.count)) + text
      + Array(repeating: 7, count: data)
  }
}
