internal import Crypto

/// The SHA-256 of bytes, in lower-case hexadecimal.
public func sha256(_ bytes: [UInt8]) -> String {
  SHA256.hash(data: bytes).hexadecimal
}

/// The SHA-256 of a file's bytes, in lower-case hexadecimal.
/// - Parameter report: called with the number of bytes of each piece that was read.
public func sha256(file path: String, report: (Int) -> Void = { _ in }) throws(FileError) -> String
{
  let descriptor = try Descriptor(path: path, .read)
  let size = try descriptor.status().size
  var hash = SHA256()
  let step = 1 << 20
  for start in stride(from: 0, to: size, by: step) {
    hash.update(data: try descriptor.read(at: start, count: min(step, size - start)))
    report(min(step, size - start))
  }
  return hash.finalize().hexadecimal
}

extension SHA256Digest {
  fileprivate var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
