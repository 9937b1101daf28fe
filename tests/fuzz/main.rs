//! Untrusted input: whatever arrives, nothing panics, and what is accepted is the same when it is read back
//! from what is written. The corpus is recorded requests, odd ones written by hand, and what the targets in
//! `fuzz/` once found.

mod corpus;
#[path = "../wire/golden.rs"]
#[allow(dead_code, reason = "the recorded answers are for the replay")]
mod golden;
mod json;
mod mutation;
mod properties;
mod xml;

use axum::http::Method;
use corpus::Kind;
use mutation::mutated;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rs_registry::http::{Action, Parameters, Resource, route};

#[test]
fn every_input_of_the_corpus_is_well_taken() {
    for kind in Kind::ALL {
        let inputs = corpus::inputs(kind);
        assert!(inputs.len() > 5, "{} inputs of {kind:?}", inputs.len());
        for (name, input) in inputs {
            // The harness tells the panic; this tells which input it was.
            let held = std::panic::catch_unwind(|| kind.check(&input));
            assert!(held.is_ok(), "{kind:?} {name}");
        }
    }
}

/// Most of the recorded registrations are good ones: were they all refused, nothing would be checked.
#[test]
fn the_corpus_holds_registrations_that_are_accepted() {
    use rs_registry::eureka::{RequestFormat, decode_document};
    for (kind, format, at_least) in
        [(Kind::RegisterJson, RequestFormat::Json, 100), (Kind::RegisterXml, RequestFormat::Xml, 30)]
    {
        let accepted = corpus::inputs(kind).into_iter().filter(|(_, input)| {
            let document = decode_document(format, input).ok();
            document.is_some_and(|document| {
                let app = document.app.clone();
                document.into_registration(&app).is_ok()
            })
        });
        let accepted = accepted.count();
        assert!(accepted >= at_least, "{accepted} of {kind:?} are accepted");
    }
}

/// Writes the corpus for the coverage-guided targets, which start from it.
#[test]
#[ignore = "writes files, for fuzz/run.sh"]
fn write_seeds() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz/seeds");
    for kind in Kind::ALL {
        let dir = dir.join(kind.name());
        std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        for (name, input) in corpus::inputs(kind) {
            let path = dir.join(name.replace('/', "-"));
            std::fs::write(&path, input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// Any name, with a liking for what is special in paths and queries.
fn name() -> impl Strategy<Value = String> {
    let special =
        select(vec!["%", "%41", "%2F", "/", ";", ";a=b", "+", " ", "&", "=", "?", "#", ".", "..", "\0", "x"]);
    let piece = prop_oneof![special.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_json_registrations_are_well_taken(input in mutated(Kind::RegisterJson)) {
        Kind::RegisterJson.check(&input);
    }

    #[test]
    fn mutated_xml_registrations_are_well_taken(input in mutated(Kind::RegisterXml)) {
        Kind::RegisterXml.check(&input);
    }

    #[test]
    fn mutated_batches_are_well_taken(input in mutated(Kind::Batch)) {
        Kind::Batch.check(&input);
    }

    #[test]
    fn mutated_paths_and_queries_are_well_taken(input in mutated(Kind::PathQuery)) {
        Kind::PathQuery.check(&input);
    }

    #[test]
    fn mutated_headers_are_well_taken(input in mutated(Kind::Header)) {
        Kind::Header.check(&input);
    }

    #[test]
    fn mutated_gzip_is_well_taken(input in mutated(Kind::Gzip)) {
        Kind::Gzip.check(&input);
    }

    #[test]
    fn any_json_instance_is_well_taken(text in json::registration()) {
        properties::register(rs_registry::eureka::RequestFormat::Json, text.as_bytes());
    }

    #[test]
    fn any_batch_is_well_taken(text in json::batch()) {
        properties::batch(text.as_bytes());
    }

    #[test]
    fn any_answer_of_another_server_is_well_taken(text in json::applications()) {
        properties::answer(text.as_bytes());
    }

    #[test]
    fn any_xml_instance_is_well_taken(text in xml::registration()) {
        properties::register(rs_registry::eureka::RequestFormat::Xml, text.as_bytes());
    }

    #[test]
    fn any_names_come_back_from_their_path(app in name(), id in name()) {
        let encode = |name: &str| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        let path = format!("/eureka/apps/{}/{};a=b/", encode(&app), encode(&id));
        let instance = Action::Read(Resource::Instance { app, id });
        prop_assert_eq!(route(&Method::GET, &path), Ok(instance), "{}", path);
    }

    #[test]
    fn any_pairs_come_back_from_their_query(pairs in vec((name(), name()), 0..4)) {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let parameters = Parameters::new(Some(&query));
        prop_assert_eq!(parameters.pairs().collect::<Vec<_>>(), pairs, "{}", query);
    }

    #[test]
    fn bytes_pack_and_unpack(bytes in vec(any::<u8>(), 0..2000), members in 1_usize..4) {
        let packed: Vec<u8> = bytes.chunks(bytes.len() / members + 1).flat_map(corpus::gzip).collect();
        let unpacked = rs_registry::gunzip::unpack(&packed, bytes.len());
        if !bytes.is_empty() {
            prop_assert_eq!(unpacked.unwrap().unwrap(), bytes.clone());
            prop_assert_eq!(rs_registry::gunzip::unpack(&packed, bytes.len() - 1).unwrap(), None);
        }
    }
}
