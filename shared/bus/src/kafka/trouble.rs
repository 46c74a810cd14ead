//! Why connections to the brokers fail.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::client;

/// What a connection ends with that the broker closes.
const CLOSED: &str = "Disconnected";
/// What the client itself says of it, in some cases.
const PROTOCOL: &str = "security.protocol";
/// Under this name the client logs why a connection was lost.
const FAILED: &str = "FAIL";

/// What the clients of one transport were last told about their connections. A call that fails says only that no broker
/// could be reached: the reason (a wrong password, a listener without TLS, an unknown host) comes beside it, and is kept until a call works.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// The last reason, if no call has worked since.
    pub(super) fn said(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A call worked.
    pub(super) fn over(&self) {
        self.set(None);
    }

    /// An error with the reason beside it.
    pub(super) fn explain(&self, error: &dyn std::fmt::Display) -> String {
        self.said().map_or_else(|| error.to_string(), |reason| format!("{error}: {reason}"))
    }

    fn set(&self, reason: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

impl ClientContext for Trouble {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == FAILED {
            self.set(Some(with_hint(without_client(message))));
        }
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all brokers are down follows the reasons of each, and has none of its own.
        if error.rdkafka_error_code() != Some(Code::AllBrokersDown) {
            self.set(Some(with_hint(reason)));
        }
        // Every call retries or reports its own failure; this is the connection's side of it.
        tracing::debug!(error = %error, reason, "kafka client");
    }
}

impl ConsumerContext for Trouble {}

/// A listener that expects TLS or a password hangs up on who comes without.
fn with_hint(reason: &str) -> String {
    if reason.contains(CLOSED) && !reason.contains(PROTOCOL) {
        return format!("{reason}: does the listener expect another {PROTOCOL} (TLS, SASL)?");
    }
    reason.to_owned()
}

/// Log lines begin with the thread that wrote them.
fn without_client(message: &str) -> &str {
    message.strip_prefix("[thrd:").and_then(|rest| rest.split_once("]: ")).map_or(message, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_stays_until_a_call_works() {
        let trouble = Trouble::default();
        assert_eq!(trouble.explain(&"no broker"), "no broker");
        trouble.log(RDKafkaLogLevel::Info, FAILED, "[thrd:b:9092/bootstrap]: b:9092/bootstrap: Disconnected");
        let hint = "does the listener expect another security.protocol (TLS, SASL)?";
        assert_eq!(trouble.explain(&"no broker"), format!("no broker: b:9092/bootstrap: Disconnected: {hint}"));
        trouble.error(KafkaError::Global(Code::Authentication), "b:9092: invalid credentials");
        trouble.error(KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(trouble.said().as_deref(), Some("b:9092: invalid credentials"));
        trouble.over();
        assert_eq!(trouble.said(), None);
    }
}
