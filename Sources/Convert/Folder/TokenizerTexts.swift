import Formats
import Inference
import Models
import Patch

/// The tokenizer files of a folder, made from a GGUF vocabulary: tokenizer.json,
/// tokenizer_config.json and generation_config.json.
struct TokenizerTexts {
  private(set) var texts: [(name: String, bytes: [UInt8])] = []
  private(set) var remarks: [String] = []

  private let vocabulary: StoredVocabulary
  private let header: GGUFHeader

  /// Reads the vocabulary of a file.
  /// - Throws: `ModelError` for a vocabulary of a kind other than `gpt2` and `llama`.
  init(_ file: borrowing GGUFFile, path: String) throws {
    vocabulary = try StoredVocabulary(file, path: path)
    header = file.header
    let kept = PreservedConfigs.value("tokenizer", in: header)
    let made: JSONValue =
      switch vocabulary.kind {
      case .merges: try ByteLevelTokenizer(vocabulary).json
      case .pieces: PieceTokenizer(vocabulary).json
      }
    let json = kept.map { Self.merged($0, made) } ?? made
    add(TokenizerFile.name, json)
    addConfigs()
    if kept == nil {
      remarks.append(
        "a GGUF file does not store how the tokenizer normalizes text and which tokens absorb white space; the new tokenizer behaves like llama.cpp's"
      )
    }
  }

  private mutating func add(_ name: String, _ json: JSONValue) {
    // The tokenizers library writes its file without a final newline.
    texts.append(
      (name, JSONStyle.standard.encode(json) + (name == TokenizerFile.name ? [] : [0x0A])))
  }

  /// The preserved tokenizer with the vocabulary and merges of the file.
  private static func merged(_ kept: JSONValue, _ made: JSONValue) -> JSONValue {
    guard case .object(let members) = kept, case .object(let model)? = kept["model"] else {
      return made
    }
    let own = ["vocab", "merges"].compactMap { name in
      made["model"]?[name].map { JSONMember(name, $0) }
    }
    return .object(
      members.map {
        $0.name == "model"
          ? JSONMember(
            "model", .object(model.filter { $0.name != "vocab" && $0.name != "merges" } + own)) : $0
      })
  }

  // MARK: Configs

  private mutating func addConfigs() {
    var config =
      PreservedConfigs.value("tokenizer_config", in: header) ?? vocabulary.tokenizerConfig
    let templates = ChatTemplates(header)
    if case .object(var members) = config, let member = templates.member {
      members.append(JSONMember("chat_template", member))
      config = .object(members)
    }
    add(ModelFolder.tokenizerConfigName, config)
    texts += templates.files
    if let generation = PreservedConfigs.value("generation_config", in: header)
      ?? vocabulary.generationConfig
    {
      add(GenerationKeys.fileName, generation)
    }
  }
}

/// The values of the keys `tokenizer.ggml.*`.
struct StoredVocabulary {
  enum Kind: Int {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  let path: String
  let kind: VocabularyKind
  let pre: String
  let tokens: [String]
  let kinds: [Kind]
  let scores: [Float]
  let merges: [String]
  /// The merges of the folder from which the file was converted, if they are preserved.
  let keptMerges: [String]?
  /// Added tokens that were not in the vocabulary of that folder.
  let onlyAdded: Set<Int>
  let addsPrefix: Bool
  let absorbsSpace: Bool
  private let header: GGUFHeader

  init(_ file: borrowing GGUFFile, path: String) throws {
    let header = file.header
    self.header = header
    self.path = path
    func text(_ name: String) -> String? { header[key: "tokenizer.ggml.\(name)"]?.text }
    let model = text("model") ?? "none"
    guard let kind = VocabularyKind(model) else {
      throw ModelError.unsupported(
        path,
        "a vocabulary of the kind '\(model.sanitized)' cannot be converted, expected \(VocabularyKind.list)"
      )
    }
    self.kind = kind
    pre = text("pre") ?? "default"
    guard let tokens = try file.strings("tokenizer.ggml.tokens"), !tokens.isEmpty else {
      throw ModelError.unsupported(path, "the vocabulary has no tokens")
    }
    self.tokens = tokens
    let kinds = file.integers("tokenizer.ggml.token_type") ?? []
    guard kinds.isEmpty || kinds.count == tokens.count else {
      throw ModelError.unsupported(
        path, "the vocabulary has \(kinds.count) token types, expected \(tokens.count)")
    }
    self.kinds = tokens.indices.map {
      kinds.isEmpty ? .normal : Kind(rawValue: kinds[$0]) ?? .normal
    }
    scores = file.numbers("tokenizer.ggml.scores") ?? []
    merges = try file.strings("tokenizer.ggml.merges") ?? []
    keptMerges = try file.strings(PreservedConfigs.prefix + "merges")
    onlyAdded = Set(file.integers(PreservedConfigs.prefix + "added_only") ?? [])
    addsPrefix = header[key: "tokenizer.ggml.add_space_prefix"] != .bool(false)
    absorbsSpace = header.tokensAbsorbSpace
    guard kind != .pieces || scores.count == tokens.count && !scores.contains(where: \.isNaN)
    else {
      throw ModelError.unsupported(path, "the vocabulary does not have one score per token")
    }
  }

