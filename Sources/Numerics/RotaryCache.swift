/// The cosines and sines of the rotation angles of some positions, times mscale.
package struct RotaryCache: Sendable {
  package let cosines: Matrix  // (positions, pairs)
  package let sines: Matrix  // (positions, pairs)

  package init(positions: Int, pairs: Int) {
    cosines = Matrix(rows: positions, columns: pairs)
    sines = Matrix(rows: positions, columns: pairs)
  }
}
