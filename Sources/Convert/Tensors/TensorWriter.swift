import Formats
import Models
import Numerics
import Patch
import Synchronization

/// Writes planned tensors to files on several threads.
struct TensorWriter {
  /// The position of a tensor in one of the files.
  struct Placement: Sendable {
    var tensor: PlannedTensor
    /// The index of the file.
    var file: Int
    /// The position of the first byte.
    var offset: Int
  }

  /// Called with the number of bytes that were just written.
  var report: @Sendable (Int) -> Void
  var threads: Int

  /// The number of bytes that are copied at a time if the type does not change.
  private static let copiedBytes = 64 << 20

  private struct Piece: Sendable {
    var placement: Int
    /// A range of the tensor's numbers, or of its bytes if it is copied.
    var range: Range<Int>
  }

  /// Writes all tensors, piece by piece in the order of the files.
  /// - Throws: the error of the first piece that fails.
  func write(_ placements: [Placement], to files: [OpenFile]) throws {
    let pieces = placements.indices.flatMap { index in
      Self.pieces(placements[index].tensor).map { Piece(placement: index, range: $0) }
    }
    let failure = Mutex<(any Error)?>(nil)
    Parallel(threads: threads).run(pieces.count, scratch: { RowConverter() }) { number, converter in
      guard failure.withLock({ $0 == nil }) else { return }
      do {
        let piece = pieces[number]
        let placement = placements[piece.placement]
        report(try write(piece.range, of: placement, to: files[placement.file], converter))
      } catch {
        failure.withLock { $0 = $0 ?? error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private static func pieces(_ tensor: PlannedTensor) -> [Range<Int>] {
    guard tensor.isCopy else { return RowConverter.pieces(tensor) }
    return stride(from: 0, to: tensor.byteCount, by: copiedBytes).map {
      $0..<min($0 + copiedBytes, tensor.byteCount)
    }
  }

  /// Writes one piece.
  /// - Returns: the number of bytes written.
  private func write(
    _ range: Range<Int>, of placement: Placement, to file: OpenFile, _ converter: RowConverter
  ) throws -> Int {
    if placement.tensor.isCopy {
      try copy(range, of: placement, to: file)
      return range.count
    }
    let block = placement.tensor.block
    let offset = placement.offset + range.lowerBound / block.elements * block.bytes
    try converter.convert(placement.tensor, range) { try file.descriptor.write($0, at: offset) }
    RowConverter.release(placement.tensor, range)
    return range.count / block.elements * block.bytes
  }

  private func copy(_ range: Range<Int>, of placement: Placement, to file: OpenFile) throws {
    guard case .stored(let parts, _) = placement.tensor.source else { return }
    var start = 0
    for part in parts {
      let here = range.clamped(to: start..<start + part.byteCount)
      if !here.isEmpty {
        let source = try Descriptor(path: part.file.map.path, .read)
        try file.descriptor.copy(
          from: source, at: part.offset + here.lowerBound - start, count: here.count,
          to: placement.offset + here.lowerBound)
      }
      start += part.byteCount
    }
  }
}

/// A file to which several threads write different parts.
///
/// It appears when it is committed.
final class OpenFile: @unchecked Sendable {
  // @unchecked Sendable: writes to disjoint ranges of one descriptor are independent.
  private var file: OutputFile?
  let descriptor: Descriptor
  let path: String

  init(path: String) throws {
    let file = try OutputFile(path: path)
    descriptor = try Descriptor(path: file.temporaryPath, .edit)
    self.file = consume file
    self.path = path
  }

  /// Gives the file its name, which is durable only once the folder is synced.
  func commit() throws {
    if let file = file.take() { try file.commit(replacing: false, syncsFolder: false) }
  }
}
