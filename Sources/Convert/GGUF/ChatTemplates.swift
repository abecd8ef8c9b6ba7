package import Formats
import Models
import Patch

/// The chat templates of a folder.
///
/// As in transformers, files (`chat_template.jinja`, `additional_chat_templates/*.jinja`) replace
/// what tokenizer_config.json says, which replaces the older `chat_template.json`.
package struct ChatTemplates {
  struct Template: Equatable {
    var name: String
    var text: String
  }

  static let mainFile = "chat_template.jinja"
  static let moreFiles = "additional_chat_templates"
  static let mainName = "default"
  static let key = "tokenizer.chat_template"
  /// The key that says that a folder had its templates in files.
  static let filesKey = PreservedConfigs.prefix + "chat_templates"

  private let templates: [Template]
  private let areFiles: Bool
  private(set) var remarks: [String] = []

  package init(folder: String) throws {
    let files = try Self.files(in: folder)
    let config = try Self.config(in: folder)
    areFiles = !files.isEmpty
    templates = areFiles ? files : config
    if areFiles, !config.isEmpty, config != files {
      remarks.append(
        "\(ModelFolder.tokenizerConfigName) has other chat templates than the .jinja files, which transformers prefers; they are left out"
      )
    }
  }

  private static func text(_ path: String) throws -> String {
    try FileSystem.text(FileSystem.contents(of: path, limit: 8 << 20), of: path)
  }

  private static func files(in folder: String) throws -> [Template] {
    var templates: [Template] = []
    let main = "\(folder)/\(mainFile)"
    if FileSystem.exists(main) { templates.append(Template(name: mainName, text: try text(main))) }
    let more = "\(folder)/\(moreFiles)"
    guard FileSystem.isFolder(more) else { return templates }
    for name in try FileSystem.names(in: more).sorted() where name.hasSuffix(".jinja") {
      templates.append(
        Template(name: String(name.dropLast(".jinja".count)), text: try text("\(more)/\(name)")))
    }
    return templates
  }

  private static func config(in folder: String) throws -> [Template] {
    for name in [ModelFolder.tokenizerConfigName, "chat_template.json"] {
      let path = "\(folder)/\(name)"
      guard FileSystem.exists(path), let value = try JSONDocument(path: path).value["chat_template"]
      else { continue }
      if let text = value.text { return [Template(name: mainName, text: text)] }
      return (value.elements ?? []).compactMap { entry in
        entry["name"]?.text.flatMap { name in
          entry["template"]?.text.map { Template(name: name, text: $0) }
        }
      }
    }
    return []
  }

  /// The keys of a GGUF file.
  package var keys: [GGUFKey] {
    let others = templates.filter { $0.name != Self.mainName }
    var keys = templates.filter { $0.name == Self.mainName }.map {
      GGUFKey(Self.key, .string($0.text))
    }
    if !others.isEmpty {
      keys.append(
        GGUFKey("tokenizer.chat_templates", .array(GGUFArray(strings: others.map(\.name)))))
      keys += others.map { GGUFKey("\(Self.key).\($0.name)", .string($0.text)) }
    }
    if areFiles { keys.append(GGUFKey(Self.filesKey, .bool(true))) }
    return keys
  }

  // MARK: From a GGUF file

  /// The templates of a GGUF file.
  package init(_ header: GGUFHeader) {
    let main = header[key: Self.key]?.text.map { [Template(name: Self.mainName, text: $0)] }
    templates =
      (main ?? [])
      + header.keys.compactMap { entry in
        guard entry.name.hasPrefix(Self.key + "."), let text = entry.value.text else { return nil }
        return Template(name: String(entry.name.dropFirst(Self.key.count + 1)), text: text)
      }
    areFiles = header[key: Self.filesKey] == .bool(true)
  }

  /// The files of a folder that had its templates in files.
  package var files: [(name: String, bytes: [UInt8])] {
    guard areFiles else { return [] }
    return templates.compactMap { template in
      if template.name == Self.mainName { return (Self.mainFile, Array(template.text.utf8)) }
      // A name from a file must not lead out of the folder.
      guard !template.name.contains("/"), !template.name.isEmpty else { return nil }
      return ("\(Self.moreFiles)/\(template.name).jinja", Array(template.text.utf8))
    }
  }

  /// The member of tokenizer_config.json, or nil if there is none or the templates are in files.
  var member: JSONValue? {
    if areFiles || templates.isEmpty { return nil }
    if templates.count == 1, templates[0].name == Self.mainName {
      return .string(templates[0].text)
    }
    return .array(
      templates.map { .object(["name": .string($0.name), "template": .string($0.text)]) })
  }
}
