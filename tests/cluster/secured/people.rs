//! Users and tokens, the file of them, and what they send.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::harness::{Cluster, Credentials, NodeSpec};

pub const PASSWORD: &str = "correct horse battery";

/// What a client sends that has this name and password in its URL.
pub fn basic(name: &str, password: &str) -> Credentials {
    let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
    Credentials { authorization: Some(format!("Basic {pair}")), tls: None }
}

pub fn bearer(token: &str) -> Credentials {
    Credentials { authorization: Some(format!("Bearer {token}")), tls: None }
}

/// The hash that the program makes of a secret.
pub fn hashed(secret: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rs-registry"));
    let output = command.args(["hash", "--env", "SECRET"]).env("SECRET", secret).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a hash").trim().to_owned()
}

/// Writes a file with the users `reader`, `writer` and `admin`, all with this password, and the token `ci`, which may
/// write.
pub fn write_file(file: &Path, password: &str) {
    let hash = hashed(password);
    let users = ["reader", "writer", "admin"].map(|name| {
        let role = name.replace("reader", "read").replace("writer", "write");
        format!("[[user]]\nname = \"{name}\"\npassword_hash = \"{hash}\"\nrole = \"{role}\"\n")
    });
    let token = format!("[[token]]\nname = \"ci\"\ntoken_hash = \"{hash}\"\nrole = \"write\"\n");
    fs::write(file, users.concat() + &token).expect("a written file");
}

/// Has a node know the people of a file; the tests' own requests to it are the admin's.
pub fn know(spec: &mut NodeSpec, file: &Path) {
    spec.extra_flags.extend(["--auth-file".to_owned(), file.display().to_string()]);
    spec.credentials.authorization = basic("admin", PASSWORD).authorization;
}

/// A node that knows them.
pub fn node(file: &Path, more_flags: &[&str]) -> Cluster {
    write_file(file, PASSWORD);
    Cluster::start_prepared(1, |specs| {
        specs[0].extra_flags = more_flags.iter().map(|flag| (*flag).to_owned()).collect();
        know(&mut specs[0], file);
    })
}
