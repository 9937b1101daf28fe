//! A view that followed the registry's changes is the one made of the registry as it ended.

use proptest::prelude::*;

use super::*;
use crate::registry::Registry;
use crate::registry::arbitrary::{APPS, Entry, IDS, entries};
use crate::view::Bulk;

/// The registry, and the view that followed it, read now and then so that there is something to
/// forget.
fn follow(entries: &[Entry], reads: &[bool]) -> (Registry, View) {
    let (mut registry, mut view) = (Registry::default(), View::default());
    for (index, entry) in (1..).zip(entries) {
        let (_, changes) = entry.apply(&mut registry);
        if View::is_visible(&changes) {
            view = view.update(&changes, index, |_, _| {});
        } else {
            view.renewed(&changes);
        }
        if reads[index as usize % reads.len()] {
            pages(&view);
        }
    }
    (registry, view)
}

/// Every page of more than one instance, without the times of renewals: these are as of when a page
/// was made.
fn pages(view: &View) -> Vec<String> {
    let mut pages = Vec::new();
    for format in FORMATS {
        for bulk in [Bulk::Full, Bulk::Delta] {
            pages.push(text(view.bulk(bulk, format, false)));
            pages.push(gunzip(view.bulk(bulk, format, true)));
        }
        for name in ["x", "y", "none"] {
            pages.push(text(view.vip(name, format)));
        }
        pages.extend(APPS.iter().filter_map(|app| view.app(*app, format)).map(text));
    }
    pages.iter().map(|page| without_renewals(page)).collect()
}

fn without_renewals(page: &str) -> String {
    let mut parts = page.split("lastRenewalTimestamp");
    let mut kept = parts.next().unwrap_or_default().to_string();
    for part in parts {
        kept += part.trim_start_matches(|sign: char| "\":>".contains(sign) || sign.is_ascii_digit());
    }
    kept
}

fn instances(view: &View) -> Vec<String> {
    let of_key = |(app, id)| FORMATS.map(|format| view.instance(app, id, format));
    let keys = APPS.iter().flat_map(|app| IDS.map(|id| (*app, id)));
    keys.flat_map(of_key).flatten().map(text).collect()
}

proptest! {
    // A case reads hundreds of pages.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_stream_of_changes_leads_to_what_the_registry_is(
        entries in entries(20),
        reads in proptest::collection::vec(any::<bool>(), 7),
    ) {
        let (registry, followed) = follow(&entries, &reads);
        let made = View::of(&registry, followed.index());
        prop_assert_eq!(pages(&followed), pages(&made));
        prop_assert_eq!(instances(&followed), instances(&made));
        prop_assert_eq!(followed.statuses(), made.statuses());
        prop_assert_eq!(followed.delta_count(), registry.delta().entries().len());
        prop_assert_eq!(followed.instance_count(), registry.instance_count());
    }
}
