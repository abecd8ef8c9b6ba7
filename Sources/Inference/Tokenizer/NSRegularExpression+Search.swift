import Foundation

extension NSRegularExpression {
  /// Finds the matches in a part of a text, one after another.
  /// - Parameters:
  ///   - part: in UTF-16 code units.
  ///   - each: gets the range of each match, and nil now and then within one that takes long.
  ///     Returns whether to go on.
  func search(_ text: String, _ part: NSRange, _ each: (NSRange?) -> Bool) {
    // The check that nothing escaped contains the length of its file's path. With a name alone, the
    // program is the same in whichever folder it is built.
    #sourceLocation(file:"NSRegularExpression",line:13)
    withoutActuallyEscaping(each) { each in
      // The pointer is to a flag that lives as long as the call.
      unsafe enumerateMatches(in: text, options: .reportProgress, range: part) { match, _, stop in
        if !each(match?.range) { unsafe stop.pointee = true }
      }
    }
    #sourceLocation()
  }
}
