package import Formats

/// A copy of the trained fixture model in memory, to be changed and written as a folder.
package struct NeedleFolder {
  /// A tensor with its bytes.
  package struct Tensor {
    package var name: String
    package var type: ElementType
    package var shape: [Int]
    package var bytes: [UInt8]

    package init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
      self.name = name
      self.type = type
      self.shape = shape
      self.bytes = bytes
    }
  }

  package var config: JSONDocument
  package var tensors: [Tensor]
  /// Other files by name: the tokenizer's, and what a test adds.
  package var files: [String: [UInt8]]

  /// - Parameter fixture: the folder's path in fixtures.
  package init(_ fixture: String = "models/needle-256") throws {
    let folder = Fixture.path(fixture)
    files = try snapshot(folder).filter { !$0.key.hasSuffix(".safetensors") }
    config = try JSONDocument(parsing: files.removeValue(forKey: "config.json") ?? [])
    let path = "\(folder)/model.safetensors"
    let (header, bytes) = (
      try SafetensorsFile(path: path).header, try FileSystem.contents(of: path)
    )
    tensors = header.tensors.map { tensor in
      let start = header.dataOffset + tensor.range.lowerBound
      return Tensor(
        name: tensor.name, type: tensor.dtype, shape: tensor.shape,
        bytes: Array(bytes[start..<start + tensor.range.count]))
    }
  }

  package subscript(_ name: String) -> Tensor? { tensors.first { $0.name == name } }

  /// Sets a member of config.json.
  package mutating func set(_ name: String, _ value: JSONValue) throws {
    try config.set([name], to: value)
  }

  /// Replaces the rotary scaling by another one, in the style of older configs.
  package mutating func setScaling(_ members: JSONValue) throws {
    try config.remove(["rope_parameters"])
    try set("rope_theta", .number(10_000.0))
    try set("rope_scaling", members)
  }

  package mutating func rename(_ change: (String) -> String) {
    for index in tensors.indices { tensors[index].name = change(tensors[index].name) }
  }

  /// Writes the folder with the tensors in one file.
  /// - Returns: its path.
  @discardableResult
  package func write(to place: TemporaryDirectory, as name: String = "m") throws -> String {
    try write(to: place, as: name, shards: ["model.safetensors": tensors])
  }

  /// Writes the folder with given weight files.
  @discardableResult
  package func write(
    to place: TemporaryDirectory, as name: String = "m", shards: [String: [Tensor]]
  ) throws -> String {
    for (file, bytes) in files { try place.write("\(name)/\(file)", bytes) }
    try place.write("\(name)/config.json", JSONStyle.standard.encode(config.value) + [0x0A])
    for (file, tensors) in shards { try place.write("\(name)/\(file)", Self.encode(tensors)) }
    return "\(place.path)/\(name)"
  }

  private static func encode(_ tensors: [Tensor]) throws -> [UInt8] {
    let writer = try SafetensorsWriter(
      metadata: [("format", "pt")],
      tensors: tensors.map {
        SafetensorsTensor(
          name: $0.name, dtype: $0.type, shape: $0.shape, range: 0..<$0.bytes.count)
      })
    return writer.tensors.reduce(into: writer.header) { bytes, tensor in
      bytes += tensors.first { $0.name == tensor.name }?.bytes ?? []
    }
  }

  /// model.safetensors.index.json for given weight files.
  package static func index(_ shards: [String: [Tensor]]) -> [UInt8] {
    let map = shards.sorted { $0.key < $1.key }.flatMap { file, tensors in
      tensors.map { JSONMember($0.name, .string(file)) }
    }
    return JSONStyle.standard.encode(
      .object(["metadata": .object(["total_size": .number(0)]), "weight_map": .object(map)]))
  }
}
