/// A mapped file that lives as long as anything refers to it.
package final class SharedFile: Sendable {
  package let map: MappedFile

  package init(path: String) throws { map = try MappedFile(path: path) }
}
