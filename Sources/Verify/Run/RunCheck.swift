import Formats
import Inference
import Models
public import Patch

/// What would keep a model from being verified, found without reading its matrices.
public enum RunCheck {
  /// The findings about a model that `Lint` itself can read.
  ///
  /// Without a finding that is an error, `VerifyJob` opens the model.
  /// - Throws: `FileError` for a file that cannot be read.
  public static func findings(_ session: borrowing ModelSession) throws -> [LintFinding] {
    let model: ModelFile
    // `Lint` reports a config that cannot be read.
    do { model = try session.open() } catch is ModelError { return [] } catch is FormatError {
      return []
    }
    guard model.architecture.decoder != nil else {
      let name = model.architecture.name.sanitized
      return [LintFinding(.noForwardPass, "verify has no forward pass for '\(name)'")]
    }
    if case .folder(let folder) = model, try !hasWeights(folder.path) {
      if let other = ForeignFile.otherWeights(folder.path) {
        return [LintFinding(.cannotRun, other.message)]
      }
      return [LintFinding(.weightsMissing, "the folder has no safetensors weights")]
    }
    return try findings(of: model, session)
  }

  private static func hasWeights(_ path: String) throws -> Bool {
    do { return try SafetensorsFolder(path: path) != nil } catch is FormatError { return true }
  }

  private static func findings(
    of model: ModelFile, _ session: borrowing ModelSession
  ) throws -> [LintFinding] {
    do {
      let transformer = try Transformer(model)
      let tokenizer = try Tokenizer(path: model.path)
      try FollowedRuntimes(all: Inspection(session)).requirePolicies(session.path)
      return try folderFindings(model) + tokens(tokenizer, beyond: transformer.vocabulary)
    } catch let error as ModelError {
      return [LintFinding(.cannotRun, error.message)]
    } catch let error as FormatError {
      return [LintFinding(.cannotRun, "\(error)")]
    }
  }

  private static func folderFindings(_ model: ModelFile) throws -> [LintFinding] {
    guard case .folder(let folder) = model else { return [] }
    var found: [LintFinding] = []
    let output = model.tensorName(.output)
    if model.isTied, try ModelTensors(model).all.contains(where: { $0.plainName == output }) {
      found.append(
        LintFinding(
          .tiedHead,
          "the config ties the output to the embeddings, but the file has '\(output)': transformers 5 and llama.cpp use it if it differs, transformers 4, vLLM, SGLang and MLX-LM do not"
        ))
    }
    let weights = try SafetensorsFolder(path: folder.path)
    if weights?.hasSecondSet == true {
      found.append(LintFinding(.secondWeights, Self.secondSet))
    }
    if weights?.lacksIndex == true {
      found.append(
        LintFinding(
          .weightsIndex,
          "the weights are numbered, but there is no \(SafetensorsFolder.indexName), which transformers requires"
        ))
    }
    return found
  }

  /// What a user should know about a folder with two sets of weights.
  static let secondSet =
    "\(SafetensorsFolder.singleName) stands beside an index that does not list it: lrpatch, vLLM and llama.cpp's converter read the indexed files, but transformers reads that one"

  private static func tokens(_ tokenizer: Tokenizer, beyond vocabulary: Int) -> [LintFinding] {
    guard tokenizer.vocabulary > vocabulary else { return [] }
    return [LintFinding(.tokenBeyond, tokenizer.remark(beyond: vocabulary))]
  }

  /// Why the model cannot be run, or nil if it can.
  public static func problem(_ session: borrowing ModelSession) throws -> String? {
    let kinds: [LintRule] = [.cannotRun, .noForwardPass, .weightsMissing]
    return try findings(session).first { kinds.contains($0.rule) }?.message
  }
}

extension Tokenizer {
  /// What a user should know about tokens for which the model has no row.
  func remark(beyond vocabulary: Int) -> String {
    let last = self.vocabulary - 1
    return
      "the tokenizer has a token \(last) ('\(decode([last]).sanitized)'), but the model's vocabulary has \(vocabulary) tokens; a text that contains it cannot be run"
  }
}
