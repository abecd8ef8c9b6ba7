import Formats

/// Computes the position of every byte in an edited GGUF file.
struct GGUFByteLayout {
  let edit: GGUFEdit
  let header: GGUFHeader
  let blockSize: Int
  let minimumInsertion: Int
  private var writes: [LayoutEdit.Write] = []

  init(edit: GGUFEdit, header: GGUFHeader, blockSize: Int, minimumInsertion: Int) {
    self.edit = edit
    self.header = header
    self.blockSize = blockSize
    self.minimumInsertion = minimumInsertion
  }

  mutating func build(_ bytes: RawSpan) -> LayoutEdit {
    let moved = keysThatMove
    let tailIndex = firstRewrittenKey(moved)
    overwriteInPlace(moved, before: tailIndex, bytes)

    let tailStart =
      tailIndex < header.keys.count
      ? header.keys[tailIndex].range.lowerBound : header.tensorsOffset
    let keptKeys = header.keys[tailIndex...].filter { !moved.contains($0.name) }
    var tail = ByteWriter()
    for key in keptKeys { tail.write(updated(key), arraysIn: bytes) }
    let newKeys = edit.setKeys.filter { pair in
      moved.contains(pair.name) || !header.keys.contains { $0.name == pair.name }
    }
    for pair in newKeys { tail.write(GGUFKey(pair.name, pair.value), arraysIn: bytes) }
    let list = tensorList
    var listBytes = ByteWriter()
    for tensor in list { listBytes.write(tensor) }

    let room = fit(tailStart: tailStart, keys: tail.count, list: listBytes.count, list.isEmpty)
    if let padding = room.padding {
      let zeros = [UInt8](repeating: 0, count: padding)
      tail.write(GGUFKey(GGUFEdit.paddingKey, .array(GGUFArray(zeros))), arraysIn: bytes)
    }
    tail.write(raw: listBytes.bytes)
    let dataOffset = header.dataOffset + room.inserted
    let end =
      header.tensors.isEmpty
      ? (list.isEmpty
        ? tailStart + tail.count : (tailStart + tail.count).roundedUp(to: header.alignment))
      : dataOffset
    tail.write(raw: repeatElement(0, count: end - tailStart - tail.count))

    let keyCount = tailIndex + keptKeys.count + newKeys.count + (room.padding == nil ? 0 : 1)
    var counts = ByteWriter()
    counts.write(UInt64(list.count))
    counts.write(UInt64(keyCount))
    writes.append(.init(8, counts.bytes))
    // An insertion begins at a block boundary, so the bytes from there to the tail are written
    // again.
    let writeStart = room.inserted > 0 ? tailStart.roundedDown(to: blockSize) : tailStart
    joinTail(tail.bytes, at: tailStart, from: writeStart, bytes)
    writeData(list, dataOffset: end)

    return LayoutEdit(
      oldSize: bytes.byteCount,
      cutTo: header.tensors.isEmpty ? min(bytes.byteCount, end) : bytes.byteCount,
      resize: room.inserted > 0 ? .insert(offset: writeStart, count: room.inserted) : nil,
      writes: writes.sorted { $0.offset < $1.offset })
  }

  // MARK: Keys

  /// Keys that cannot stay in place: removed keys, and changed keys with a new length.
  private var keysThatMove: Set<String> {
    var result = edit.removedKeys
    result.insert(GGUFEdit.paddingKey)
    for key in header.keys {
      guard let pair = edit.setKeys.first(where: { $0.name == key.name }) else { continue }
      if !isSameWidth(key.value, pair.value) { result.insert(key.name) }
    }
    return result
  }

  private func isSameWidth(_ old: GGUFValue, _ new: GGUFValue) -> Bool {
    switch (old, new) {
    case (.string(let left), .string(let right)): left.utf8.count == right.utf8.count
    case (.array, _), (_, .array): false
    default: old.type == new.type
    }
  }

  /// The first key of the tail that is rewritten.
  ///
  /// The tail begins at the earliest key that moves, as long as the unchanged keys after it are
  /// small enough to be rewritten.
  private func firstRewrittenKey(_ moved: Set<String>) -> Int {
    var best = header.keys.count
    var cost = 0
    for (index, key) in header.keys.enumerated().reversed() {
      if moved.contains(key.name) { best = index } else { cost += key.range.count }
      if cost > GGUFEdit.tailLimit { break }
    }
    return best
  }

