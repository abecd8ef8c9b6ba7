import Foundation

/// A fresh folder that is deleted with this value.
package final class TemporaryDirectory: Sendable {
  package let path: String

  package init() throws {
    path = NSTemporaryDirectory() + "lrpatch-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file into the folder and returns its path.
  @discardableResult
  package func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  /// Copies a fixture into the folder and returns its path there.
  @discardableResult
  package func copy(_ fixture: String, as name: String? = nil) throws -> String {
    let target = "\(path)/\(name ?? (fixture as NSString).lastPathComponent)"
    try FileManager.default.copyItem(atPath: Fixture.path(fixture), toPath: target)
    return target
  }
}

/// Files of the repository's fixtures folder.
package enum Fixture {
  package static let root: String = {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    return folder.path
  }()

  package static func path(_ name: String) -> String { "\(root)/fixtures/\(name)" }

  package static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
}

/// The bytes of every file below a folder.
package func snapshot(_ folder: String) throws -> [String: [UInt8]] {
  var result: [String: [UInt8]] = [:]
  guard let walker = FileManager.default.enumerator(atPath: folder) else { return result }
  for case let name as String in walker {
    let path = "\(folder)/\(name)"
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if !isFolder.boolValue {
      result[name] = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }
  return result
}

extension TemporaryDirectory {
  /// The path of factors for four times the window of the trained model.
  package static var factors: String { Fixture.path("models/needle-256-x4.factors.json") }

  /// A folder with a model, a file of it, and factors.
  package static func workbench() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    try folder.copy("models/needle-256-x4", as: "model")
    try folder.copy("models/needle-256-x4.gguf", as: "model.gguf")
    try folder.copy("models/needle-256-x4.factors.json", as: "factors.json")
    return folder
  }
}
