import Glibc
import Synchronization

/// The temporary files and folders that exist now, to delete them if a signal ends this process.
public final class TemporaryFiles: Sendable {
  /// The temporary files of this process.
  public static let shared = TemporaryFiles()

  private let paths = Mutex<Set<String>>([])

  /// Adds a path before it is created.
  public func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  /// Removes a path from the list, after it was renamed or deleted.
  public func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Deletes all of them, and ignores errors.
  ///
  /// Call it last in an interrupted process.
  public func removeAll() {
    let pending = paths.withLock { $0 }
    for path in pending { try? FileSystem.removeTree(path) }
  }
}
