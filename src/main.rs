use std::process::ExitCode;

fn main() -> ExitCode {
    rs_registry::cli::run()
}
