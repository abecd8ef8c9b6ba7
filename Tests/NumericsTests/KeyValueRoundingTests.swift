import Formats
import TestSupport
import Testing

@testable import Numerics

/// Keys and values as a cache of another type gives them back.
@Suite("Rounding of keys and values") struct KeyValueRoundingTests {
  /// The product of the orthonormal Walsh-Hadamard matrix with each `size` numbers.
  private func turned(_ x: [Float], _ size: Int) -> [Float] {
    x.indices.map { index in
      let start = index / size * size
      let sum = (0..<size).reduce(0.0) { sum, other in
        let isNegative = ((index - start) & other).nonzeroBitCount % 2 == 1
        return sum + Double(x[start + other]) * (isNegative ? -1 : 1)
      }
      return Float(sum / Double(size).squareRoot())
    }
  }

  private func stored(_ x: [Float], as type: ElementType) throws -> [Float] {
    let block = try #require(type.block)
    var bytes = [UInt8](repeating: 0, count: x.count / block.elements * block.bytes)
    var result = x
    try bytes.withUnsafeMutableBytes { buffer in
      let address = try #require(buffer.baseAddress)
      type.quantize(x, to: address, count: x.count)
      type.unpack(address, to: &result, count: x.count)
    }
    return result
  }

  private func matrix(_ head: Int) -> Matrix {
    var numbers = Numbers(UInt64(head))
    let x = Matrix(rows: 3, columns: 2 * head)
    for row in 0..<3 { for column in 0..<2 * head { x[row, column] = numbers.next() } }
    // A number that would spoil its block.
    x[1, 5] = 40
    return x
  }

  @Test(arguments: [(96, 1, 1), (64, 64, 64), (128, 128, 64), (192, 64, 64)])
  func headsAreTurnedAsInLlamaCpp(_ head: Int, _ keyTurn: Int, _ valueTurn: Int) throws {
    var engine = Engine(.exact, threads: 2)
    engine.cacheTypes = CacheTypes(keys: .q40, values: .q80)
    let (keys, values) = (matrix(head), matrix(head))
    engine.roundKeys(keys, head: head)
    engine.roundValues(values, head: head)
    let before = matrix(head)
    for row in 0..<3 {
      for (found, type, size) in [
        (keys, ElementType.q40, keyTurn), (values, .q80, valueTurn),
      ] {
        let wanted = turned(try stored(turned(before.row(row), size), as: type), size)
        #expect(
          zip(found.row(row), wanted).allSatisfy { abs($0 - $1) < 1e-4 }, "\(type), row \(row)")
      }
    }
  }

  @Test func floatsStay() {
    let (engine, keys, values) = (Engine(.exact, threads: 1), matrix(64), matrix(64))
    engine.roundKeys(keys, head: 64)
    engine.roundValues(values, head: 64)
    #expect((0..<3).allSatisfy { keys.row($0) == matrix(64).row($0) })
    #expect((0..<3).allSatisfy { values.row($0) == matrix(64).row($0) })
  }

  @Test func halvesAreNotTurned() throws {
    var engine = Engine(.exact, threads: 1)
    engine.cacheTypes = CacheTypes(keys: .f16, values: .bf16)
    let (keys, values) = (matrix(64), matrix(64))
    engine.roundKeys(keys, head: 64)
    engine.roundValues(values, head: 64)
    for row in 0..<3 {
      #expect(try keys.row(row) == stored(matrix(64).row(row), as: .f16))
      #expect(try values.row(row) == stored(matrix(64).row(row), as: .bf16))
    }
  }
}
