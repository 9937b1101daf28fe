//! Generates the messages and the peer service from the `.proto` files, without a system protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let stored = protox::compile(["registry.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".")
        // Large beside the other commands, and made one at a time.
        .boxed(".rs_registry.registry.v1.Command.command.register")
        .compile_fds(stored)?;
    let spoken = protox::compile(["peer.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .extern_path(".rs_registry.registry.v1", "crate::encoding::message")
        .bytes(".")
        .btree_map(".")
        .compile_fds(spoken)?;
    Ok(())
}
