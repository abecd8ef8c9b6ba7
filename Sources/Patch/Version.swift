/// The version of lrpatch, which is recorded in the models that it patches.
public let lrpatchVersion = "0.1.0"
