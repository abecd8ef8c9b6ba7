import CLibFuzzer
import FuzzTargets
import Glibc

/// `lrpatch-fuzz TARGET [OPTIONS OF LIBFUZZER] [FOLDER ...]`: gives inputs to one target, guided by
/// coverage.
///
/// `lrpatch-fuzz --targets` lists the targets. `lrpatch-fuzz --unpack TARGET FOLDER` writes the
/// seeds and the corpus of a target to files, `lrpatch-fuzz --pack TARGET FOLDER BYTES` makes its
/// corpus from files. `Tests/Fuzz/fuzz.py` runs all targets.
private enum Fuzz {
  // One thread: libFuzzer calls from the thread of its main function.
  nonisolated(unsafe) static var target = FuzzTarget.gguf
  nonisolated(unsafe) static var mutator = FuzzMutator()

  private static let inherited = "LRPATCH_FUZZ_TARGET"

  /// What follows `begin`.
  enum Next {
    /// The program ends.
    case end
    /// libFuzzer runs, without the first argument.
    case dropFirst
    /// libFuzzer runs.
    case goOn
  }

  /// What the program does before libFuzzer sees its arguments.
  static func begin(_ arguments: [String]) throws -> Next {
    // A process that libFuzzer starts gets the target from the one that started it.
    if let name = getenv(inherited), let target = FuzzTarget(rawValue: String(cString: name)) {
      self.target = target
      return .goOn
    }
    let command = arguments.dropFirst().first ?? "--targets"
    if command == "--targets" {
      print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
      return .end
    }
    let isCorpus = command.hasPrefix("--")
    guard arguments.count > (isCorpus ? 3 : 1),
      let target = FuzzTarget(rawValue: arguments[isCorpus ? 2 : 1])
    else { exit(2) }
    switch command {
    case "--unpack": try FuzzCorpus.unpack(target, to: arguments[3])
    case "--pack":
      guard arguments.count > 4, let limit = Int(arguments[4]) else { exit(2) }
      try FuzzCorpus.pack(arguments[3], for: target, limit: limit)
    default:
      self.target = target
      setenv(inherited, target.rawValue, 1)
    }
    return isCorpus ? .end : .dropFirst
  }
}

/// libFuzzer's main function calls this first.
@c(LLVMFuzzerInitialize) func beginFuzzing(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
  do {
    switch try Fuzz.begin(CommandLine.arguments) {
    case .end: exit(0)
    case .goOn: return 0
    case .dropFirst: break
    }
  } catch {
    print(error)
    exit(1)
  }
  let all = arguments.pointee
  for place in 1..<Int(count.pointee) { all[place] = all[place + 1] }
  count.pointee -= 1
  return 0
}

@c(LLVMFuzzerTestOneInput) func readInput(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
  do { try Fuzz.target.read(Array(UnsafeBufferPointer(start: data, count: size))) } catch {
    preconditionFailure("\(error)")
  }
  return 0
}

/// libFuzzer calls this for every new input.
@c(LLVMFuzzerCustomMutator) func mutateInput(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32
) -> Int {
  let old = Array(UnsafeBufferPointer(start: data, count: size))
  let new = Fuzz.mutator.mutated(old, for: Fuzz.target, limit: limit, seed: UInt64(seed)) {
    bytes, limit in
    var buffer = bytes + [UInt8](repeating: 0, count: max(0, limit - bytes.count))
    let count = LLVMFuzzerMutate(&buffer, bytes.count, limit)
    return Array(buffer.prefix(count))
  }.prefix(limit)
  for (index, byte) in new.enumerated() { data[index] = byte }
  return new.count
}
