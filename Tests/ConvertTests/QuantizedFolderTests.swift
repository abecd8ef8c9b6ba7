import Formats
import Foundation
import Models
import Patch
import TestSupport
import Testing

@testable import Convert
@testable import Inference

/// Folders that are quantised outside GGUF.
@Suite("Quantised folders") struct QuantizedFolderTests {
  private static let name = "model.layers.0.mlp.down_proj.weight"

  /// A matrix that another library stored, with the SHA-256 of what it unpacks.
  private struct Golden {
    var folder: NeedleFolder
    let digest: String
    let type: String

    init(_ name: String) throws {
      folder = try NeedleFolder()
      folder.tensors = []
      let path = Fixture.path("quantized/\(name).safetensors")
      let header = try SafetensorsFile(path: path).header
      let bytes = try FileSystem.contents(of: path)
      for tensor in header.tensors {
        let start = header.dataOffset + tensor.range.lowerBound
        folder.tensors.append(
          .init(
            name: tensor.name, type: tensor.dtype, shape: tensor.shape,
            bytes: Array(bytes[start..<start + tensor.range.count])))
      }
      let text = try #require(header.metadata?.first { $0.name == "golden" }?.value.text)
      let golden = try JSONDocument(parsing: Array(text.utf8)).value
      try folder.set("quantization_config", #require(golden["quantization_config"]))
      digest = try #require(golden["sha256"]?.text)
      type = try #require(golden["type"]?.text)
    }
  }

  /// The numbers of a matrix as 16-bit values.
  private static func bytes(_ tensor: ModelTensor, _ elements: Range<Int>) throws -> [UInt8] {
    let matrix = try #require(tensor.scaled)
    var numbers = [Float](repeating: 0, count: elements.count)
    numbers.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { matrix.unpack(elements: elements, to: base) }
    }
    return numbers.flatMap { number in
      let bits =
        tensor.type == .bf16
        ? UInt16(number.bitPattern >> 16) : Float16(number).bitPattern
      return [UInt8(bits & 0xFF), UInt8(bits >> 8)]
    }
  }

  @Test(arguments: try FileSystem.names(in: Fixture.path("quantized")).sorted())
  func unpackAsTheirLibrariesDo(_ file: String) throws {
    let place = try TemporaryDirectory()
    let golden = try Golden(String(file.dropLast(".safetensors".count)))
    let tensors = try ModelTensors(ModelFile(path: golden.folder.write(to: place))).all
    #expect(tensors.map(\.plainName) == [Self.name])
    let tensor = try #require(tensors.first)
    #expect(tensor.shape == [64, 128] && tensor.type.name == golden.type)
    let whole = try Self.bytes(tensor, 0..<64 * 128)
    #expect(sha256(whole) == golden.digest)
    // Ranges that begin and end within a row, and the rows of a half.
    let part = 100..<1000
    #expect(try Self.bytes(tensor, part) == Array(whole[2 * part.lowerBound..<2 * part.upperBound]))
    let half = try Self.bytes(tensor.rows(1, of: 2), 0..<32 * 128)
    #expect(half == Array(whole.suffix(64 * 128)))
  }

  /// The needle model with one matrix in 8-bit floats and blocks that do not divide it.
  private static func folder() throws -> NeedleFolder {
    var folder = try NeedleFolder()
    let index = try #require(folder.tensors.firstIndex { $0.name == name })
    let shape = folder.tensors[index].shape  // (128, 384)
    folder.tensors[index].type = ElementType(safetensors: "F8_E4M3")
    folder.tensors[index].bytes = (0..<shape[0] * shape[1]).map {
      UInt8($0 * 7 % 0x38) | UInt8($0 % 3 == 0 ? 0x80 : 0)
    }
    let scales = (0..<2 * 4).flatMap { number in
      let bits = (0.05 + Float(number) / 100).bitPattern
      return [bits, bits >> 8, bits >> 16, bits >> 24].map { UInt8($0 & 0xFF) }
    }
    folder.tensors.append(
      .init(name: name + "_scale_inv", type: .f32, shape: [2, 4], bytes: scales))
    folder.tensors.append(
      .init(
        name: "model.layers.0.self_attn.k_scale", type: .f32, shape: [], bytes: [0, 0, 128, 63]))
    try folder.set(
      "quantization_config",
      .object([
        "quant_method": .string("fp8"), "weight_block_size": .array([.number(96), .number(100)]),
      ]))
    return folder
  }

