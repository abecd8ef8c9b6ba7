// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "patch-gguf",
  dependencies: [.package(name: "lrpatch", path: "../..")],
  targets: [
    .executableTarget(
      name: "patch-gguf", dependencies: [.product(name: "LRPatchKit", package: "lrpatch")])
  ])
