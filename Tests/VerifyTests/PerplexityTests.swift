import Formats
import Foundation
import TestSupport
import Testing

@testable import Inference
@testable import Models
@testable import Numerics
@testable import Patch
@testable import Verify

/// The windows that each method of perplexity measures, and how fast kernels change it.
@Suite("Perplexity") struct PerplexityTests {
  /// A carriage return is a token of its own, which would raise perplexities.
  @Test func shipsATextWithoutCarriageReturns() throws {
    let text = try ShippedText.text()
    #expect(text.utf8.count > 1_000_000 && !text.utf8.contains(0x0D))
    #expect(LineEnds.remark(text.utf8, name: "book") == nil)
    #expect(LineEnds.remark("a\rb\nc".utf8, name: "x") == nil)
    #expect(LineEnds.remark("a\r\nb".utf8, name: "x.txt")?.hasPrefix("x.txt: has CRLF") == true)
  }

  @Test func cutsWindowsAsEachMethodDoes() throws {
    let text = Array(100..<130)
    func measure(_ method: Perplexity.Method, _ length: Int, stride: Int = 4) throws -> Perplexity {
      try Perplexity(
        text, length: length, method: method, stride: stride, beginning: 1,
        maximumWindows: 3)
    }
    let truncated = try measure(.truncate, 6).windows
    // Documents begin at multiples of 8, whatever other lengths are measured.
    #expect(
      truncated.map(\.tokens) == [
        [1, 100, 101, 102, 103, 104], [1, 108, 109, 110, 111, 112], [1, 116, 117, 118, 119, 120],
      ])
    #expect(truncated[0].scored == [1, 2, 3, 4, 5])
    let sliding = try measure(.sliding, 6).windows
    #expect(
      sliding[1].tokens == [1, 104, 105, 106, 107, 108] && sliding[1].scored == [2, 3, 4, 5])
    let hf = try measure(.hfStride, 6).windows
    #expect(
      hf[0].tokens == [1, 100, 101, 102, 103, 104]
        && hf[1].tokens == [103, 104, 105, 106, 107, 108])
    #expect(hf[1].scored == [2, 3, 4, 5])
    let chunks = try measure(.llamaCpp, 6).windows
    #expect(chunks[1].tokens == [1, 106, 107, 108, 109, 110] && chunks[1].scored == [4, 5])
    #expect(throws: ModelError.self) { try measure(.sliding, 40) }
  }

  /// Longer documents begin where shorter ones do, and every length scores as many tokens.
  @Test func aLengthDoesNotDependOnTheOthers() throws {
    let text = Array(0..<40_000)
    func starts(_ length: Int) throws -> [Int] {
      try Perplexity(
        text, length: length, method: .truncate, beginning: nil, maximumWindows: nil
      ).windows.map(\.start)
    }
    #expect(try starts(256).count == 64 && starts(1024).count == 16)
    #expect(try starts(1024).allSatisfy(Set(starts(256)).contains))
    #expect(try starts(1000).prefix(16) == starts(1024)[...])
    #expect(try starts(20_000) == [0] && starts(32_768) == [0])
  }

  @Test func fastIsCloseToExact() throws {
    let path = Fixture.path("models/needle-256-x4")
    let policy = try RopePolicy(
      #require(try Inspection(ModelSession(path: path, exclusive: false)).readings.first))
    let model = try Transformer(path: path)
    let tokens = try Tokenizer(path: path).encode(
      String(
        decoding: FileSystem.contents(of: Fixture.path("text/moby-dick-opening.txt")), as: UTF8.self
      ))
    let measure = try Perplexity(
      tokens, length: 256, method: .truncate, beginning: 0, maximumWindows: 4)
    for kernels in KernelTable.all {
      let fast = ForwardPass(model, Engine(.fast, threads: 2, kernels: kernels, usesBF16: true))
      let exact = ForwardPass(model, Engine(.exact, threads: 1, kernels: KernelTable.all[0]))
      try Retention(measure).run(Scoring(fast, [policy]), baseline: Scoring(exact, [policy])) {
        result in
        #expect(
          abs(result.ratio - 1) < 0.003 && result.divergence < 0.001, "\(kernels.name): \(result)")
      }
    }
  }
}
