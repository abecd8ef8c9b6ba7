import Glibc

/// Waits, for the rare case that another process must finish first.
public enum Pause {
  /// Blocks the calling thread for `count` milliseconds.
  public static func milliseconds(_ count: UInt32) { usleep(count * 1000) }
}
