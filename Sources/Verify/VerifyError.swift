/// Why a model cannot be run, or a task cannot be done with it.
public struct VerifyError: Error, Equatable, Sendable, CustomStringConvertible {
  public var subject: String
  public var message: String
  public var description: String { "\(subject): \(message)" }

  public init(_ subject: String, _ message: String) {
    self.subject = subject
    self.message = message
  }
}
