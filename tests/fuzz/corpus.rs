//! Inputs to begin from: recorded requests, and the files in `corpus/`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rs_registry::eureka::RequestFormat;

use super::golden::{self, GROUPS};
use super::properties;

/// What an input is taken for; also the name of its folder and of its target in `fuzz/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    RegisterJson,
    RegisterXml,
    Batch,
    PathQuery,
    Header,
    Gzip,
}

impl Kind {
    pub const ALL: [Kind; 6] =
        [Kind::RegisterJson, Kind::RegisterXml, Kind::Batch, Kind::PathQuery, Kind::Header, Kind::Gzip];

    pub fn name(self) -> &'static str {
        match self {
            Kind::RegisterJson => "register_json",
            Kind::RegisterXml => "register_xml",
            Kind::Batch => "batch",
            Kind::PathQuery => "path_query",
            Kind::Header => "header",
            Kind::Gzip => "gzip",
        }
    }

    pub fn check(self, input: &[u8]) {
        match self {
            Kind::RegisterJson => properties::register(RequestFormat::Json, input),
            Kind::RegisterXml => properties::register(RequestFormat::Xml, input),
            Kind::Batch => properties::batch(input),
            Kind::PathQuery => properties::path_and_query(input),
            Kind::Header => properties::header(input),
            Kind::Gzip => properties::gzip(input),
        }
    }
}

/// All inputs of a kind by name.
pub fn inputs(kind: Kind) -> BTreeMap<String, Vec<u8>> {
    let mut inputs = recorded(kind);
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(kind.name());
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let input = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        inputs.insert(name, input);
    }
    inputs
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("compressing in memory")
}

fn recorded(kind: Kind) -> BTreeMap<String, Vec<u8>> {
    let mut inputs = BTreeMap::new();
    for step in GROUPS.into_iter().flat_map(golden::load) {
        let (head, body) = request(&step);
        let replicates = step.path.contains("peerreplication");
        let json = body.first() == Some(&b'{');
        let found = match kind {
            // The whole instances that were answered are good registrations too.
            Kind::RegisterJson if is_answer(&step, b"{\"instance\"") => Some(step.body.clone()),
            Kind::RegisterXml if is_answer(&step, b"<instance>") => Some(step.body.clone()),
            Kind::RegisterJson => (json && !replicates).then_some(body),
            Kind::RegisterXml => (body.first() == Some(&b'<')).then_some(body),
            Kind::Batch => (replicates && !body.is_empty()).then_some(body),
            Kind::PathQuery => Some(step.path.clone().into_bytes()),
            Kind::Header => head.lines().find_map(|line| Some(line.strip_prefix("Accept: ")?.into())),
            Kind::Gzip => (body.starts_with(b"\x1f\x8b")).then_some(body),
        };
        let new = found.filter(|found| !inputs.values().any(|known| known == found));
        new.map(|found| inputs.insert(step.number.clone(), found));
    }
    inputs
}

/// A recorded request's head and body.
fn request(step: &golden::Step) -> (String, Vec<u8>) {
    const END: &[u8] = b"\r\n\r\n";
    let bytes = step.request_bytes();
    let end = bytes.windows(END.len()).position(|window| window == END).expect("a head ends");
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes[end + END.len()..].to_vec())
}

fn is_answer(step: &golden::Step, start: &[u8]) -> bool {
    step.status == 200 && step.body.starts_with(start)
}