  private func updated(_ key: GGUFKey) -> GGUFKey {
    guard let pair = edit.setKeys.first(where: { $0.name == key.name }) else { return key }
    return GGUFKey(key.name, pair.value)
  }

  private mutating func overwriteInPlace(
    _ moved: Set<String>, before tailIndex: Int, _ bytes: RawSpan
  ) {
    for (index, key) in header.keys[..<tailIndex].enumerated() {
      if moved.contains(key.name) {
        writes.append(.init(key.range.lowerBound + 8, voidName(index, length: key.name.utf8.count)))
      } else if let pair = edit.setKeys.first(where: { $0.name == key.name }) {
        var value = ByteWriter()
        value.write(pair.value, arraysIn: bytes)
        writes.append(.init(key.valueOffset, value.bytes))
      }
    }
  }

  /// A unique name of the same length that no runtime reads.
  private func voidName(_ index: Int, length: Int) -> [UInt8] {
    let number = String(index)
    let filled =
      GGUFEdit.voidPrefix
      + String(repeating: "0", count: max(0, length - 13 - number.count)) + number
    // A name that is too short for the prefix is still unique by its number, and llama.cpp does not
    // read it.
    return Array(filled.utf8.suffix(length))
  }

  // MARK: Room

  /// The number of bytes to insert, and the number of bytes in the padding key if one is needed.
  private func fit(
    tailStart: Int, keys: Int, list: Int, _ hasNoTensors: Bool
  ) -> (inserted: Int, padding: Int?) {
    let end = tailStart + keys + list
    if !header.tensors.isEmpty, minimumInsertion == 0,
      end.roundedUp(to: header.alignment) == header.dataOffset
    {
      return (0, nil)
    }
    // The name with its length, and an array's type, element type and count.
    let overhead = 8 + GGUFEdit.paddingKey.utf8.count + 4 + 4 + 8
    if header.tensors.isEmpty {
      // Nothing follows the header. A round size leaves room for an undo record that contains the
      // size of its own file.
      let round = (end + overhead).roundedUp(to: max(1024, header.alignment))
      return (0, round - end - overhead)
    }
    let unit = max(blockSize, header.alignment)
    let needed = max(0, end + overhead - header.dataOffset).roundedUp(to: unit)
    let inserted = max(needed, minimumInsertion)
    return (inserted, header.dataOffset + inserted - end - overhead)
  }

  /// Adds the write of the tail, merged with earlier writes from `start` on.
  private mutating func joinTail(
    _ tail: [UInt8], at tailStart: Int, from start: Int, _ bytes: RawSpan
  ) {
    var whole = bytes.copy(start..<tailStart)
    var before: [LayoutEdit.Write] = []
    for write in writes {
      let cut = min(max(0, start - write.offset), write.bytes.count)
      let (kept, joined) = (write.bytes.bytes[..<cut], write.bytes.bytes[cut...])
      if !kept.isEmpty { before.append(.init(write.offset, Array(kept))) }
      let place = write.offset + cut - start
      if !joined.isEmpty { whole.replaceSubrange(place..<(place + joined.count), with: joined) }
    }
    writes = before + [.init(start, whole + tail)]
  }

  // MARK: Tensors

  private var tensorList: [GGUFTensor] {
    var list = header.tensors
    for index in list.indices {
      if let name = edit.renamedTensors[list[index].name] { list[index].name = name }
    }
    var offset = header.dataByteCount
    for added in edit.addedTensors {
      let tensor = GGUFTensor(
        added.name, floats: added.values.count, offset: offset, alignment: header.alignment)
      offset += tensor.paddedByteCount
      list.append(tensor)
    }
    return list
  }

  private mutating func writeData(_ list: [GGUFTensor], dataOffset: Int) {
    for (name, bytes) in edit.tensorData {
      guard let tensor = list.first(where: { $0.name == name }) else { continue }
      precondition(bytes.count == tensor.byteCount)
      writes.append(.init(dataOffset + tensor.offset, bytes))
    }
    var appended = ByteWriter()
    for added in edit.addedTensors {
      for value in added.values { appended.write(value) }
      appended.pad(to: header.alignment)
    }
    if appended.count > 0 {
      writes.append(.init(dataOffset + header.dataByteCount, appended.bytes))
    }
  }
}
