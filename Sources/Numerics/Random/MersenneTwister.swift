/// The generator behind Python's `random` and NumPy's `RandomState`.
///
/// Source: M. Matsumoto, T. Nishimura, Mersenne Twister, ACM TOMACS 8 (1998). The two seeding
/// functions are those of the authors' 2002 version.
struct MersenneTwister: Codable, Equatable, Sendable {
  private static let size = 624
  private static let middle = 397

  private var state: [UInt32]
  private var index = Self.size

  /// `init_genrand`, which NumPy's `seed` uses.
  init(seed: UInt32) {
    state = [seed]
    for index in 1..<Self.size {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
  }

  /// `init_by_array`, which Python's `seed` uses.
  ///
  /// `key` must not be empty.
  init(key: [UInt32]) {
    self.init(seed: 19_650_218)
    var position = 1
    for step in 0..<max(Self.size, key.count) {
      let place = step % key.count
      state[position] = mixed(position, 1_664_525) &+ key[place] &+ UInt32(place)
      position = next(position)
    }
    for _ in 1..<Self.size {
      state[position] = mixed(position, 1_566_083_941) &- UInt32(position)
      position = next(position)
    }
    state[0] = 0x8000_0000
  }

  /// 32 random bits.
  mutating func next() -> UInt32 {
    if index == Self.size { refill() }
    var bits = state[index]
    index += 1
    bits ^= bits >> 11
    bits ^= bits << 7 & 0x9D2C_5680
    bits ^= bits << 15 & 0xEFC6_0000
    return bits ^ bits >> 18
  }

  private func mixed(_ position: Int, _ factor: UInt32) -> UInt32 {
    let last = state[position - 1]
    return state[position] ^ (last ^ last >> 30) &* factor
  }

  /// The index after `position`.
  ///
  /// At the end, copies the last word to the front and wraps around.
  private mutating func next(_ position: Int) -> Int {
    guard position + 1 == Self.size else { return position + 1 }
    state[0] = state[Self.size - 1]
    return 1
  }

  private mutating func refill() {
    for place in 0..<Self.size {
      let joined = state[place] & 0x8000_0000 | state[(place + 1) % Self.size] & 0x7FFF_FFFF
      let twist: UInt32 = joined & 1 == 0 ? 0 : 0x9908_B0DF
      state[place] = state[(place + Self.middle) % Self.size] ^ joined >> 1 ^ twist
    }
    index = 0
  }
}
