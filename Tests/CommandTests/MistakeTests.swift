import Formats
import Foundation
import TestSupport
import Testing

/// What people type by mistake, and what helps them.
@Suite("Mistakes") struct MistakeTests {
  @Test(arguments: [
    ("aply factors.json model", "unknown command 'aply'; did you mean 'apply'?"),
    ("factors convrt x", "did you mean 'convert'?"),
    ("verify model --task passkye", "did you mean 'passkey'?"),
    ("verify model --task pasky", "did you mean 'passkey'?"),
    ("verify model --task ppl", "did you mean 'perplexity'?"),
    ("verify model --runtime hf,vlm", "did you mean 'vllm'?"),
    ("verify model --runtime transformers", "did you mean 'hf'?"),
    ("verify model --require passky>=0.9", "did you mean 'passkey'?"),
    ("verify model --require passkey>=95", "such as 0.95 or 95%"),
    ("verify model --require perplexity<=40%", "is not a share, expected a limit such as 40"),
    ("help verfy", "did you mean 'verify'?"),
    ("search model -o f.csv --target-length 1k", "use --csv for a table"),
    ("verify model --method slidign", "did you mean 'sliding'?"),
    ("lint model --allow no-gguff", "did you mean 'no-gguf'?"),
    ("convert model -o x.gguf --type Q4_K_M", "did you mean 'q4_k'?"),
    ("factors make model --method ntk_left --target-length 1k", "did you mean 'ntk-left'?"),
    ("search model -o f.json --target-length 1k --algorithm cmaes", "did you mean 'cma-es'?"),
    ("apply model factors.json", "the arguments are swapped"),
    ("verify --lenghts 1k", "unknown option '--lenghts'"),
    ("apply --targt-length", "unknown option '--targt-length'"),
    ("factors make model --metod pi", "unknown option '--metod'"),
    ("apply factors.json model --for all,vlm", "did you mean 'vllm'?"),
    ("--versoin", "did you mean '--version'?"), ("verify --hlep", "did you mean '--help'?"),
    ("verify model --stride 1x", "--stride: unknown value '1x'"),
    ("verify model --lengths 128 --require effective_length>=1k", "--task ruler measures it"),
    ("verify model --lengths 128 --require passkey@64>=0.9", "passkey is measured at 128"),
    ("search model -o f.json --target-length 1k --parents 100", "--parents takes a number"),
    ("convert model -o model.safetensors", "is the suffix of neither"),
    ("convert model -o new --max-shard-size 5", "as in 500M or 2G"),
    ("factors compare factors.json model --length 128", "the arguments are swapped"),
    ("factors sensitivity factors.json model --length 128", "the arguments are swapped"),
    ("diff factors.json model", "diff takes two models"),
  ]) func namesWhatWasMeant(_ line: String, _ text: String) throws {
    let folder = try TemporaryDirectory.workbench()
    let result = try Program.run(line.split(separator: " ").map(String.init), in: folder.path)
    #expect(result.status == 2 && result.errors.hasPrefix("error: "), "\(result.errors)")
    #expect(result.errors.contains(text), "\(result.errors)")
  }

  @Test(arguments: [
    ("factors.json", 3, "holds factors, where a model is expected"),
    ("model/config.json", 3, "name the folder 'model'"),
    ("modle.gguf", 5, "Did you mean 'model.gguf'?"), ("~/model", 2, "\"$HOME/model\""),
    (".", 3, "name one of the models in it: model.gguf, model"),
  ]) func saysWhatAPathIs(_ path: String, _ status: Int32, _ text: String) throws {
    let folder = try TemporaryDirectory.workbench()
    let result = try Program.run(["inspect", path], in: folder.path)
    #expect(result.status == status && result.errors.contains(text), "\(result.errors)")
  }

  @Test(arguments: [
    ("--task crossing --lengths 256 --windows 1", "--lengths"),
    ("--lengths 128 --depths 1 --samples 1 --stride 64 --method sliding", "--method, --stride"),
    ("--task perplexity --lengths 64 --depths 1 --windows 1", "--depths"),
    ("--task perplexity --lengths 64 --windows 1 --samples 2 --stride 64", "--samples, --stride"),
  ]) func namesOptionsThatNothingUses(_ line: String, _ names: String) throws {
    let folder = try TemporaryDirectory.workbench()
    let arguments = ["verify", "model", "--runtime", "hf", "--no-gates"]
    let result = try Program.run(
      arguments + line.split(separator: " ").map(String.init), in: folder.path)
    let note = "nothing that is measured uses \(names)\n"
    #expect(result.status == 0 && result.errors.contains(note), "\(result.errors)")
  }