  func id(_ name: String) -> Int? {
    header[key: "tokenizer.ggml.\(name)_token_id"]?.integer.flatMap {
      tokens.indices.contains($0) ? $0 : nil
    }
  }

  /// The token that begins a sequence.
  ///
  /// A `llama` vocabulary has one unless the file says otherwise.
  var beginning: Int? {
    let adds: Bool
    if case .bool(let flag)? = header[key: "tokenizer.ggml.add_bos_token"] {
      adds = flag
    } else {
      adds = kind == .pieces || NamedPretokenizer(pre)?.addsBeginning == true
    }
    return adds ? namedBeginning : nil
  }

  /// The beginning token, or llama.cpp's default.
  private var namedBeginning: Int? {
    if let id = id("bos") { return id }
    let usual = kind.defaultTokens.beginning
    return tokens.indices.contains(usual) ? usual : nil
  }

  /// All tokens except those that fill gaps.
  var vocabulary: JSONValue {
    .object(
      tokens.indices.filter {
        !onlyAdded.contains($0) && (kinds[$0] != .unused || tokens[$0] != "[PAD\($0)]")
      }.map {
        JSONMember(tokens[$0], .number($0))
      })
  }

  var addedTokens: JSONValue {
    .array(
      tokens.indices.filter {
        [.unknown, .control, .userDefined].contains(kinds[$0]) && !tokens[$0].isEmpty
      }.map { id in
        let strips = absorbsSpace && !AbsorbedSpace.exceptions.contains(tokens[id])
        return .object([
          "id": .number(id), "content": .string(tokens[id]), "single_word": .bool(false),
          "lstrip": .bool(false), "rstrip": .bool(strips), "normalized": .bool(false),
          "special": .bool(kinds[id] != .userDefined),
        ])
      })
  }

  var postProcessor: JSONValue {
    guard let beginning else { return .null }
    let token: JSONValue = .object([
      "SpecialToken": .object(["id": .string(tokens[beginning]), "type_id": .number(0)])
    ])
    func sequence(_ id: String, _ type: Int) -> JSONValue {
      .object(["Sequence": .object(["id": .string(id), "type_id": .number(type)])])
    }
    return .object([
      "type": .string("TemplateProcessing"), "single": .array([token, sequence("A", 0)]),
      "pair": .array([token, sequence("A", 0), token, sequence("B", 1)]),
      "special_tokens": .object([
        JSONMember(
          tokens[beginning],
          .object([
            "id": .string(tokens[beginning]), "ids": .array([.number(beginning)]),
            "tokens": .array([.string(tokens[beginning])]),
          ]))
      ]),
    ])
  }

  func document(
    normalizer: JSONValue, preTokenizer: JSONValue, decoder: JSONValue, model: [JSONMember]
  ) -> JSONValue {
    .object([
      "version": .string("1.0"), "truncation": .null, "padding": .null, "added_tokens": addedTokens,
      "normalizer": normalizer, "pre_tokenizer": preTokenizer, "post_processor": postProcessor,
      "decoder": decoder, "model": .object(model),
    ])
  }

  // MARK: Configs

  var tokenizerConfig: JSONValue {
    var members: [JSONMember] = []
    for (name, key) in SpecialNames.names where ["bos", "eos", "unk", "pad"].contains(name) {
      if let id = id(key) { members.append(JSONMember("\(name)_token", .string(tokens[id]))) }
    }
    members.append(JSONMember("clean_up_tokenization_spaces", .bool(false)))
    members.append(JSONMember("tokenizer_class", .string("PreTrainedTokenizerFast")))
    return .object(members)
  }

  var generationConfig: JSONValue? {
    let ends = ["eos", "eot", "eom"].compactMap(id)
    let sampling = GenerationKeys.sampling.compactMap { member, key -> JSONMember? in
      guard let number = header[key: "general.sampling.\(key)"]?.number else { return nil }
      return JSONMember(member, number == number.rounded() ? .number(Int(number)) : .number(number))
    }
    guard !ends.isEmpty || !sampling.isEmpty else { return nil }
    var members = id("bos").map { [JSONMember("bos_token_id", .number($0))] } ?? []
    if ends.isEmpty { return .object(members + sampling) }
    members.append(
      JSONMember(
        "eos_token_id", ends.count == 1 ? .number(ends[0]) : .array(ends.map { .number($0) })))
    return .object(members + sampling)
  }
}

extension GGUFFile {
  fileprivate func numbers(_ key: String) -> [Float]? {
    guard case .array(let array)? = header[key: key], array.elementType == .float32,
      case .inFile(let range) = array.elements
    else { return nil }
    return (0..<array.count).map {
      Float(bitPattern: map.bytes.load(UInt32.self, at: range.lowerBound + $0 * 4))
    }
  }
}
