/// The reason why something cannot be done with a model or a set of factors.
public struct ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of refusal.
  ///
  /// Each has its own exit code (specs/cli.md).
  public enum Kind: Equatable, Sendable {
    /// The input is invalid or contradictory, or it cannot carry LongRoPE.
    case unsupported
    /// The action is possible, but unsafe or understood differently by different runtimes.
    case unsafe
  }

  /// The kind of refusal.
  public var kind: Kind
  /// The file or option that the error is about; may be empty.
  public var subject: String
  /// `subject: message`.
  public var description: String { subject.isEmpty ? message : "\(subject): \(message)" }
  /// What was found and what was expected.
  public var message: String

  /// An error of kind `unsupported`.
  public static func unsupported(_ subject: String, _ message: String) -> ModelError {
    ModelError(kind: .unsupported, subject: subject, message: message)
  }

  /// An error of kind `unsafe`.
  public static func unsafe(_ subject: String, _ message: String) -> ModelError {
    ModelError(kind: .unsafe, subject: subject, message: message)
  }

  /// The error for a file that changed while it was read.
  package static func changedMeanwhile(_ path: String) -> ModelError {
    .unsafe(path, "the file changed while it was read; nothing was done")
  }
}
