/// Rounds keys or values to the type of a cache, and gives back what is read from it.
///
/// Before they are stored as a quantised type, llama.cpp multiplies heads by orthonormal
/// Walsh-Hadamard matrices, which spread a great number over its block: keys, and queries with them,
/// by the greatest one of 64, 128, 256, ... rows that divides the head, values and results by one of
/// 64. Heads that 64 does not divide are left as they are. These matrices are their own inverses, so
/// multiplying again after the rounding gives the same attention. Queries are rounded to the type by
/// which llama.cpp multiplies such keys.
struct KeyValueRounding {
  let type: CacheType
  /// The rows of the Walsh-Hadamard matrix, a power of two; 1 for none.
  private let turned: Int

  /// - Parameter head: the size of a head.
  init(keys type: CacheType, head: Int) {
    self.init(type, head, greatestTurn: head)
  }

  /// - Parameter head: the size of a head.
  init(values type: CacheType, head: Int) {
    self.init(type, head, greatestTurn: 64)
  }

  private init(_ type: CacheType, _ head: Int, greatestTurn: Int) {
    self.type = type
    var turned = type.blockElements > 1 && head % 64 == 0 ? 64 : 1
    while turned > 1, 2 * turned <= greatestTurn, head % (2 * turned) == 0 { turned *= 2 }
    self.turned = turned
  }

  /// Rounds contiguous heads in place.
  /// - Parameters:
  ///   - stored: memory for the heads in the cache's type.
  ///   - count: the number of elements, a multiple of the head's.
  func round(
    _ heads: UnsafeMutablePointer<Float>, _ count: Int, stored: UnsafeMutableRawPointer,
    _ kernels: KernelTable
  ) {
    unsafe turn(heads, count)
    unsafe type.elementType.quantize(heads, to: stored, count: count, kernels)
    unsafe type.elementType.unpack(stored, to: heads, count: count, kernels)
    unsafe turn(heads, count)
  }

  /// Multiplies each `turned` numbers by the Walsh-Hadamard matrix.
  private func turn(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
    guard turned > 1 else { return }
    for start in stride(from: 0, to: count, by: turned) {
      var half = 1
      while half < turned {
        for pair in stride(from: start, to: start + turned, by: 2 * half) {
          for index in pair..<pair + half {
            let (sum, difference) = unsafe (x[index] + x[index + half], x[index] - x[index + half])
            unsafe x[index] = sum
            unsafe x[index + half] = difference
          }
        }
        half *= 2
      }
      let scale = 1 / Float(turned).squareRoot()
      for index in start..<start + turned { unsafe x[index] *= scale }
    }
  }
}

extension Engine {
  /// Rounds keys to the type of the cache, if it is not that of the computation.
  /// - Parameters:
  ///   - keys: (rows, heads * head), rotated; changed in place.
  ///   - head: the size of a head.
  package func roundKeys(_ keys: Matrix, head: Int) {
    round(keys, KeyValueRounding(keys: cacheTypes.keys, head: head))
  }

  /// Rounds queries to the type by which keys of the cache's type are multiplied.
  /// - Parameters:
  ///   - queries: (rows, heads * head), rotated; changed in place.
  ///   - head: the size of a head.
  package func roundQueries(_ queries: Matrix, head: Int) {
    let type = cacheTypes.keys.blockElements > 1 ? CacheType.q80 : cacheTypes.keys
    round(queries, KeyValueRounding(keys: type, head: head))
  }

  /// Rounds values to the type of the cache, if it is not that of the computation.
  /// - Parameters:
  ///   - values: (rows, heads * head); changed in place.
  ///   - head: the size of a head.
  package func roundValues(_ values: Matrix, head: Int) {
    round(values, KeyValueRounding(values: cacheTypes.values, head: head))
  }

  private func round(_ x: Matrix, _ rounding: KeyValueRounding) {
    guard rounding.type != .f32 else { return }
    precondition(x.columns % rounding.type.blockElements == 0)
    forEachRow(x.rows) { rows in
      // No type takes more than a 32-bit float for a number.
      let stored = Matrix(rows: 1, columns: x.columns)
      for row in rows {
        unsafe rounding.round(
          x.address(row: row), x.columns, stored: UnsafeMutableRawPointer(stored.pointer), kernels)
      }
    }
  }
}
