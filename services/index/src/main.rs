//! The index service by itself; `groundswell serve index` is the same with a document of its interface.

use std::process::ExitCode;

fn main() -> ExitCode {
    groundswell_runtime::program::main("groundswell-index", |app, bus| Ok(groundswell_index::service(app, bus, 1)))
}
