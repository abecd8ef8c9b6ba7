/// The cosines and sines of the rotation angles of some positions, times mscale.
package struct RotaryCache: Sendable {
  package let cosines: Matrix  // (positions, pairs)
  package let sines: Matrix  // (positions, pairs)

  package init(positions: Int, pairs: Int) {
    cosines = Matrix(rows: positions, columns: pairs)
    sines = Matrix(rows: positions, columns: pairs)
  }

  /// Turns in the other direction, by the same angles and with the same scale.
  package var reversed: RotaryCache {
    let other = RotaryCache(positions: cosines.rows, pairs: cosines.columns)
    other.cosines.copy(cosines, at: 0)
    other.sines.copy(sines, at: 0)
    for row in 0..<sines.rows {
      for pair in 0..<sines.columns { other.sines[row, pair] = -sines[row, pair] }
    }
    return other
  }
}
