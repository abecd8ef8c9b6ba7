/// An error in a file: what is wrong, at which byte, and in which key, tensor or member.
///
/// Every reader of this module throws it. `FormatError+Description.swift` has the wording.
public struct FormatError: Error, Equatable, Sendable {
  /// What is wrong.
  public var reason: Reason
  /// The offset of the error, in bytes from the start of the file.
  public var offset: Int?
  /// The part of the file that is wrong, or nil if it is the file as a whole.
  public var subject: Subject?
  /// The file's path, which the code that opened the file fills in.
  public var file: String?

  /// Creates an error without a path; `inFile(_:)` adds it.
  public init(_ reason: Reason, at offset: Int? = nil, _ subject: Subject? = nil) {
    self.reason = reason
    self.offset = offset
    self.subject = subject
  }

  /// The part of the file that is wrong.
  public enum Subject: Equatable, Sendable {
    case header
    case key(String)
    /// A key without a readable name, by its index from 0.
    case keyNumber(Int)
    case tensor(String)
    /// A tensor without a readable name, by its index from 0.
    case tensorNumber(Int)
    /// A JSON member, by its name or its path with dots.
    case member(String)
  }

  /// What is wrong, with the numbers and names that the message shows.
  public enum Reason: Equatable, Sendable {
    // Any file.
    case truncated(needed: UInt64, available: UInt64)
    case tooLarge(UInt64, limit: UInt64)
    case invalidUTF8
    case duplicateKey
    case duplicateTensor
    case wrongType(expected: String, found: String)

    // GGUF.
    case notGGUF(found: [UInt8])
    case bigEndian
    case unsupportedVersion(UInt32)
    case impossibleCount(UInt64, what: String, available: UInt64)
    case emptyKey
    case unknownValueType(UInt32)
    case nestedTooDeep(limit: Int)
    case badAlignment(UInt32)
    case nameTooLong(Int, limit: Int)
    case tooManyDimensions(UInt32)
    case negativeDimension(Int64)
    case sizeOverflow
    case unknownTensorType(UInt32)
    case removedTensorType(String)
    case unevenRow(Int64, block: Int)
    case misplacedTensor(expected: UInt64, found: UInt64)
    case dataBeyondEnd(end: UInt64, fileSize: UInt64)
    case incompleteSplit(expected: Int, found: Int)
    case inconsistentSplit(String)

    // safetensors.
    case headerNotAnObject(found: UInt8)
    case invalidDescription(String)
    case shapeDoesNotFit(declared: UInt64, spanned: UInt64)
    case subByteRemainder
    case hole(from: UInt64, to: UInt64)
    case overlap(with: String)
    case uncovered(end: UInt64, fileSize: UInt64)
    case outsideFolder(String)
    case missingShard(String)
    case missingTensor(inShard: String)

    // JSON.
    case invalidJSON(String)
  }
}
