//! `doctor`: looks at everything that can be wrong, and says what to do about it.

mod checks;

use std::time::Duration;

use groundswell_runtime::settings::Transport;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, lines, print, print_json, table};

/// How long the transport may take to answer before it counts as away.
const TRANSPORT_TIME: Duration = Duration::from_secs(15);

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Finding {
    /// What.
    check: &'static str,
    /// How it came out.
    state: State,
    /// What was found.
    says: String,
    /// What to do; empty if nothing.
    todo: String,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: State::Ok, says: says.into(), todo: String::new() }
    }

    fn warn(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Warn, says: says.into(), todo: todo.into() }
    }

    fn fail(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Fail, says: says.into(), todo: todo.into() }
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// Whether nothing fails.
    ok: bool,
    /// In the order in which it was looked at.
    checks: Vec<Finding>,
}

/// Runs it.
pub fn run(global: &Global) -> Result<(), Failure> {
    let checks = look(global);
    let ok = checks.iter().all(|f| f.state != State::Fail);
    match Format::choose(global.format) {
        Format::Json => print_json(&Report { ok, checks })?,
        format => print(&render(&checks, format))?,
    }
    if ok { Ok(()) } else { Err(Failure::said()) }
}

fn look(global: &Global) -> Vec<Finding> {
    let settings = match global.config.sources().read() {
        Ok(settings) => settings,
        Err(error) => return vec![Finding::fail("configuration", error.to_string(), "mend the configuration, then run doctor again")],
    };
    let problems = settings.check();
    let mut findings: Vec<Finding> = problems.iter().map(|p| Finding::fail("configuration", p.says.clone(), p.todo.clone())).collect();
    if findings.is_empty() {
        findings.push(Finding::ok("configuration", "every value is within its limits"));
    }
    findings.extend(checks::configuration(&settings));
    // A server that is named may have its folder anywhere.
    if global.server.is_none() {
        findings.extend(checks::folder(&settings.data));
    }
    let server = find_server(global, &settings.data);
    findings.push(checks::server(server.as_ref()));
    // The embedded log belongs to the server that has it open; on Kafka everyone may look.
    let look_at_bus =
        problems.is_empty() && (settings.transport == Transport::Kafka || (server.is_none() && settings.data.join("bus").exists()));
    if look_at_bus {
        findings.extend(checks::transport(&settings, TRANSPORT_TIME));
    }
    if let Some(client) = &server {
        let needs_key = global.key.is_none() && !settings.server.keys.is_empty();
        findings.extend(if needs_key { vec![checks::no_key()] } else { checks::answers(client, !look_at_bus) });
    }
    findings
}

fn find_server(global: &Global, data: &std::path::Path) -> Option<Client> {
    match &global.server {
        Some(url) => Client::at(url, global.key.clone()).ok(),
        None => Client::of_folder(data, global.key.clone()),
    }
}

fn render(findings: &[Finding], format: Format) -> String {
    let mut rows = table(format, &["", "check", "found", "what to do"]);
    for f in findings {
        let mark = match f.state {
            State::Ok => "ok",
            State::Warn => "WARN",
            State::Fail => "FAIL",
        };
        rows.add_row([mark, f.check, f.says.as_str(), f.todo.as_str()]);
    }
    lines(&rows)
}

#[cfg(test)]
mod tests {
    use groundswell_runtime::ConfigArgs;

    use super::*;

    #[test]
    fn a_wrong_configuration_fails_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        let set = vec![("limits.depth".to_owned(), "1000".to_owned())];
        let config = ConfigArgs { data: Some(dir.path().to_owned()), set, ..ConfigArgs::default() };
        let findings = look(&Global { config, ..Global::default() });
        let failed: Vec<_> = findings.iter().filter(|f| f.state == State::Fail).collect();
        assert_eq!((failed.len(), failed[0].check), (1, "configuration"), "{findings:?}");
        assert!(failed[0].says.contains("limits.depth"));
    }

    #[test]
    fn an_empty_folder_without_a_server_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let config = ConfigArgs { data: Some(dir.path().to_owned()), ..ConfigArgs::default() };
        let findings = look(&Global { config, ..Global::default() });
        assert!(findings.iter().all(|f| f.state != State::Fail), "{findings:?}");
        assert!(render(&findings, Format::Md).contains("groundswell up"));
    }
}
