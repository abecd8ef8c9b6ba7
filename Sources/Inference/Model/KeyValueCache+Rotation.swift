import Numerics

extension KeyValueCache {
  /// Rotates the keys of all cached tokens with other tables, as if they had never been rotated.
  ///
  /// What later layers made of the first rotation stays, so this is not the same as computing the
  /// tokens again.
  /// - Parameters:
  ///   - old: the schedule that rotated the keys.
  ///   - new: the schedule to rotate them with.
  func rotateAgain(from old: RopeSchedule, to new: RopeSchedule, _ forward: ForwardPass) {
    let shape = forward.model.shape
    for (index, layer) in forward.model.layers.enumerated() where layer.attention.isRotated {
      let turns = RotaryCache(positions: count, pairs: old.pairs)
      let first = RotaryCache(positions: count, pairs: old.pairs)
      for position in 0..<count {
        old.turn(position, layer: index, into: first, at: position)
        new.turn(position, layer: index, into: turns, at: position)
        turns.divide(by: first, at: position)
      }
      let keys = layers[index].keys
      forward.engine.parallel.run(rows: count, by: Engine.rowsPerTask) { part in
        for row in part {
          forward.engine.rotate(
            keys, row: row, headDimension: shape.headDimension,
            offset: shape.rotaryOffset, by: turns, at: row, interleaved: shape.isInterleaved)
        }
      }
    }
  }
}

extension RotaryCache {
  /// Divides the turns of one row by others, as complex numbers.
  fileprivate func divide(by other: RotaryCache, at row: Int) {
    for pair in 0..<cosines.columns {
      let (cosine, sine) = (cosines[row, pair], sines[row, pair])
      let (first, second) = (other.cosines[row, pair], other.sines[row, pair])
      let square = first * first + second * second
      cosines[row, pair] = (cosine * first + sine * second) / square
      sines[row, pair] = (sine * first - cosine * second) / square
    }
  }
}

extension ForwardPass {
  /// Scores tokens beyond a place at which the cached keys are rotated again with another table.
  /// - Parameters:
  ///   - place: the number of first tokens, which `first` rotates before and `second` after it.
  ///   - scored: positions beyond `place`, in ascending order.
  /// - Throws: as `states`.
  package func scores(
    of tokens: [Int], rotatingKeysAgainAt place: Int, from first: RopeSchedule,
    to second: RopeSchedule, scored: [Int]
  ) throws -> [TokenScore] {
    let cache = KeyValueCache(model, capacity: tokens.count)
    _ = try extend(cache, by: Array(tokens[..<place]), first)
    cache.rotateAgain(from: first, to: second, self)
    let rest = Array(tokens[place..<tokens.count - 1])
    let states = try extend(cache, by: rest, second, wanted: rest.count)
    return try scored.map { try score(states, $0 - 1 - place, tokens[$0]) }
  }
}
