import Formats
import Glibc
import Synchronization

/// Handles the signals SIGINT (Ctrl-C), SIGTERM and SIGHUP.
///
/// Until files begin to change, they end the program at once and leave no temporary file. While
/// files change, they wait until the change is complete, which takes a moment.
enum Interruption {
  private static let changing = Mutex<Void>(())
  private static let isWanted = Atomic<Bool>(false)
  private static let endsItself = Atomic<Bool>(false)

  /// Whether a signal has come since `letCommandEnd`.
  static var isPending: Bool { isWanted.load(ordering: .relaxed) }

  /// From here on the first signal is left to the command, which ends soon and keeps what it has.
  ///
  /// A second one ends the program.
  static func letCommandEnd() { endsItself.store(true, ordering: .relaxed) }

  /// The pipe through which the handler wakes the thread when a signal has come: read end, write
  /// end.
  nonisolated(unsafe) private static var pipe: (Int32, Int32) = (-1, -1)

  /// A handler takes the signals, since libraries may already have started threads, and wakes a
  /// thread, which may do what a handler may not.
  static func arm() {
    // A closed pipe and a file size limit are errors of the write that meets them.
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGXFSZ, SIG_IGN)
    var ends: [Int32] = [-1, -1]
    guard unsafe Glibc.pipe(&ends) == 0 else { return }
    unsafe pipe = (ends[0], ends[1])
    var thread = pthread_t()
    unsafe pthread_create(&thread, nil, { _ in unsafe Interruption.wait() }, nil)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in
      let code = errno
      var byte: UInt8 = 0
      _ = unsafe Glibc.write(Interruption.pipe.1, &byte, 1)
      errno = code
    }
    action.sa_flags = SA_RESTART
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      unsafe sigaction(number, &action, nil)
      unsafe sigaddset(&signals, number)
    }
    // The parent may have blocked them.
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  private static func nextSignal() {
    var byte: UInt8 = 0
    while unsafe read(pipe.0, &byte, 1) < 0, errno == EINTR {}
  }

  private static func wait() -> UnsafeMutableRawPointer? {
    nextSignal()
    if endsItself.load(ordering: .relaxed) {
      isWanted.store(true, ordering: .relaxed)
      nextSignal()
    }
    changing.withLock { _ in TemporaryFiles.shared.removeAll() }
    _exit(ExitCode.interrupted.rawValue)
  }

  static func deferred<T>(_ work: () throws -> T) rethrows -> T {
    try changing.withLock { _ in try work() }
  }
}
