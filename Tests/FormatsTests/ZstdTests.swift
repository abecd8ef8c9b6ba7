import Formats
import Testing

@Suite("zstd") struct ZstdTests {
  @Test func roundTrips() throws {
    for bytes in [[], [1], Array(repeating: UInt8(7), count: 100_000)] as [[UInt8]] {
      #expect(try Zstd.decompress(Zstd.compress(bytes), limit: 200_000) == bytes)
    }
  }

  @Test func believesNoDeclaredSizeBeyondTheLimit() {
    let frame = Zstd.compress(Array(repeating: 0, count: 1000))
    #expect(throws: Zstd.Failure.self) { try Zstd.decompress(frame, limit: 999) }
  }

  @Test func refusesDamage() {
    let frame = Zstd.compress(Array("hello hello hello".utf8))
    #expect(throws: Zstd.Failure.self) {
      try Zstd.decompress(Array(frame.dropLast(3)), limit: 1000)
    }
    #expect(throws: Zstd.Failure.self) { try Zstd.decompress([1, 2, 3], limit: 1000) }
  }
}
