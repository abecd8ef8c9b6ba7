import Formats
import Models
import TestSupport
import Testing

/// What people take for a model is named, with the remedy.
@Suite("Files that are not a model") struct ForeignFileTests {
  @Test func foreignFilesAreNamed() throws {
    let place = try TemporaryDirectory()
    try place.write("adapter/adapter_config.json", "{\"base_model_name_or_path\": \"some/base\"}")
    try place.write("meta/params.json", "{}")
    let config = try FileSystem.contents(of: Fixture.path("models/needle-256/config.json"))
    for (name, file) in [
      ("pickle", "pytorch_model.bin"), ("native", "consolidated.safetensors"), ("bare", "x.txt"),
    ] {
      try place.write("\(name)/config.json", config)
      try place.write("\(name)/\(file)", "x")
    }
    var unmerged = try NeedleFolder()
    unmerged.rename { "base_model.model." + $0 }
    try unmerged.write(to: place, as: "unmerged")
    let gguf = try FileSystem.contents(of: Fixture.path("models/needle-256.gguf"))
    for name in ["m.gguf.part1of2", "m.Q4.gguf-split-a", "m.gguf.00"] {
      try place.write(name, gguf)
    }
    for (name, type) in [("i", "imatrix"), ("p", "mmproj"), ("l", "adapter")] {
      try place.write("\(name).gguf", GGUFBuilder.llama().key("general.type", type).bytes)
    }
    try place.write("weights.bin", "x")
    for (name, words) in [
      ("adapter", ["adapter", "some/base", "merge"]), ("meta", ["params.json"]),
      ("pickle", ["pytorch_model.bin", "safetensors"]), ("native", ["consolidated"]),
      ("bare", ["no safetensors weights"]), ("unmerged", ["base_model.model.", "merge"]),
      ("pickle/config.json", ["name the folder", "/pickle'"]),
      ("m.gguf.part1of2", ["piece", "cat m.gguf"]), ("m.Q4.gguf-split-a", ["cat m.Q4.gguf"]),
      ("m.gguf.00", ["piece"]), ("i.gguf", ["importance matrix"]), ("p.gguf", ["mmproj"]),
      ("l.gguf", ["adapter"]), ("weights.bin", ["pickle"]),
    ] {
      do {
        _ = try ModelTensors(ModelFile(path: "\(place.path)/\(name)"))
        Issue.record("\(name) was opened")
      } catch {
        for word in words { #expect("\(error)".contains(word), "\(name): \(error)") }
      }
    }
  }
}