  @Test func runAndConvertToTheSameModel() throws {
    let place = try TemporaryDirectory()
    let model = try Self.folder().write(to: place)
    let tokens = Array(2..<14)
    let own = try ConvertTests.scores(model, tokens)
    #expect(try own != ConvertTests.scores(Fixture.path("models/needle-256"), tokens))
    let conversion = try ConvertTests.convert(model, to: "\(place.path)/out")
    #expect(conversion.remarks.contains { $0.contains("unpacked from 8-bit floats") })
    #expect(try ConvertTests.scores("\(place.path)/out", tokens) == own)
    let plain = try ModelFolder(path: "\(place.path)/out")
    #expect(plain.config.value["quantization_config"] == nil)
    try ConvertTests.convert(model, to: "\(place.path)/out.gguf")
    let converted = try ConvertTests.scores("\(place.path)/out.gguf", tokens)
    #expect(zip(converted, own).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func eightBitFloatsWithoutAConfigAreTheirNumbers() throws {
    let place = try TemporaryDirectory()
    var folder = try Self.folder()
    try folder.config.remove(["quantization_config"])
    folder.tensors.removeAll { $0.name.hasSuffix("scale_inv") || $0.name.hasSuffix("k_scale") }
    let tensors = try ModelTensors(ModelFile(path: folder.write(to: place))).all
    let tensor = try #require(tensors.first { $0.name == Self.name })
    #expect(try Self.bytes(tensor, 0..<2) == [0, 128, 0x60, 0x3C])  // -0 and 7 * 2^-9 in bf16
  }

  // MARK: Refusals

  private func expectRefusal(_ folder: NeedleFolder, _ text: String) throws {
    let place = try TemporaryDirectory()
    let model = try folder.write(to: place)
    let error = #expect(throws: ModelError.self) { try ModelTensors(ModelFile(path: model)) }
    #expect("\(try #require(error))".contains(text), "\(error.map { "\($0)" } ?? "")")
  }

  @Test(
    arguments: [
      ("fp8-block", "weight_scale_inv", [3, 2], "expected [1, 4] for blocks of [64, 32]"),
      ("ct-pack-4", "weight_shape", [1], "expected the words of [0] numbers of 4 bits"),
      ("ct-pack-3-asymmetric", "weight_zero_point", [1, 2], "expected [6, 2] of I32"),
      ("gptq-4", "qzeros", [1, 8], "qzeros' is I32 [1, 8], expected [4, 8] of I32"),
      ("gptq-4", "scales", [1, 64], nil), ("awq-32", "scales", [3, 64], "expected (groups of"),
    ] as [(String, String, [Int], String?)])
  func misshapenPartsAreNamed(
    _ name: String, _ suffix: String, _ shape: [Int], _ text: String?
  ) throws {
    var folder = try Golden(name).folder
    let index = try #require(folder.tensors.firstIndex { $0.name.hasSuffix(suffix) })
    let tensor = folder.tensors[index]
    let width = tensor.bytes.count / max(1, tensor.shape.reduce(1, *))
    folder.tensors[index].shape = shape
    folder.tensors[index].bytes = Array(
      repeating: 0, count: shape.reduce(1, *) * width)
    try expectRefusal(folder, text ?? "expected")
    folder.tensors.remove(at: index)
    if suffix != "weight_zero_point" { try expectRefusal(folder, "is missing") }
  }

  @Test func groupsBeyondTheScalesAreRefused() throws {
    var folder = try Golden("gptq-4").folder
    let index = try #require(folder.tensors.firstIndex { $0.name.hasSuffix("g_idx") })
    folder.tensors[index].bytes[0] = 4
    try expectRefusal(folder, "expected 128 numbers below 4")
  }

  @Test func zeroPointsThatRuntimesReadDifferentlyAreRefused() throws {
    var folder = try Golden("gptq-4").folder
    let index = try #require(folder.tensors.firstIndex { $0.name.hasSuffix("qzeros") })
    folder.tensors[index].bytes[5] |= 0xF0
    try expectRefusal(folder, "stores a zero point of 0")
  }

  @Test(arguments: [
    ("ct-pack-4", "format", "nvfp4-pack-quantized"), ("ct-pack-4", "quantization_status", "frozen"),
    ("gptq-4", "checkpoint_format", "marlin"), ("awq-32", "version", "gemv"),
    ("fp8-block", "quant_method", "bitnet"),
  ]) func otherFormatsAreNamed(_ name: String, _ member: String, _ value: String) throws {
    var folder = try Golden(name).folder
    try folder.config.set(["quantization_config", member], to: .string(value))
    try expectRefusal(folder, "use the unquantised model")
    if value != "bitnet" { try expectRefusal(folder, name == "awq-32" ? "gemm" : value) }
  }

  @Test func plainWeightsThatAreDeclaredQuantisedAreRefused() throws {
    var folder = try NeedleFolder()
    try folder.set(
      "quantization_config",
      .object(["quant_method": .string("gptq"), "bits": .number(4)]))
    try expectRefusal(folder, "no tensor is stored so")
  }
}