  @Test func saysThatAWindowShrinks() throws {
    let folder = try TemporaryDirectory.workbench()
    let apply = ["apply", "factors.json"]
    for model in ["model", "model.gguf"] {
      let grown = try Program.run(apply + [model], in: folder.path)
      #expect(grown.status == 0 && !grown.errors.contains("shrinks"))
      let shrunk = try Program.run(apply + [model, "--target-length", "512"], in: folder.path)
      #expect(shrunk.status == 0, "\(shrunk.errors)")
      #expect(shrunk.errors.contains("the window shrinks from 1024 to 512 tokens"))
    }
  }

  @Test func usageFitsTheTerminal() throws {
    let folder = try TemporaryDirectory()
    for command in ["mix", "report", "factors make"] {
      let result = try Program.run(
        command.split(separator: " ").map(String.init) + ["--help"], in: folder.path,
        environment: ["COLUMNS": "60"])
      let lines = result.output.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 60 }, "\(command)")
      #expect(result.output.contains("USAGE: lrpatch \(command) "))
    }
  }

  /// Without MPI, each process would do all the work and replace what the others wrote.
  @Test(arguments: [
    ["verify", "model", "--lengths", "64", "--depths", "1", "--samples", "1"],
    ["search", "model", "--target-length", "2k", "--evaluations", "1", "-o", "found.json"],
    ["ladder", "model", "--lengths", "64", "--cache", "f32,q8_0"],
    ["certify", "model", "--replay", "certificate.json"],
  ]) func aProgramWithoutMPIRefusesToBeOneOfSeveral(_ arguments: [String]) throws {
    let folder = try TemporaryDirectory.workbench()
    let result = try Program.run(
      arguments, in: folder.path, environment: ["OMPI_COMM_WORLD_SIZE": "2"])
    #expect(result.status == 3, "\(result.errors)")
    #expect(result.errors.contains("swift build -c release --traits MPI"))
    #expect(!FileSystem.exists("\(folder.path)/found.json"))
  }

  // MARK: Errors as JSON

  @Test func anInterruptionIsADocument() throws {
    let folder = try TemporaryDirectory.workbench()
    let output = try folder.write("error.json", "")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.arguments = [
      "factors", "compare", "model", "none", "factors.json", "--length", "4k", "--documents", "60",
      "--json",
    ]
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Whoever has computed for a second is past its start.
    let end = Date(timeIntervalSinceNow: 60)
    while try secondsComputed(by: process) < 1, Date() < end { usleep(10_000) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let value = try JSONDocument(path: output).value
    #expect(value["schema"]?.text == "lrpatch.error/1" && value["code"]?.integer == 130)
    try checkSchemas([output])
  }

  /// The processor time that a process has used.
  private func secondsComputed(by process: Process) throws -> Double {
    let path = "/proc/\(process.processIdentifier)/stat"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    // After the name in parentheses, which may hold spaces, user time is field 12, counted from 1.
    let fields = text.drop { $0 != ")" }.split(separator: " ")
    return (Double(fields[12]) ?? 0) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  @Test func errorsAreDocuments() throws {
    let folder = try TemporaryDirectory.workbench()
    try folder.write("broken.gguf", "GGUF\u{3}\0\0\0")
    var paths: [String] = []
    for (line, code) in [
      ("inspect", 2), ("verify model --task nothing", 2), ("frobnicate", 2),
      ("inspect broken.gguf", 3), ("convert model -o model.gguf", 4), ("inspect absent", 5),
    ] {
      let arguments = line.split(separator: " ").map(String.init) + ["--json"]
      let result = try Program.run(arguments, in: folder.path)
      let value = try JSONDocument(parsing: Array(result.output.utf8)).value
      #expect(result.status == code && value["code"]?.integer == code, "\(line)")
      let message = try #require(value["message"]?.text)
      #expect(!message.isEmpty && result.errors.hasPrefix("error: \(message)"), "\(line)")
      paths.append(try folder.write("\(paths.count).json", result.output))
    }
    // A failed check prints the command's own document.
    for line in ["diff model.gguf model.gguf", "apply factors.json model --check"] {
      let arguments = line.split(separator: " ").map(String.init) + ["--json"]
      let result = try Program.run(arguments, in: folder.path)
      #expect(result.status <= 1 && !result.output.contains("lrpatch.error"))
      paths.append(try folder.write("\(paths.count).json", result.output))
    }
    let several = try Program.run(
      ["lint", "model", "absent", "model.gguf", "--json"], in: folder.path)
    #expect(several.status == 5)
    let list = try JSONDocument(parsing: Array(several.output.utf8)).value["documents"]?.elements
    #expect(
      list?.compactMap { $0["schema"]?.text } == [
        "lrpatch.lint/1", "lrpatch.error/1", "lrpatch.lint/1",
      ])
    paths.append(try folder.write("list.json", several.output))
    try checkSchemas(paths)
  }

  // MARK: Several models and other forms

  @Test func reportsOnEveryModel() throws {
    let folder = try TemporaryDirectory.workbench()
    let result = try Program.run(["inspect", "model", "model.gguf"], in: folder.path)
    #expect(result.status == 0 && result.output.hasPrefix("model:\n"))
    #expect(result.output.contains("\n\nmodel.gguf:\n"))
    let lint = try Program.run(
      ["lint", "model", "model.gguf", "--junit", "lint.xml", "--allow", "no-gguf,runtime-fails"],
      in: folder.path)
    #expect(lint.status == 0, "\(lint.errors)")
    let xml = String(
      decoding: try FileSystem.contents(of: "\(folder.path)/lint.xml"), as: UTF8.self)
    #expect(xml.contains("name=\"lint model\"") && xml.contains("name=\"lint model.gguf\""))
  }

  @Test func theSuffixDecidesTheFormOfFactors() throws {
    let folder = try TemporaryDirectory.workbench()
    let convert = ["factors", "convert", "factors.json", "-o"]
    let table = try Program.run(convert + ["table.csv"], in: folder.path)
    #expect(table.status == 0 && table.errors.contains("holds the long factors only"))
    let lines = try FileSystem.contents(of: "\(folder.path)/table.csv").split(separator: 0x0A)
    #expect(lines.count == 16 && String(decoding: lines[0], as: UTF8.self) == "1.0")
    let back = [
      "factors", "convert", "table.csv", "--original-length", "256", "--target-length", "1k", "-o",
    ]
    #expect(try Program.run(back + ["back.json"], in: folder.path).status == 0)
    let difference = try Program.run(["diff", "factors.json", "back.json"], in: folder.path)
    #expect(difference.status == 1 && !difference.output.contains("long_factor"))
  }

  @Test func aForeignFileOfSumsIsKept() throws {
    let folder = try TemporaryDirectory.workbench()
    let provenance = ["provenance", "model", "-q"]
    #expect(try Program.run(provenance, in: folder.path).status == 0)
    try folder.write("model/SHA256SUMS", "hello\n")
    let refused = try Program.run(provenance, in: folder.path)
    #expect(refused.status == 4 && refused.errors.contains("does not hold sums"))
  }

  @Test func searchesAndComparisonsSayWhatTheyDoNotUse() throws {
    let folder = try TemporaryDirectory.workbench()
    let search = ["search", "model", "--target-length", "512", "--documents", "2", "--part", "1/1"]
    let result = try Program.run(
      search + ["--needles", "3", "--population", "9", "--evaluations", "2", "-o", "f.json"],
      in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("the search does not use --needles, --population"))
    #expect(result.errors.contains("no held-out comparison"))
    let compare = try Program.run(
      ["factors", "compare", "model", "none", "f.json", "--length", "1k", "--documents", "2"],
      in: folder.path)
    #expect(compare.errors.contains("f.json is for 512 tokens and is compared at 1024"))
  }

  @Test func comparesAFolderWithAFile() throws {
    let folder = try TemporaryDirectory.workbench()
    let same = try Program.run(["diff", "model", "model.gguf"], in: folder.path)
    #expect(
      same.status == 0 && same.output.hasPrefix("no difference: the file is the folder"),
      "\(same.output)")
    #expect(try Program.run(["apply", "factors.json", "model.gguf"], in: folder.path).status == 0)
    let patched = try Program.run(["diff", "model.gguf", "model"], in: folder.path)
    #expect(patched.status == 1 && patched.output.contains("-tensor rope_factors_long.weight"))
    let other = try folder.copy("models/needle-256", as: "other")
    let weights = try Program.run(["diff", other, "model.gguf"], in: folder.path)
    #expect(weights.output.contains("tensor token_embd.weight: BF16 [1024, 128], other data"))
    let shapes = try Program.run(["diff", other, "model.gguf", "--skip-data"], in: folder.path)
    #expect(!shapes.output.contains("token_embd.weight"))
  }

  @Test func makesTheLastFolderOfAPath() throws {
    let folder = try TemporaryDirectory.workbench()
    let convert = ["convert", "model", "-q", "-o"]
    #expect(try Program.run(convert + ["new/m.gguf"], in: folder.path).status == 0)
    #expect(try Program.run(convert + ["none/such/m.gguf"], in: folder.path).status == 5)
    #expect(
      try Program.run(["provenance", "model", "-q", "-o", "sums"], in: folder.path).status == 0)
    #expect(FileSystem.exists("\(folder.path)/sums/SHA256SUMS"))
    #expect(!FileSystem.exists("\(folder.path)/none"))
  }
}
