import Foundation
import Models
import Release
import TestSupport
import Testing

/// Tests what an update changes in a model card, and that it changes nothing else.
@Suite("Model card") struct CardTests {
  private func update(
    tags: [String] = ["long-context", "longrope"], base: String? = "org/base",
    results: [CardResult]? = nil,
    section: String = "", text: [String] = ["## Context window"]
  ) -> ModelCard.Update {
    ModelCard.Update(
      baseModel: base, tags: tags, model: "mine", results: results, section: section, text: text)
  }

  private func updated(_ text: String, _ update: ModelCard.Update) throws -> String {
    String(
      decoding: try ModelCard(parsing: Array(text.utf8), subject: "README.md").updated(update),
      as: UTF8.self)
  }

  private static let passkey = CardResult(
    metric: "passkey", name: "passkey at 1024 tokens", value: 0.5)

  @Test func writesACardThatIsNotThere() throws {
    #expect(
      try updated("", update()) == """
        ---
        base_model: org/base
        tags:
        - long-context
        - longrope
        ---

        <!-- lrpatch: begin -->
        ## Context window
        <!-- lrpatch: end -->

        """)
  }

  @Test func leavesEverythingElseAsItIs() throws {
    let card = """
      ---
      # About
      license:   mit  # of the weights
      tags:
        - "text-generation"   # a task

        # more of them
        - longrope
      language: [en,   de]
      base_model: org/base
      widget:
      - text: |
          # not a comment
          ---x
      ---
      # Mine

      Text.\u{20}\u{20}
      """
    let new = try updated(card, update())
    #expect(
      new
        == card.replacing("  - longrope\n", with: "  - longrope\n  - long-context\n")
        + "\n\n<!-- lrpatch: begin -->\n## Context window\n<!-- lrpatch: end -->\n")
    #expect(try updated(new, update()) == new)
    let other = try updated(new, update(text: ["other", "lines"]))
    #expect(other == new.replacing("## Context window", with: "other\nlines"))
  }

  @Test func keepsLineEndsAndFlowStyle() throws {
    let new = try updated(
      "---\r\ntags: [a, 'b c']  # both\r\nx: 1\r\n---\r\nText\r\n", update(base: nil))
    #expect(
      new
        == "---\r\ntags: [a, 'b c', long-context, longrope]  # both\r\nx: 1\r\n---\r\nText\r\n\r\n<!-- lrpatch: begin -->\r\n## Context window\r\n<!-- lrpatch: end -->\r\n"
    )
    // A card without YAML.
    let first = try updated("text\r\n", update(results: [Self.passkey]))
    #expect(try updated(first, update(results: [Self.passkey])) == first)
    #expect(first.utf8.count(where: { $0 == 0x0A }) == first.utf8.count(where: { $0 == 0x0D }))
    #expect(
      try updated("---\ntags:\nx: 1\n---\n", update(base: nil)).hasPrefix(
        "---\ntags:\n- long-context\n- longrope\nx: 1\n---\n"))
  }

  @Test func putsResultsBesideThoseOfOthers() throws {
    let foreign = """
      ---
      model-index:
        - name: mine
          results:
            - task: {type: text-generation}
              dataset:
                name: MMLU
                type: cais/mmlu
              metrics:
                - type: acc
                  value: 0.25   # 5-shot
            # the end
      license: mit
      ---

      """
    let once = try updated(foreign, update(results: [Self.passkey]))
    #expect(
      once.contains("value: 0.25   # 5-shot\n      - task:\n")
        && once.contains("      # the end\nlicense: mit\n"))
    #expect(once.contains("          type: lrpatch\n") && once.contains("          value: 0.5\n"))
    var better = Self.passkey
    better.value = 1
    let twice = try updated(once, update(results: [better]))
    #expect(twice == once.replacing("value: 0.5\n", with: "value: 1.0\n"))
    let gone = try updated(twice, update(results: []))
    #expect(!gone.contains("type: lrpatch") && gone.contains("type: cais/mmlu"))
    #expect(try updated(gone, update(results: [Self.passkey])) == once)
  }

  @Test func makesAModelIndex() throws {
    let new = try updated("---\nlicense: mit\n---\n", update(results: [Self.passkey]))
    #expect(
      new.contains(
        """
        model-index:
        - name: mine
          results:
          - task:
              type: text-generation
            dataset:
              name: "passkey at 1024 tokens"
              type: lrpatch
              config: "passkey at 1024 tokens"
            metrics:
            - type: passkey
              name: "passkey at 1024 tokens"
              value: 0.5

        """))
    #expect(try updated(new, update(results: [Self.passkey])) == new)
    let emptied = try updated(new, update(results: []))
    #expect(emptied.contains("  results: []\n"))
    #expect(try updated(emptied, update(results: [Self.passkey])) == new)
  }

  @Test func eachFileOfAFolderHasItsModel() throws {
    func one(_ name: String, _ value: Double) -> ModelCard.Update {
      ModelCard.Update(
        baseModel: nil, tags: [], model: name,
        results: [CardResult(metric: "passkey", name: "passkey at 1024 tokens", value: value)],
        section: name,
        text: [name])
    }
    let first = try updated("", one("a.gguf", 0.25))
    let both = try updated(first, one("b.gguf", 0.75))
    #expect(both.contains("- name: a.gguf\n") && both.contains("- name: b.gguf\n"))
    #expect(both.contains("value: 0.25") && both.contains("value: 0.75"))
    #expect(try updated(both, one("a.gguf", 0.25)) == both)
    #expect(try updated(both, one("b.gguf", 0.75)) == both)
  }

  @Test func keepsWhatStandsBesideAnEdit() throws {
    for (old, new) in [
      (
        "tags: ['foo', \"bar\"] # keep [me]",
        "tags: ['foo', \"bar\", long-context, longrope] # keep [me]"
      ),
      ("tags: [] # none", "tags: [long-context, longrope] # none"),
      ("tags: [1, 2.50,]", "tags: [1, 2.50, long-context, longrope]"),
      ("tags: [\n  a,\n  b,\n]", "tags: [\n  a,\n  b,\nlong-context, longrope]"),
      (
        "base_model:\n- 'x/y' # from",
        "base_model:\n- 'org/base' # from\ntags:\n- long-context\n- longrope"
      ),
      ("base_model: [x/y]", "base_model: [org/base]\ntags:\n- long-context\n- longrope"),
      ("tags: # todo", "tags: # todo\n- long-context\n- longrope"),
      ("tags: [a, # one\n  b] # two", "tags: [a, # one\n  b, long-context, longrope] # two"),
      (
        "base_model: \"x/y\" # from",
        "base_model: \"org/base\" # from\ntags:\n- long-context\n- longrope"
      ),
    ] {
      let base = old.hasPrefix("base") ? "org/base" : nil
      let card = try updated("\n  \n---\n\(old)\n---\n", update(base: base))
      #expect(card.hasPrefix("\n  \n---\n\(new)\n---\n"), "\(old): \(card)")
    }
  }

  @Test func sectionsOfSeveralFilesStandSideBySide() throws {
    let first = try updated("", update(section: "a.gguf", text: ["A"]))
    let both = try updated(first, update(section: "b.gguf", text: ["B"]))
    #expect(
      both.contains("begin a.gguf -->\nA\n<!--") && both.contains("begin b.gguf -->\nB\n<!--"))
    #expect(try updated(both, update(section: "a.gguf", text: ["A"])) == both)
  }

  @Test func refusesWhatItCannotEdit() throws {
    for (card, words) in [
      ("---\na: 1\n", "does not end"), ("--- \na: 1\n---\n", "blanks after"),
      ("---\na: 1\n--- \nText", "does not end"),
      ("---\na: 1\n---\r", "does not end"), ("\u{FEFF}---\na: 1\n---\n", "byte-order mark"),
      ("---\na: [1\n---\n", "cannot be read"),
      ("---\n- a\n---\n", "not a block mapping"), ("---\n{a: 1}\n---\n", "not a block mapping"),
      ("---\na: 1\na: 2\n---\n", "cannot be read"),
      ("---\ntags: one\n---\n", "not a list"),
      ("---\nbase_model: [a/b, c/d]\n---\n", "several models"),
      ("---\na: \"\u{2028}\"\n---\n", "U+2028"), ("---\n# a\r# b\rtags: []\n---\n", "U+D"),
      ("---\nmodel-index:\n- {name: mine, results: []}\n---\n", "not a block mapping"),
      ("---\nmodel-index:\n- results: []\n  name: mine\n---\n", "line of the dash"),
      ("---\nmodel-index:\n- name: mine\n  results:\n    a: b\n---\n", "not a list"),
      ("---\nmodel-index: [{name: mine, results: []}]\n---\n", "not a block list"),
      ("---\nmodel-index:\n-\n  name: mine\n---\n", "line of its dash"),
      ("text\n<!-- lrpatch: begin -->\n", "1 lines"),
      ("<!-- lrpatch: end -->\n<!-- lrpatch: begin -->\n", "in this order"),
      (
        "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n---\n",
        "has aliases"
      ), ("---\na: \(String(repeating: "[", count: 100_000))\n---\n", "nested deeper"),
      ("---\na:\n  \(String(repeating: "- ", count: 100_000))\n---\n", "nested deeper"),
    ] {
      #expect("\(card)") {
        _ = try updated(card, update(results: [Self.passkey]))
      } throws: { ("\($0)").contains(words) }
    }
    #expect(throws: ModelError.self) {
      try ModelCard(parsing: [0x2D, 0xFF, 0xFE], subject: "README.md")
    }
  }

  /// Random edits of a card never lose a line that lrpatch did not write.
  @Test func losesNothingOfAnyCard() throws {
    var seed = Seeded(1)
    let pieces = [
      "license: mit", "tags:", "- a", "  - b", "tags: [x]", "base_model: org/other",
      "base_model:\n- org/base",
      "# comment", "",
      "model-index:", "- name: mine", "  results:", "  - task:\n      type: t",
      "text: |\n  # a\n  b", "k: 'v'",
      "\"q\": 1",
    ]
    var accepted = 0
    for _ in 0..<800 {
      let lines = (0..<Int.random(in: 0..<8, using: &seed)).map { _ in
        pieces.randomElement(using: &seed) ?? ""
      }
      let card = "---\n\(lines.map { $0 + "\n" }.joined())---\nBody\n"
      guard let new = try? updated(card, update(results: [Self.passkey])) else { continue }
      accepted += 1
      #expect(try updated(new, update(results: [Self.passkey])) == new, "\(card)")
      for line in ["license: mit", "# comment", "k: 'v'", "text: |\n  # a\n  b"]
      where card.contains(line) {
        #expect(new.contains(line), "\(card)")
      }
      #expect(new.contains("\nBody\n"))
    }
    #expect(accepted > 80)
  }
}
