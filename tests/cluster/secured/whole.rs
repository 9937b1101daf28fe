//! Everything together: three nodes with TLS on both sides, and clients of both kinds.

use super::certificates::{Files, trusting};
use super::people::{PASSWORD, basic, bearer, know, write_file};
use crate::harness::{Cluster, Credentials, Document};
use crate::samples::Authority;

#[test]
fn a_secured_cluster_works_and_survives_its_leader() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let (ca_file, auth_file) = (dir.path().join("ca.pem"), dir.path().join("auth.toml"));
    std::fs::write(&ca_file, authority.pem()).expect("a written authority");
    write_file(&auth_file, PASSWORD);
    let tls = Some(trusting(&authority));
    let mut cluster = Cluster::start_prepared(3, |specs| {
        for spec in specs {
            let files = Files::issued(&authority, dir.path(), &format!("node-{}", spec.id));
            spec.extra_flags = files.flags("--tls-cert-file", "--tls-key-file");
            spec.extra_flags.extend(files.flags("--peer-tls-cert-file", "--peer-tls-key-file"));
            spec.extra_flags.extend(["--peer-tls-ca-file".to_owned(), ca_file.display().to_string()]);
            know(spec, &auth_file);
            spec.credentials.tls.clone_from(&tls);
        }
    });
    let user = Credentials { tls: tls.clone(), ..basic("writer", PASSWORD) };
    let token = Credentials { tls, ..bearer(&format!("ci.{PASSWORD}")) };
    let document = Document::new("WHOLE", "i-1").lease_secs(3_600);
    for addr in cluster.addrs() {
        assert_eq!(document.register().with(&user).expect(addr).status, 204);
        assert_eq!(document.read().with(&token).expect(addr).status, 200);
    }
    let leader = cluster.leader();
    cluster.nodes[leader].kill();
    let survivor = cluster.leader();
    assert_eq!(document.renew().with(&token).expect(cluster.addrs()[survivor]).status, 200);
    cluster.nodes[leader].start();
    cluster.nodes[leader].wait_ready();
    cluster.assert_states_equal();
    assert_eq!(document.cancel().with(&user).expect(cluster.addrs()[leader]).status, 200);
}
