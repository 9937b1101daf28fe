//! The allocator has the settings of `.cargo/config.toml`. A build that does not read that file works too, and nothing
//! but its memory would tell.

use std::process::Command;

use super::harness::SERVER;

#[test]
fn the_program_is_built_with_the_allocators_settings() {
    let output = Command::new(SERVER.as_str())
        .arg("--version")
        .env("_RJEM_MALLOC_CONF", "stats_print:true")
        .output()
        .expect("the program runs");
    let stats = String::from_utf8_lossy(&output.stderr);
    let settings =
        ["narenas: 1", "dirty_decay_ms: 50", "muzzy_decay_ms: 0", "tcache_max: 1024", "thp: \"never\""];
    for setting in settings {
        let line = format!("opt.{setting}");
        assert!(stats.lines().any(|found| found.trim_start().starts_with(&line)), "no {line} in {stats}");
    }
}
