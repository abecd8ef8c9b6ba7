import Glibc

/// The time for which a processor worked, which other programs on the machine do not change.
package enum ProcessorTime {
  /// That of the calling thread since it began.
  package static var ofThread: Duration {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return .zero }
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
