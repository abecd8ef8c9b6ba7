/// The version of lrpatch, which is recorded in patched models.
public let lrpatchVersion = "0.1.0"
