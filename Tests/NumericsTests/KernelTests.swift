import CKernels
import Formats
import Foundation
import TestSupport
import Testing

@testable import Numerics

/// Compares the kernels of every instruction set of this machine with the portable ones.
@Suite("Kernels") struct KernelTests {
  private static let portable = KernelTable.all[0]
  private static func close(_ a: [Float], _ b: [Float], _ tolerance: Float = 2e-6) -> Bool {
    zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
  }

  @Test func theBestIsAmongThem() {
    #expect(
      KernelTable.all.map(\.name).contains(KernelTable.best.name)
        && Self.portable.name == "portable")
  }

  @Test(arguments: [1, 7, 64, 131]) func rowFunctionsAgree(_ width: Int) {
    var numbers = Numbers(UInt64(width))
    let x = numbers.list(3 * width, scale: 3)
    let (weight, bias) = (numbers.list(width), numbers.list(width))
    func results(_ table: KernelTable) -> [[Float]] {
      let functions = table.functions.pointee
      var rms = x
      functions.rms_norm(x, weight, 1e-5, 3, width, &rms)
      var layer = x
      functions.layer_norm(x, weight, bias, 1e-5, 3, width, &layer)
      var gate = x
      gate[0] = -200
      functions.silu_gate(&gate, x.reversed(), x.count)
      var sum = x
      functions.add_scaled(&sum, x.reversed(), 0.3, x.count)
      var greatest = 0
      let total = functions.log_sum_exp(x, x.count, &greatest)
      return [rms, layer, gate, sum, [Float(total), Float(greatest)]]
    }
    let expected = results(Self.portable)
    for table in KernelTable.all {
      for (found, wanted) in zip(results(table), expected) {
        #expect(Self.close(found, wanted), "\(table.name)")
      }
    }
  }

  @Test(arguments: [(1, 1), (3, 7), (4, 64), (9, 131), (17, 600)])
  func productsOfOneRowAgree(_ n: Int, _ k: Int) {
    var numbers = Numbers(UInt64(n * k))
    let (x, stored) = (numbers.list(k), numbers.list(n * k))
    // The same numbers as bf16 (the upper halves of the floats) and as floats.
    let halves = stored.map { UInt16($0.bitPattern >> 16) }
    let floats = halves.map { Float(bitPattern: UInt32($0) << 16) }
    let exact = (0..<n).map { row in
      Float((0..<k).reduce(0.0) { $0 + Double(x[$1]) * Double(floats[row * k + $1]) })
    }
    for table in KernelTable.all {
      var (fromFloats, fromHalves) = (exact.map { _ in Float.nan }, exact.map { _ in Float.nan })
      table.functions.pointee.dot_rows(x, floats, k, n, k, &fromFloats)
      table.functions.pointee.dot_rows_bf16(x, halves, n, k, &fromHalves)
      #expect(Self.close(fromFloats, exact, 2e-5), "\(table.name)")
      #expect(Self.close(fromHalves, exact, 2e-5), "\(table.name)")
    }
  }

  /// The inputs of the last shape take several passes.
  @Test(arguments: [(1, 1, 1), (5, 33, 7), (13, 64, 64), (128, 80, 129), (7, 40, 1301)])
  func productsAgree(_ m: Int, _ n: Int, _ k: Int) {
    var numbers = Numbers(UInt64(m * n * k))
    let (a, b) = (Matrix(rows: m, columns: k), Matrix(rows: n, columns: k))
    for row in 0..<m { for column in 0..<k { a[row, column] = numbers.next() } }
    for row in 0..<n { for column in 0..<k { b[row, column] = numbers.next() } }
    let transposed = Matrix.transposed(MatrixPart(b))
    let exact = (0..<m).map { row in
      (0..<n).map { column in
        (0..<k).reduce(0.0) { $0 + Double(a[row, $1]) * Double(b[column, $1]) }
      }
    }
    func isTriple(_ out: Matrix, _ tolerance: Double) -> Bool {
      (0..<m).allSatisfy { row in
        (0..<n).allSatisfy { column in
          abs(Double(out[row, column]) - 3 * exact[row][column])
            < tolerance * Double(k).squareRoot()
        }
      }
    }
    for table in KernelTable.all {
      let halves = BF16Matrix(rows: m, columns: k)
      table.round(MatrixPart(a), into: halves)
      let packed = PackedBF16(outputs: n, inputs: k, table)
      table.packRows(MatrixPart(b), into: packed)
      let out = Matrix.zeros(rows: m, columns: n)
      table.multiply(halves, inputs: k, packed, into: MatrixPart(out))
      table.packColumns(MatrixPart(transposed), into: packed)
      table.multiply(halves, inputs: k, packed, into: MatrixPart(out), alpha: 2, accumulates: true)
      #expect(isTriple(out, 0.05), "\(table.name)")

      let floats = PackedF32(outputs: n, inputs: k)
      table.packRows(MatrixPart(b), into: floats)
      table.multiply(MatrixPart(a), floats, into: MatrixPart(out))
      table.packColumns(MatrixPart(transposed), into: floats)
      table.multiply(MatrixPart(a), floats, into: MatrixPart(out), alpha: 2, accumulates: true)
      #expect(isTriple(out, 1e-5), "\(table.name)")
    }
  }

  /// The first outputs and inputs of a factor give the product of these alone.
  @Test(arguments: [(5, 33, 40), (13, 64, 129)]) func productsOfPartsAgree(
    _ m: Int, _ n: Int, _ k: Int
  ) {
    var numbers = Numbers(UInt64(m * n * k))
    let a = Matrix(rows: m, columns: 27)
    let b = Matrix(rows: n, columns: k)
    for row in 0..<m { for column in 0..<27 { a[row, column] = numbers.next() } }
    for row in 0..<n { for column in 0..<k { b[row, column] = numbers.next() } }
    let part = MatrixPart(b, rows: 0..<20, columns: 0..<27)
    for table in KernelTable.all {
      let halves = BF16Matrix(rows: m, columns: 27)
      table.round(MatrixPart(a), into: halves)
      let (whole, alone) = (
        PackedBF16(outputs: n, inputs: k, table), PackedBF16(outputs: 20, inputs: 27, table)
      )
      table.packRows(MatrixPart(b), into: whole)
      table.packRows(part, into: alone)
      let (out, wanted) = (Matrix(rows: m, columns: 20), Matrix(rows: m, columns: 20))
      table.multiply(halves, inputs: 27, whole, into: MatrixPart(out))
      table.multiply(halves, inputs: 27, alone, into: MatrixPart(wanted))
      #expect((0..<m).allSatisfy { out.row($0) == wanted.row($0) }, "\(table.name)")
      let (wholeFloats, aloneFloats) = (
        PackedF32(outputs: n, inputs: k), PackedF32(outputs: 20, inputs: 27)
      )
      table.packRows(MatrixPart(b), into: wholeFloats)
      table.packRows(part, into: aloneFloats)
      table.multiply(MatrixPart(a), wholeFloats, into: MatrixPart(out))
      table.multiply(MatrixPart(a), aloneFloats, into: MatrixPart(wanted))
      #expect((0..<m).allSatisfy { out.row($0) == wanted.row($0) }, "\(table.name)")
    }
  }

  /// Compares products of blocks (Q8_0, and random blocks of other types) with those of unpacked
  /// weights.
  @Test(arguments: ElementType.all.filter(\.canPackInt8)) func productsOfBytesAgree(
    _ type: ElementType
  ) throws {
    var numbers = Numbers(77)
    let (m, n, k) = (13, 40, 512)
    let size = try #require(type.block)
    let blockCount = n * k / size.elements
    var stored = [UInt8](repeating: 0, count: blockCount * size.bytes)
    for index in stored.indices {
      stored[index] = UInt8(truncatingIfNeeded: Int(numbers.next() * 128))
    }
    // Scales of about 0.02, in the first four bytes of a block.
    for block in 0..<blockCount {
      let start = block * size.bytes
      stored.replaceSubrange(start..<start + 2, with: [0x1F, 0x25])
      if [.q4K, .q5K].contains(type) {
        stored.replaceSubrange(start + 2..<start + 4, with: [0x1F, 0x21])
      }
    }
    let x = Matrix(rows: m, columns: k)
    for row in 0..<m { for column in 0..<k { x[row, column] = numbers.next() } }
    var weights = [Float](repeating: 0, count: n * k)
    stored.withUnsafeBytes {
      type.unpack($0.baseAddress!, to: &weights, count: n * k, Self.portable)
    }
    for table in KernelTable.all {
      let bytes = Int8Matrix(rows: m, columns: k)
      table.round(x, rows: 0..<m, into: bytes)
      let packed = PackedInt8(outputs: n, inputs: k, table)
      stored.withUnsafeBytes {
        type.pack($0.baseAddress!, outputs: n, inputs: k, into: packed, table)
      }
      let out = Matrix(rows: m, columns: n)
      table.multiply(bytes, packed, into: MatrixPart(out))
      var (difference, norm) = (0.0, 0.0)
      for row in 0..<m {
        for column in 0..<n {
          let exact = (0..<k).reduce(0.0) {
            $0 + Double(x[row, $1]) * Double(weights[column * k + $1])
          }
          difference += (Double(out[row, column]) - exact) * (Double(out[row, column]) - exact)
          norm += exact * exact
        }
      }
      #expect((difference / norm).squareRoot() < 0.01, "\(table.name), \(type)")
    }
  }

  /// The kernels have their own table in C, which must agree with that of Formats.
  @Test func knowTheElementTypesOfTheFormats() {
    let unpacked = ElementType.all.filter(\.canUnpack)
    #expect(unpacked.count == 28)
    #expect(ElementType.all.filter(\.canPackInt8) == [.q40, .q80, .q4K, .q5K])
    for type in unpacked {
      let block = kernels_block(type.ggmlNumber ?? .max)
      #expect(
        Int(block.elements) == type.block?.elements && Int(block.bytes) == type.block?.bytes,
        "\(type)")
    }
  }

  private static func stored(_ type: ElementType, _ x: [Float], _ table: KernelTable) -> [UInt8] {
    guard let block = type.block else { return [] }
    var bytes = [UInt8](repeating: 0xAA, count: x.count / block.elements * block.bytes)
    bytes.withUnsafeMutableBytes { buffer in
      if let base = buffer.baseAddress { type.quantize(x, to: base, count: x.count, table) }
    }
    return bytes
  }

  /// Every instruction set writes gguf-py's bytes.
  ///
  /// Types that gguf-py cannot write have at most llama.cpp's error.
  @Test func storesNumbersAsItsPeersDo() throws {
    let golden = try JSONDocument(path: Fixture.path("golden/quantize.json")).value
    let x = Numbers.toQuantize(seed: 2024, count: 64 << 10)
    #expect(sha256(x.withUnsafeBytes { Array($0) }) == golden["numbers"]?.text)
    for (name, hash) in try #require(golden["sha256"]?.members).map({ ($0.name, $0.value) }) {
      let type = try #require(ElementType.named(name))
      for table in KernelTable.all {
        #expect(sha256(Self.stored(type, x, table)) == hash.text, "\(name), \(table.name)")
      }
    }
    let tail = Array(x[2048...])
    for (name, value) in try #require(golden["error_of_llama_cpp"]?.members).map({
      ($0.name, $0.value)
    }) {
      let type = try #require(ElementType.named(name))
      let all = KernelTable.all.map { Self.stored(type, tail, $0) }
      #expect(all.allSatisfy { $0 == all[0] }, "\(name)")
      var back = [Float](repeating: 0, count: tail.count)
      all[0].withUnsafeBytes {
        type.unpack($0.baseAddress!, to: &back, count: tail.count, Self.portable)
      }
      let error =
        zip(back, tail).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        / Double(tail.count)
      #expect(try error <= 1.01 * #require(value.double), "\(name): \(error)")
    }
  }

  @Test func findsTheFirstThatCannotBeStored() {
    for table in KernelTable.all {
      for place in [0, 5, 31, 98] {
        for bad in [Float.nan, .infinity, -.infinity] {
          var x = [Float](repeating: 65504, count: 99)
          x[place] = bad
          x[98] = place == 98 ? bad : 1e6
          #expect(ElementType.q4K.firstUnstorable(x, count: 99, table) == place)
          #expect(ElementType.q4K.firstUnstorable(x, count: place, table) == nil)
          #expect(ElementType.f32.firstUnstorable(x, count: 99, table) == nil)
          #expect(ElementType.bf16.firstUnstorable(x, count: 99, table) == nil)
          // Infinity is stored as it is; a finite number that would become infinite is refused.
          #expect(ElementType.f16.firstUnstorable(x, count: 99, table) == (place == 98 ? nil : 98))
        }
      }
    }
  }
}
