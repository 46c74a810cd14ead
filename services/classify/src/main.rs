//! The classify service as a program of its own.

fn main() -> std::process::ExitCode {
    groundswell_runtime::program::main("classify", groundswell_classify::service)
}
