import Glibc

/// Waiting, for the rare moment in which another process must finish first.
public enum Pause {
  public static func milliseconds(_ count: UInt32) { usleep(count * 1000) }
}
