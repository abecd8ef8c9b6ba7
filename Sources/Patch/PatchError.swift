/// Why a patch, a reading of factors, or a reversal cannot be done.
public struct PatchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the refusal means for a pipeline; the exit codes of specs/cli.md.
  public enum Kind: Equatable, Sendable {
    /// The input is invalid, contradictory, or something that cannot carry LongRoPE.
    case unsupported
    /// It could be done but would be unsafe, or would mean different things in different runtimes.
    case unsafe
  }

  public var kind: Kind
  public var subject: String
  public var description: String { subject.isEmpty ? message : "\(subject): \(message)" }
  /// What was found and what was expected.
  public var message: String

  public static func unsupported(_ subject: String, _ message: String) -> PatchError {
    PatchError(kind: .unsupported, subject: subject, message: message)
  }

  public static func unsafe(_ subject: String, _ message: String) -> PatchError {
    PatchError(kind: .unsafe, subject: subject, message: message)
  }
}
