import Formats

extension ResultDocument {
  /// What was run on which files.
  public struct Provenance: Equatable, Sendable {
    /// One command that measured a part of the result.
    public struct Run: Equatable, Sendable {
      /// The command and its arguments.
      public var command: [String]
      /// The operating system.
      public var system: String
      /// The name of the processor.
      public var processor: String

      /// Creates a record of a command.
      public init(command: [String], system: String, processor: String) {
        self.command = command
        self.system = system
        self.processor = processor
      }
    }

    /// The model's files; empty if they were not read.
    public var files: [FileDigest]
    /// Texts and factors that were given, under their paths.
    public var inputs: [FileDigest]
    /// The commands, in the order in which their results were merged.
    public var runs: [Run]

    /// Creates a provenance; an empty one says nothing.
    public init(files: [FileDigest] = [], inputs: [FileDigest] = [], runs: [Run] = []) {
      self.files = files
      self.inputs = inputs
      self.runs = runs
    }
  }
}

extension ResultDocument.Provenance {
  var json: JSONValue {
    .object([
      "files": .array(files.map(\.json)), "inputs": .array(inputs.map(\.json)),
      "runs": .array(
        runs.map {
          .object([
            "command": .array($0.command.map { .string($0) }), "system": .string($0.system),
            "processor": .string($0.processor),
          ])
        }),
    ])
  }

  init(_ reader: ResultReader) throws {
    files = try reader.list("files") { try FileDigest($0) }
    inputs = try reader.list("inputs") { try FileDigest($0) }
    runs = try reader.list("runs") {
      Run(
        command: try $0.texts("command").map(\.sanitized), system: try $0.name("system"),
        processor: try $0.name("processor"))
    }
  }
}

extension FileDigest {
  fileprivate var json: JSONValue {
    .object(["name": .string(name), "size": .number(size), "sha256": .string(sha256)])
  }

  fileprivate init(_ reader: ResultReader) throws {
    self.init(
      name: try reader.name("name"), size: try reader.count("size"),
      sha256: try reader.name("sha256"))
  }
}
