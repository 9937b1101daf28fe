//! The generated messages of `registry.proto`: the form of everything stored, and of what nodes send of it.

tonic::include_proto!("rs_registry.registry.v1");
