public import Formats
import Models
public import Patch
import Verify

/// A CycloneDX bill of materials of a model: what it consists of, and what was patched into it.
///
/// Source: CycloneDX 1.6, whose components of the type `machine-learning-model` are models. Members
/// that depend on the time, and the random serial number, are optional and left out, so that the
/// same model gives the same bytes.
public struct BillOfMaterials: Sendable {
  /// The model's files.
  public let manifest: ModelManifest
  /// What the model declares, or nil if that cannot be read.
  public let inspection: Inspection?

  /// Creates the bill of a model.
  public init(_ manifest: ModelManifest, _ inspection: Inspection?) {
    self.manifest = manifest
    self.inspection = inspection
  }

  /// The reference of the model among the components.
  private static let reference = "model"

  /// The bill as JSON.
  public var json: JSONValue {
    .object([
      "bomFormat": .string("CycloneDX"), "specVersion": .string("1.6"), "version": .number(1),
      "metadata": .object(["tools": Self.tools, "component": model]),
      "components": .array(manifest.files.map(component)),
      "dependencies": .array([
        .object([
          "ref": .string(Self.reference),
          "dependsOn": .array(manifest.files.map { .string(reference($0)) }),
        ])
      ]),
    ])
  }

  private static var tools: JSONValue {
    .object([
      "components": .array([
        .object([
          "type": .string("application"), "name": .string("lrpatch"),
          "version": .string(lrpatchVersion),
        ])
      ])
    ])
  }

  private var model: JSONValue {
    var members = [
      JSONMember("type", .string("machine-learning-model")),
      JSONMember("bom-ref", .string(Self.reference)),
      JSONMember("name", .string(manifest.name)),
    ]
    guard let inspection else { return .object(members) }
    if !inspection.mark.isEmpty {
      let notes = "LongRoPE factors and an attention scale were put into it by lrpatch apply."
      members.append(JSONMember("pedigree", .object(["notes": .string(notes)])))
    }
    members += [
      JSONMember(
        "modelCard",
        .object([
          "modelParameters": .object([
            "modelArchitecture": .string(inspection.geometry.architecture)
          ])
        ])),
      JSONMember("properties", .array(properties(inspection))),
    ]
    return .object(members)
  }

  /// The windows, and the patch if there is one.
  private func properties(_ inspection: Inspection) -> [JSONValue] {
    var properties = [
      ("original_window", "\(inspection.geometry.originalWindow)"),
      ("window", "\(inspection.geometry.window)"),
    ]
    if let factors = inspection.factors { properties.append(("mscale", "\(factors.longMscale)")) }
    properties += inspection.mark.sorted { $0.key < $1.key }.map { ("patch.\($0.key)", $0.value) }
    return properties.map { name, value in
      .object(["name": .string("lrpatch:\(name)"), "value": .string(value)])
    }
  }

  private func reference(_ file: FileDigest) -> String { "file:\(file.name)" }

  private func component(_ file: FileDigest) -> JSONValue {
    .object([
      "type": .string("file"), "bom-ref": .string(reference(file)), "name": .string(file.name),
      "hashes": .array([
        .object(["alg": .string("SHA-256"), "content": .string(file.sha256)])
      ]),
      "properties": .array([
        .object(["name": .string("lrpatch:size"), "value": .string("\(file.size)")])
      ]),
    ])
  }

  /// Whether a document is a bill that this program has written.
  static func isOwn(_ document: JSONValue) -> Bool {
    document["bomFormat"]?.text == "CycloneDX"
      && document["metadata"]?["tools"]?["components"]?.elements?.first?["name"]?.text == "lrpatch"
  }
}
