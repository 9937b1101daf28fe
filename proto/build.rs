//! Generates the messages and the peer service from the `.proto` files, without a system protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let stored = protox::compile(["registry.proto"], ["proto"])?;
    tonic_prost_build::configure().bytes(".").btree_map(".").compile_fds(stored)?;
    let spoken = protox::compile(["peer.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .extern_path(".rs_registry.registry.v1", "crate::message")
        .bytes(".")
        .btree_map(".")
        .compile_fds(spoken)?;
    Ok(())
}
