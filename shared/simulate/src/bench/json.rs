//! JSON written by hand: the benchmark must not spend its time on making its input.

use std::io::Write as _;

use groundswell_model::Timestamp;

/// The text of a time, kept while the second does not change.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: i64,
    text: String,
}

impl Clock {
    /// RFC 3339 with milliseconds.
    pub(super) fn text(&mut self, time: Timestamp) -> &str {
        let (second, ms) = (time.0.div_euclid(1000), time.0.rem_euclid(1000));
        if self.text.is_empty() || second != self.second {
            self.second = second;
            self.text = Timestamp(second * 1000).rfc3339();
            self.text.pop();
            self.text.push_str(".000Z");
        }
        let at = self.text.len() - 4;
        let digits = [ms / 100, ms / 10 % 10, ms % 10].map(|d| char::from(b'0' + d as u8));
        self.text.truncate(at);
        self.text.extend(digits);
        self.text.push('Z');
        &self.text
    }
}

/// Writes the envelope up to the data.
pub(super) fn open(out: &mut Vec<u8>, ty: &str, source: &str, id: &str, time: &str) {
    text(out, "{\"specversion\":\"1.0\",\"type\":\"", ty);
    text(out, "\",\"source\":\"", source);
    text(out, "\",\"id\":\"", id);
    text(out, "\",\"time\":\"", time);
    out.extend_from_slice(b"\",\"datacontenttype\":\"application/json\",\"data\":");
}

/// Writes `before` and a text that needs no escape.
pub(super) fn text(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Writes `before` and a text in quotes, escaped.
pub(super) fn escaped(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.push(b' '),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

/// Writes `before` and a whole number.
pub(super) fn number(out: &mut Vec<u8>, before: &str, number: u64) {
    out.extend_from_slice(before.as_bytes());
    // Writing to memory does not fail.
    write!(out, "{number}").unwrap_or_default();
}

/// Writes `before` and a number with two decimals.
pub(super) fn hundredths(out: &mut Vec<u8>, before: &str, value: f64) {
    let hundredths = (value * 100.0).round() as u64;
    number(out, before, hundredths / 100);
    out.push(b'.');
    out.extend([hundredths / 10 % 10, hundredths % 10].map(|d| b'0' + d as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        let mut clock = Clock::default();
        for ms in [1_780_272_000_000, 1_780_272_000_007, 1_780_272_000_999, 1_780_272_001_050, 5] {
            assert_eq!(Timestamp::parse(clock.text(Timestamp(ms))), Ok(Timestamp(ms)));
        }
    }

    #[test]
    fn texts_and_numbers_are_json() {
        let mut out = Vec::new();
        escaped(&mut out, "{\"a\":", "\"x\\y\"\n\tü\u{1}");
        hundredths(&mut out, ",\"b\":", 3.056);
        hundredths(&mut out, ",\"c\":", 0.0);
        out.push(b'}');
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(value, serde_json::json!({"a": "\"x\\y\"\n\tü ", "b": 3.06, "c": 0.0}));
    }
}
