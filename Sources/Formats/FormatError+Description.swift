/// The wording of every format error: what, where, and what was expected.
extension FormatError: CustomStringConvertible {
  /// The sentence for users: file, subject, reason, and the offset in bytes.
  public var description: String {
    var text = ""
    if let file { text += "\(file): " }
    if let subject { text += "\(subject): " }
    text += "\(reason)"
    if let offset { text += " (at byte \(offset))" }
    return text
  }
}

extension FormatError.Subject: CustomStringConvertible {
  /// The subject in words, such as `key 'general.name'`; numbers count from 1.
  public var description: String {
    switch self {
    case .header: "header"
    case .key(let name): "key '\(name.sanitized)'"
    case .keyNumber(let index): "key number \(index + 1)"
    case .tensor(let name): "tensor '\(name.sanitized)'"
    case .tensorNumber(let index): "tensor number \(index + 1)"
    case .member(let path): "'\(path.sanitized)'"
    }
  }
}

extension FormatError.Reason: CustomStringConvertible {
  /// The reason in words, with what was expected.
  public var description: String {
    switch self {
    case .truncated(let needed, let available):
      "the file is truncated: \(needed) bytes are needed, but only \(available) are left"
    case .tooLarge(let size, let limit):
      "too large: \(size) bytes, but at most \(limit) are allowed"
    case .invalidUTF8: "not valid UTF-8"
    case .duplicateKey: "the key appears twice"
    case .duplicateTensor: "the tensor appears twice"
    case .wrongType(let expected, let found): "expected \(expected), found \(found)"
    case .notGGUF(let found) where found.isEmpty: "not a GGUF file: it is empty"
    case .notGGUF(let found): "not a GGUF file: it begins with \(found.quoted) instead of 'GGUF'"
    case .bigEndian:
      "the GGUF file is big-endian: only little-endian files are supported"
    case .unsupportedVersion(let version):
      "GGUF version \(version) is not supported: expected version 2 or 3"
    case .impossibleCount(let count, let what, let available):
      "\(count) \(what) cannot fit in the \(available) bytes that are left"
    case .emptyKey: "the key's name is empty"
    case .unknownValueType(let type): "value type \(type) is unknown: expected 0 to 12"
    case .nestedTooDeep(let limit): "nested deeper than \(limit) levels"
    case .badAlignment(let value):
      "alignment \(value): expected a power of two up to 1048576"
    case .nameTooLong(let length, let limit):
      "the name has \(length) bytes: at most \(limit) are allowed"
    case .tooManyDimensions(let count): "\(count) dimensions: at most 4 are allowed"
    case .negativeDimension(let value): "dimension \(value): expected 0 or more"
    case .sizeOverflow: "the shape's size exceeds 63 bits"
    case .unknownTensorType(let type): "tensor type \(type) is unknown"
    case .removedTensorType(let name): "tensor type \(name) was removed from the format"
    case .unevenRow(let row, let block):
      "rows of \(row) elements are not a multiple of the type's block of \(block)"
    case .misplacedTensor(let expected, let found):
      "data offset \(found): expected \(expected)"
    case .dataBeyondEnd(let end, let size):
      "the data ends at byte \(end), but the file has only \(size) bytes"
    case .incompleteSplit(let expected, let found):
      "the shard is missing: only \(found) of \(expected) shards are there"
    case .inconsistentSplit(let detail): "split model: \(detail)"
    case .headerNotAnObject(let byte):
      "the header begins with \([byte].quoted): expected '{'"
    case .invalidDescription(let detail): detail
    case .shapeDoesNotFit(let declared, let spanned):
      "dtype and shape need \(declared) bytes, but data_offsets span \(spanned)"
    case .subByteRemainder: "the elements do not end on a byte"
    case .hole(let from, let to): "no tensor covers the data bytes \(from) to \(to)"
    case .overlap(let other): "its data overlaps that of tensor '\(other.sanitized)'"
    case .uncovered(let end, let size):
      "the tensors end at byte \(end), but the file has \(size) bytes"
    case .outsideFolder(let name): "'\(name.sanitized)' is outside the model's folder"
    case .missingShard(let name): "the shard '\(name.sanitized)' is missing"
    case .missingTensor(let shard):
      "missing from the shard '\(shard.sanitized)' that the index names"
    case .invalidJSON(let detail): "invalid JSON: \(detail)"
    }
  }
}

extension String {
  /// The text with control characters made visible, cut to 120 characters.
  ///
  /// Names come from files that may be hostile, and are printed to terminals.
  package var sanitized: String {
    let start = String(unicodeScalars.prefix(121)).visible
    return unicodeScalars.count > 120 || start.count > 120 ? String(start.prefix(120)) + "…" : start
  }

  /// The whole text, with control characters and characters that change the text's direction made
  /// visible.
  package var visible: String {
    var result = ""
    for scalar in unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      let isDirectional =
        (0x202A...0x202E).contains(scalar.value)
        || (0x2066...0x2069).contains(scalar.value)
      if isControl || isDirectional {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension [UInt8] {
  /// The bytes in quotes if they are printable ASCII, otherwise in hexadecimal.
  fileprivate var quoted: String {
    if allSatisfy({ (0x20...0x7E).contains($0) }) {
      return "'\(String(decoding: self, as: UTF8.self))'"
    }
    return map { "0x" + String($0, radix: 16, uppercase: true) }.joined(separator: " ")
  }
}
