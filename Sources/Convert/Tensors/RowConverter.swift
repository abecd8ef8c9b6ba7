import Formats
import Patch
import Verify

/// Turns rows of stored tensors into rows of the output, in memory of its own; each thread has one.
@safe final class RowConverter: @unchecked Sendable {
  // @unchecked Sendable: one thread uses it at a time.

  /// Bytes of output that are made at a time.
  static let pieceBytes = 4 << 20
  /// Numbers that are unpacked at a time: they stay in the second cache.
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

  /// Pieces of whole blocks that a tensor is made in. A row longer than a piece is cut.
  static func pieces(_ tensor: PlannedTensor) -> [Range<Int>] {
    let block = tensor.block
    let (rows, columns) = tensor.rows
    let rowBytes = max(1, columns / block.elements * block.bytes)
    if case .stored(_, let order) = tensor.source, order != .same {
      // Whole rows, which move as such.
      let step = max(1, pieceBytes / rowBytes) * columns
      return ranges(rows * columns, by: step)
    }
    // Every type's blocks divide 256.
    return ranges(tensor.elements, by: (pieceBytes / block.bytes * block.elements).roundedDown(to: 256))
  }

  private static func ranges(_ count: Int, by step: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
  }

  /// Makes one piece and hands its bytes to `body`.
  /// - Parameter elements: numbers of the tensor, in the output's order; one of `pieces`.
  /// - Throws: `PatchError` for a number that the type cannot hold.
  func convert(_ tensor: PlannedTensor, _ elements: Range<Int>, _ body: (RawSpan) throws -> Void) throws {
    guard let type = tensor.type else { preconditionFailure("a type that is only copied") }
    let byteCount = elements.count / type.block.elements * type.block.bytes
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

  /// Gives the memory of what a piece was made of back, so that a model larger than memory can go through.
  static func release(_ tensor: PlannedTensor, _ elements: Range<Int>) {
    guard case .stored(let parts, let order) = tensor.source else { return }
    var (first, last) = (elements.lowerBound, elements.upperBound)
    if order != .same {
      // The rows of whole heads.
      let (rows, columns) = tensor.rows
      let head = max(1, rows / (order.heads ?? rows)) * columns
      (first, last) = (first.roundedDown(to: head), min(last.roundedUp(to: head), rows * columns))
    }
    var start = 0
    for part in parts {
      let here = (first..<last).clamped(to: start..<start + part.elements)
      if !here.isEmpty, part.elements > 0 {
        let perElement = Double(part.byteCount) / Double(part.elements)
        let from = part.offset + Int(Double(here.lowerBound - start) * perElement)
        part.file.map.release(from..<min(from + Int(Double(here.count) * perElement), part.range.upperBound))
      }
      start += part.elements
    }
  }

  // MARK: In order

  private func convert(
    _ parts: [StoredTensor], _ type: WeightType, _ elements: Range<Int>, _ tensor: PlannedTensor
  ) throws {
    var start = 0
    var done = 0
    for part in parts {
      let here = elements.clamped(to: start..<start + part.elements)
      if !here.isEmpty {
        let place = unsafe output + done / type.block.elements * type.block.bytes
        try unsafe convert(part, here.lowerBound - start..<here.upperBound - start, type, to: place, tensor)
        done += here.count
      }
      start += part.elements
    }
  }

  private func convert(
    _ part: StoredTensor, _ elements: Range<Int>, _ type: WeightType, to place: UnsafeMutableRawPointer,
    _ tensor: PlannedTensor
  ) throws {
    guard let stored = part.type else { preconditionFailure("a type that is only copied") }
    let step = Self.unpackedNumbers
    for start in stride(from: elements.lowerBound, to: elements.upperBound, by: step) {
      let count = min(step, elements.upperBound - start)
      let target = unsafe place + (start - elements.lowerBound) / type.block.elements * type.block.bytes
      try unsafe convert(part, stored, start, count, type, to: target, tensor)
    }
  }

  /// Numbers that follow one another; both ends are those of blocks.
  private func convert(
    _ part: StoredTensor, _ stored: WeightType, _ start: Int, _ count: Int, _ type: WeightType,
    to target: UnsafeMutableRawPointer, _ tensor: PlannedTensor
  ) throws {
    let block = stored.block
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
    guard stored != type else { return }
    if let place = unsafe type.firstUnstorable(unpacked, count: count) {
      throw PatchError.unsupported(
        part.file.map.path,
        "tensor '\(part.name)' holds \(unsafe unpacked[place]) at element \(start + place), which \(type.rawValue) cannot store"
      )
    }
    unsafe type.quantize(unpacked, to: target, count: count)
  }

  // MARK: Rows in another order

  private func reorder(
    _ part: StoredTensor, _ order: PlannedTensor.RowOrder, _ type: WeightType, _ elements: Range<Int>,
    _ tensor: PlannedTensor
  ) throws {
    let (rows, columns) = tensor.rows
    guard let stored = part.type else { preconditionFailure("a type that is only copied") }
    precondition(columns % stored.block.elements == 0 && columns % type.block.elements == 0)
    let rowBytes = columns / type.block.elements * type.block.bytes
    if columns > unpackedCapacity {
      unsafe unpacked.deallocate()
      unsafe unpacked = .allocate(capacity: columns)
      unpackedCapacity = columns
    }
    for row in elements.lowerBound / columns..<elements.upperBound / columns {
      let target = unsafe output + (row - elements.lowerBound / columns) * rowBytes
      let from = order.source(of: row, rows: rows)
      try unsafe convert(part, stored, from * columns, columns, type, to: target, tensor)
    }
  }
}
