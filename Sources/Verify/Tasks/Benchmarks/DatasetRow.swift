import Formats
import Models
import Patch

/// A row of a dataset, and where it stands.
///
/// Every method throws a `ModelError` that names the file, the line and the member.
struct DatasetRow {
  let json: JSONValue
  let path: String
  /// The line or the element of a list, in words; empty for a whole file.
  let place: String
  /// What rows of the dataset have, in words.
  let expected: String

  /// An object in the row.
  private func inside(_ json: JSONValue) -> DatasetRow {
    DatasetRow(json: json, path: path, place: place, expected: expected)
  }

  func text(_ name: String) throws -> String {
    guard let text = json[name]?.text else { throw wrong(name, "a string") }
    return text
  }

  /// Two or more texts.
  func texts(_ name: String, count: Int? = nil) throws -> [String] {
    let texts = json[name]?.elements?.compactMap(\.text) ?? []
    guard texts.count >= 2, texts.count == count ?? json[name]?.elements?.count else {
      throw wrong(name, count.map { "a list of \($0) strings" } ?? "a list of two or more strings")
    }
    return texts
  }

  func hasObject(_ name: String) -> Bool { json[name]?.members != nil }

  /// An object.
  func row(_ name: String) throws -> DatasetRow {
    guard let value = json[name], value.members != nil else { throw wrong(name, "an object") }
    return inside(value)
  }

  /// A list of objects.
  func rows(_ name: String) throws -> [DatasetRow] {
    guard let elements = json[name]?.elements, elements.allSatisfy({ $0.members != nil }) else {
      throw wrong(name, "a list of objects")
    }
    return elements.map(inside)
  }

  /// The index of a choice: the place of a label, or of the member's own number.
  func index(_ name: String, of labels: [String]) throws -> Int {
    let value = json[name]
    let label = value?.text ?? value?.integer.map(String.init)
    guard let index = labels.firstIndex(where: { $0 == label }) else {
      throw wrong(name, labels.alternatives)
    }
    return index
  }

  func wrong(_ name: String, _ kind: String) -> ModelError {
    let found = json[name].map { "is \($0.summary)" } ?? "is missing"
    return error("'\(name)' \(found), expected \(kind)")
  }

  func error(_ message: String) -> ModelError {
    .unsupported(
      path, "\(place.isEmpty ? "" : "\(place): ")\(message); rows are expected as in \(expected)")
  }
}
