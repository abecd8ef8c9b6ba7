import Formats
import Glibc
import Synchronization

/// Ctrl-C and a polite kill.
///
/// Until a change of files begins, they end the program at once, leaving no temporary file. While files change they
/// wait until the change is complete, which takes a moment.
enum Interruption {
  private static let changing = Mutex<Void>(())
  private static let isWanted = Atomic<Bool>(false)
  private static let endsItself = Atomic<Bool>(false)

  /// Whether a signal has come since `letCommandEnd`.
  static var isPending: Bool { isWanted.load(ordering: .relaxed) }

  /// From here on the first signal is left to the command, which ends soon and keeps what it has; a second one ends the
  /// program.
  static func letCommandEnd() { endsItself.store(true, ordering: .relaxed) }

  /// Signals are taken by a thread of their own, which may do what a signal handler may not.
  static func arm() {
    // A closed pipe and a file size limit are errors of the write that meets them.
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGXFSZ, SIG_IGN)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGINT)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGHUP)
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    unsafe pthread_create(&thread, nil, { _ in unsafe Interruption.wait() }, nil)
  }

  private static func wait() -> UnsafeMutableRawPointer? {
    var signals = sigset_t()
    var number: Int32 = 0
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGINT)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGHUP)
    unsafe sigwait(&signals, &number)
    if endsItself.load(ordering: .relaxed) {
      isWanted.store(true, ordering: .relaxed)
      unsafe sigwait(&signals, &number)
    }
    changing.withLock { _ in TemporaryFiles.shared.removeAll() }
    _exit(Failure.Code.interrupted)
  }

  static func deferred<T>(_ work: () throws -> T) rethrows -> T {
    try changing.withLock { _ in try work() }
  }
}
