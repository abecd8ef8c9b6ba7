/// An option with an impossible value, or options that contradict each other.
///
/// The message calls options by their names on the command line, where it is a usage error.
public struct OptionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var message: String
  /// The message.
  public var description: String { message }

  /// Creates an error with a message.
  public init(_ message: String) { self.message = message }
}

extension OptionError {
  /// Checks a condition.
  package static func require(
    _ condition: Bool, _ message: @autoclosure () -> String
  ) throws(OptionError) {
    if !condition { throw OptionError(message()) }
  }
}
