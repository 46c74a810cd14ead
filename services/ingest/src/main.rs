//! The ingest service as a program of its own.

fn main() -> std::process::ExitCode {
    groundswell_runtime::program::main("ingest", groundswell_ingest::service)
}
