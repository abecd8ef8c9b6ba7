import Testing

@testable import Patch

/// Finding where a power loss stopped the insertion or removal of blocks.
///
/// XFS and ext4 move extents one by one. The size alone does not show that only some of them have
/// moved; recovery would then remove blocks at the wrong place.
@Suite("Interrupted moves") struct InterruptedMoveTests {
  static let block = 4096

  /// A file of ten blocks, of which the last one is partly used, and a gap of two before the third.
  private func move(holes: [Hole] = []) -> InterruptedMove {
    InterruptedMove(
      offset: 2 * Self.block, count: 2 * Self.block, shortSize: 9 * Self.block + 100, holes: holes)
  }

  private func blocks(_ start: Int, _ end: Int) -> Hole {
    Hole(start * Self.block, end * Self.block)
  }

  private func gap(_ move: InterruptedMove, _ now: [Hole]) -> Int? {
    move.gap(now: now, blockSize: Self.block).map { $0 / Self.block }
  }

  @Test func isAtItsPlaceOnceEverythingHasMoved() {
    #expect(gap(move(), [blocks(2, 4)]) == 2)
  }

  @Test(arguments: [0, 1]) func isAtItsPlaceWhenItIsBeingFilled(_ written: Int) {
    #expect(gap(move(), [blocks(2 + written, 3 + written)]) == 2)
    #expect(gap(move(), []) == 2)
  }

  @Test(arguments: 3...8) func isWhereTheMoveStopped(_ place: Int) {
    #expect(gap(move(), [blocks(place, place + 2)]) == place)
  }

  @Test func isAtTheEndBeforeAnythingHasMoved() {
    let end = Hole(10 * Self.block, move().longSize)
    #expect(move().gap(now: [end], blockSize: Self.block) == move().shortSize)
  }

  @Test func isFoundAmongHolesThatWereThere() {
    let sparse = move(holes: [blocks(5, 7)])
    #expect(gap(sparse, [blocks(2, 4), blocks(7, 9)]) == 2)
    #expect(gap(sparse, [blocks(7, 9)]) == 2)
    #expect(gap(sparse, [blocks(3, 5), blocks(7, 9)]) == 3)
    #expect(gap(sparse, [blocks(5, 7), blocks(8, 10)]) == 8)
    // Next to an old hole, the two are one, and any place in it is right.
    #expect(gap(sparse, [blocks(5, 9)]) == 5)
  }

  @Test func isUnknownIfTheHolesFitNoPlace() {
    #expect(gap(move(), [blocks(5, 6)]) == nil)
    #expect(gap(move(), [blocks(3, 5), blocks(7, 8)]) == nil)
    #expect(gap(move(holes: [blocks(5, 7)]), [blocks(3, 5)]) == nil)
  }

  @Test(arguments: [
    [Hole(-1, 4)], [Hole(4, 4)], [Hole(8, 4)], [Hole(0, 101)], [Hole(4, 8), Hole(6, 9)],
  ]) func refusesImplausibleHoles(_ holes: [Hole]) {
    #expect(!Hole.arePlausible(holes, below: 100))
    #expect(Hole.arePlausible([Hole(0, 4), Hole(4, 100)], below: 100))
  }
}
