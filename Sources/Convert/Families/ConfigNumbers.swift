import Formats
import Patch

/// Typed access to the numbers of a config.json.
struct ConfigNumbers {
  let config: JSONValue
  let path: String

  /// - Throws: `PatchError` where it is there but no whole number from 0 on.
  func optionalCount(_ name: String) throws(PatchError) -> Int? {
    guard let value = config[name], !value.isNull else { return nil }
    guard let number = value.integer, (0...Int(Int32.max)) ~= number else {
      throw .unsupported(path, "'\(name)' is no whole number from 0 to \(Int32.max)")
    }
    return number
  }

  func count(_ name: String) throws(PatchError) -> Int {
    guard let number = try optionalCount(name), number > 0 else {
      throw .unsupported(path, "'\(name)' is missing or 0")
    }
    return number
  }

  func optionalNumber(_ name: String) throws(PatchError) -> Double? {
    guard let value = config[name], !value.isNull else { return nil }
    guard let number = value.double else { throw .unsupported(path, "'\(name)' is no number") }
    return number
  }

  func number(_ name: String) throws(PatchError) -> Double {
    guard let number = try optionalNumber(name) else { throw .unsupported(path, "'\(name)' is missing") }
    return number
  }
}
