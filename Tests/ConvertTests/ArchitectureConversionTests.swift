import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing

@testable import Convert

/// Converts a tiny model of every convertible architecture both ways.
@Suite("Conversion of every architecture") struct ArchitectureConversionTests {
  /// Folders in fixtures/architectures whose architecture can be converted.
  static let convertible: [String] = {
    let names = (try? FileSystem.names(in: Fixture.path("architectures"))) ?? []
    return names.filter { name in
      let model = try? ModelFolder(path: Fixture.path("architectures/\(name)"))
      return model?.architecture.isConvertible == true
        && FileSystem.exists(Fixture.path("architectures/\(name).gguf"))
    }
  }()

  static let options = {
    var options = ConversionOptions()
    options.allowDivergent = true
    // A name that means nothing to llama.cpp, which takes one with "phi3" for a Phi-3.
    options.name = "tiny"
    return options
  }()

  @Test func everyArchitectureIsThere() throws {
    let found = try Set(
      Self.convertible.map {
        try ModelFolder(path: Fixture.path("architectures/\($0)")).architecture.name
      })
    for architecture in Architecture.all where architecture.isConvertible {
      #expect(found.contains(architecture.name), "no fixture of \(architecture.name)")
    }
  }

  private static func tensors(_ path: String) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for tensor in try ModelTensors(ModelFile(path: path)).all {
      tensor.file.map.withUnsafeBytes(in: tensor.range) {
        result["\(tensor.name) \(tensor.type) \(tensor.shape)"] = Array($0)
      }
    }
    return result
  }

  /// Keys of the architecture, which decide what llama.cpp computes.
  private static func keys(_ path: String) throws -> [String: Double] {
    let model = try GGUFModel(path: path)
    let prefix = "\(model.geometry.architecture)."
    let own = model.first.header.keys.filter { $0.name.hasPrefix(prefix) }
    return Dictionary(
      uniqueKeysWithValues: own.compactMap { key in key.value.number.map { (key.name, $0) } })
  }

  private static func convert(_ model: String, to output: String) throws {
    try Conversion(of: model, to: output, options: options).perform { _ in }
  }

  /// The tensors byte for byte as llama.cpp's converter writes them, and the same numbers.
  @Test(arguments: convertible) func writesWhatLlamaCppsConverterWrites(_ name: String) throws {
    let place = try TemporaryDirectory()
    let (ours, theirs) = ("\(place.path)/m.gguf", Fixture.path("architectures/\(name).gguf"))
    try Self.convert(Fixture.path("architectures/\(name)"), to: ours)
    #expect(try Self.tensors(ours) == Self.tensors(theirs))
    let (mine, others) = (try Self.keys(ours), try Self.keys(theirs))
    for (key, value) in mine { if let other = others[key] { #expect(other == value, "\(key)") } }
  }

  /// There and back is the same model.
  @Test(arguments: convertible) func comesBackAsItWas(_ name: String) throws {
    let place = try TemporaryDirectory()
    let folder = Fixture.path("architectures/\(name)")
    try Self.convert(folder, to: "\(place.path)/m.gguf")
    try Self.convert("\(place.path)/m.gguf", to: "\(place.path)/back")
    #expect(try Self.tensors("\(place.path)/back") == Self.tensors(folder))
    let (old, new) = (
      try ModelFolder(path: folder), try ModelFolder(path: "\(place.path)/back")
    )
    #expect(new.geometry == old.geometry)
  }

  /// llama.cpp's own file becomes a folder of the same weights.
  @Test(arguments: convertible) func makesAFolderOfLlamaCppsFile(_ name: String) throws {
    let place = try TemporaryDirectory()
    try Self.convert(Fixture.path("architectures/\(name).gguf"), to: "\(place.path)/folder")
    let folder = try ModelFolder(path: "\(place.path)/folder")
    let original = try ModelFolder(path: Fixture.path("architectures/\(name)"))
    #expect(folder.geometry.rotaryDimensions == original.geometry.rotaryDimensions)
    #expect(folder.geometry.theta == original.geometry.theta)
    let expected = try Self.tensors(original.path)
    #expect(try Self.tensors(folder.path) == expected)
  }
}
