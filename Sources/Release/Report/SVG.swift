import Foundation

/// Pieces of SVG.
package enum SVG {
  package static func number(_ value: Double) -> String { String(format: "%.2f", value) }

  package static func text(
    _ x: Double, _ y: Double, _ text: String, size: Int = 12, colour: String = "currentColor"
  ) -> String {
    """
    <text x="\(number(x))" y="\(number(y))" font-size="\(size)" fill="\(colour)">\
    \(XML.escaped(text))</text>
    """
  }

  package static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, dash: String? = nil
  ) -> String {
    let dashes = dash.map { " stroke-dasharray=\"\($0)\"" } ?? ""
    return """
      <line x1="\(number(x1))" y1="\(number(y1))" x2="\(number(x2))" y2="\(number(y2))" \
      stroke="currentColor"\(dashes)/>
      """
  }

  /// A whole file.
  package static func document(width: Double, height: Double, _ parts: [String]) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" \
    font-family="sans-serif" color="#24292f">
    <rect width="100%" height="100%" fill="#ffffff"/>
    \(parts.joined(separator: "\n"))
    </svg>

    """
  }
}
