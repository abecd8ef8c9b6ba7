import Formats
import Models
import Numerics
import Patch

/// Converts rows of stored tensors to rows of the output.
///
/// It owns the memory that this needs, so each thread has its own.
@safe final class RowConverter: @unchecked Sendable {
  // @unchecked Sendable: one thread uses it at a time.

  /// The number of output bytes in a piece.
  static let pieceBytes = 4 << 20
  /// The number of floats that are unpacked at a time.
  ///
  /// They fit the L2 cache.
  private static let unpackedNumbers = 32 << 10

  private let output: UnsafeMutableRawPointer
  private var capacity: Int
  private var unpacked: UnsafeMutablePointer<Float>
  private var unpackedCapacity: Int

  init() {
    capacity = Self.pieceBytes
    unsafe output = .allocate(byteCount: Self.pieceBytes, alignment: 64)
    unpackedCapacity = Self.unpackedNumbers
    unsafe unpacked = .allocate(capacity: Self.unpackedNumbers)
  }

  deinit {
    unsafe output.deallocate()
    unsafe unpacked.deallocate()
  }

  /// The pieces of a tensor, which consist of whole blocks.
  ///
  /// A row may span several pieces.
  static func pieces(_ tensor: PlannedTensor) -> [Range<Int>] {
    let block = tensor.block
    let (rows, columns) = tensor.rows
    let rowBytes = max(1, columns / block.elements * block.bytes)
    if case .stored(_, let order) = tensor.source, order != .same {
      // Permuted rows are not divided.
      let step = max(1, pieceBytes / rowBytes) * columns
      return ranges(rows * columns, by: step)
    }
    // The block size of every type divides 256.
    return ranges(
      tensor.elements, by: (pieceBytes / block.bytes * block.elements).roundedDown(to: 256))
  }

  private static func ranges(_ count: Int, by step: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
  }

  /// Converts one piece and calls `body` with its bytes.
  /// - Parameter elements: one of `pieces`, in the order of the output.
  /// - Throws: `ModelError` for a number that the type cannot store.
  func convert(
    _ tensor: PlannedTensor, _ elements: Range<Int>, _ body: (RawSpan) throws -> Void
  ) throws {
    let (type, block) = (tensor.type, tensor.block)
    let byteCount = elements.count / block.elements * block.bytes
    precondition(byteCount <= capacity)
    switch tensor.source {
    case .values(let values):
      unsafe values.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        unsafe type.quantize(base + elements.lowerBound, to: output, count: elements.count)
      }
    case .stored(let parts, .same):
      try convert(parts, type, elements, tensor)
    case .stored(let parts, let order):
      try reorder(parts[0], order, type, elements, tensor)
    }
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(output), byteCount: byteCount)
    try body(span)
  }

  /// Releases the mapped memory of a piece's sources, so that models larger than memory can be
  /// converted.
  static func release(_ tensor: PlannedTensor, _ elements: Range<Int>) {
    guard case .stored(let parts, let order) = tensor.source else { return }
    var (first, last) = (elements.lowerBound, elements.upperBound)
    if order != .same {
      // A permutation stays within a head.
      let (rows, columns) = tensor.rows
      let head = max(1, rows / (order.heads ?? rows)) * columns
      (first, last) = (first.roundedDown(to: head), min(last.roundedUp(to: head), rows * columns))
    }
    var start = 0
    for part in parts where part.scaled == nil {
      let here = (first..<last).clamped(to: start..<start + part.elements)
      if !here.isEmpty, part.elements > 0 {
        let perElement = Double(part.byteCount) / Double(part.elements)
        let from = part.offset + Int(Double(here.lowerBound - start) * perElement)
        part.file.map.release(
          from..<min(from + Int(Double(here.count) * perElement), part.range.upperBound))
      }
      start += part.elements
    }
  }

  // MARK: In order

  private func convert(
    _ parts: [ModelTensor], _ type: ElementType, _ elements: Range<Int>, _ tensor: PlannedTensor
  ) throws {
    let block = tensor.block
    var start = 0
    var done = 0
    for part in parts {
      let here = elements.clamped(to: start..<start + part.elements)
      if !here.isEmpty {
        let place = unsafe output + done / block.elements * block.bytes
        try unsafe convert(
          part, here.lowerBound - start..<here.upperBound - start, type, to: place, tensor)
        done += here.count
      }
      start += part.elements
    }
  }

  private func convert(
    _ part: ModelTensor, _ elements: Range<Int>, _ type: ElementType,
    to place: UnsafeMutableRawPointer, _ tensor: PlannedTensor
  ) throws {
    let block = tensor.block
    let step = Self.unpackedNumbers
    for start in stride(from: elements.lowerBound, to: elements.upperBound, by: step) {
      let count = min(step, elements.upperBound - start)
      let target = unsafe place + (start - elements.lowerBound) / block.elements * block.bytes
      try unsafe convert(part, start, count, type, to: target, tensor)
    }
  }

  /// Converts contiguous numbers.
  ///
  /// Both ends are at block boundaries.
  private func convert(
    _ part: ModelTensor, _ start: Int, _ count: Int, _ type: ElementType,
    to target: UnsafeMutableRawPointer, _ tensor: PlannedTensor
  ) throws {
    if let scaled = part.scaled {
      unsafe scaled.unpack(elements: start..<start + count, to: unpacked)
      try unsafe store(part, start, count, type, to: target)
      return
    }
    let (stored, block) = (part.type, part.block)
    let from = part.offset + start / block.elements * block.bytes
    let range = from..<from + count / block.elements * block.bytes
    unsafe part.file.map.withUnsafeBytes(in: range) { buffer in
      guard let base = buffer.baseAddress else { return }
      if stored == type {
        unsafe target.copyMemory(from: base, byteCount: range.count)
      } else {
        unsafe stored.unpack(base, to: unpacked, count: count)
      }
    }
    if stored != type { try unsafe store(part, start, count, type, to: target) }
  }

  /// Stores the unpacked numbers as another type.
  private func store(
    _ part: ModelTensor, _ start: Int, _ count: Int, _ type: ElementType,
    to target: UnsafeMutableRawPointer
  ) throws {
    if let place = unsafe type.firstUnstorable(unpacked, count: count) {
      throw ModelError.unsupported(
        part.file.map.path,
        "tensor '\(part.name)' contains \(unsafe unpacked[place]) at element \(start + place), which \(type) cannot store"
      )
    }
    unsafe type.quantize(unpacked, to: target, count: count)
  }

  // MARK: Rows in another order

  private func reorder(
    _ part: ModelTensor, _ order: PlannedTensor.RowOrder, _ type: ElementType,
    _ elements: Range<Int>, _ tensor: PlannedTensor
  ) throws {
    let (rows, columns) = tensor.rows
    let block = tensor.block
    precondition(columns % part.block.elements == 0 && columns % block.elements == 0)
    let rowBytes = columns / block.elements * block.bytes
    if columns > unpackedCapacity {
      unsafe unpacked.deallocate()
      unsafe unpacked = .allocate(capacity: columns)
      unpackedCapacity = columns
    }
    for row in elements.lowerBound / columns..<elements.upperBound / columns {
      let target = unsafe output + (row - elements.lowerBound / columns) * rowBytes
      let from = order.source(of: row, rows: rows)
      try unsafe convert(part, from * columns, columns, type, to: target, tensor)
    }
  }
}
