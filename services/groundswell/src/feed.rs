//! Publishing lines of CloudEvents in batches, again and again until they are taken.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::time::{Duration, Instant};

use groundswell_model::RejectReason;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

use crate::bounded_lines::{BoundedLines, Line};
use crate::client::{Client, refused};
use crate::failure::Failure;
use crate::not_lines;

/// Bytes of one line at most: what a server takes in a request unless it is told otherwise.
const LINE_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of one request at most, whatever the number of events.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Rejected events that are listed; all are counted.
const LISTED: usize = 100;

/// How to feed.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// Events in one request.
    pub batch: usize,
    /// How long to go on trying while the server does not answer.
    pub retry_for: Duration,
}

/// What became of the events: the JSON of `groundswell send`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sent {
    /// Taken and durable.
    pub accepted: u64,
    /// Known before, with the same content.
    pub duplicate: u64,
    /// Refused.
    pub rejected: u64,
    /// How often for which reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first refused ones.
    pub rejections: Vec<Rejection>,
}

/// One refused event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rejection {
    /// Where it was read.
    pub file: String,
    /// Its line there, from 1.
    pub line: u64,
    /// CloudEvents `source`, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// CloudEvents `id`, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The stable reason.
    pub reason: String,
    /// What exactly, and what to do.
    pub detail: String,
}

/// The answer of `POST /v1/events`.
#[derive(Debug, Deserialize)]
struct Answer {
    accepted: u64,
    duplicate: u64,
    rejected: u64,
    #[serde(default)]
    results: Vec<ItemResult>,
}

#[derive(Debug, Deserialize)]
struct ItemResult {
    index: usize,
    outcome: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

/// Lines of one request with their numbers in the file.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    numbers: Vec<u64>,
    ends: Vec<usize>,
}

impl Lines {
    fn push(&mut self, line: &[u8], number: u64) {
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        self.numbers.push(number);
        self.ends.push(self.bytes.len());
    }

    fn is_full(&self, batch: usize) -> bool {
        self.numbers.len() >= batch || self.bytes.len() >= REQUEST_BYTES
    }

    /// Both halves; none if there is only one line.
    fn halves(&self) -> Option<(Self, Self)> {
        let middle = self.numbers.len() / 2;
        let at = *self.ends.get(middle.checked_sub(1)?)?;
        let left = Self { bytes: self.bytes[..at].to_vec(), numbers: self.numbers[..middle].to_vec(), ends: self.ends[..middle].to_vec() };
        let ends = self.ends[middle..].iter().map(|end| end - at).collect();
        Some((left, Self { bytes: self.bytes[at..].to_vec(), numbers: self.numbers[middle..].to_vec(), ends }))
    }
}

impl Feed {
    /// Publishes every line of `input`; `progress` is told how many bytes and events were just taken.
    pub fn lines(
        &self,
        client: &Client,
        name: &str,
        input: impl BufRead,
        sent: &mut Sent,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), Failure> {
        let mut batch = Lines::default();
        let mut input = BoundedLines::new(input, LINE_BYTES);
        let mut first = true;
        loop {
            let after = input.number();
            let read = input.next().map_err(|e| Failure::failed(format!("can't read {name} after line {after}: {e}")))?;
            let at_end = read.is_none();
            if let Some((number, line)) = read {
                let (Line::Whole(bytes) | Line::TooLong(bytes)) = line;
                let bytes = bytes.trim_ascii();
                if first && !bytes.is_empty() {
                    first = false;
                    check_shape(name, bytes)?;
                }
                match line {
                    Line::Whole(_) if bytes.is_empty() => {}
                    Line::Whole(_) => batch.push(bytes, number),
                    Line::TooLong(_) => {
                        sent.reject_line(name, number, format!("the line has more than {LINE_BYTES} bytes: shorten the event"));
                    }
                }
            }
            if !batch.numbers.is_empty() && (at_end || batch.is_full(self.batch)) {
                let lines = std::mem::take(&mut batch);
                self.publish(client, name, &lines, sent)?;
                progress(lines.bytes.len() as u64, lines.numbers.len() as u64);
            }
            if at_end {
                return Ok(());
            }
        }
    }

    /// Publishes one request. What was taken before an answer got lost is a duplicate the next time: it counts once.
    fn publish(&self, client: &Client, name: &str, lines: &Lines, sent: &mut Sent) -> Result<(), Failure> {
        let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let why = match client.post_body(&["v1", "events"], "application/x-ndjson", lines.bytes.clone()) {
                Ok(answer) => {
                    let status = answer.status();
                    let body = answer.text().unwrap_or_default();
                    match status {
                        StatusCode::ACCEPTED | StatusCode::OK => match serde_json::from_str(&body) {
                            Ok(answer) => {
                                sent.add(name, &lines.numbers, answer);
                                return Ok(());
                            }
                            Err(e) => {
                                return Err(Failure::failed(format!(
                                    "the server's answer can't be read ({e}): are both of the same version?"
                                )));
                            }
                        },
                        StatusCode::PAYLOAD_TOO_LARGE => return self.publish_halves(client, name, lines, sent, &body),
                        StatusCode::TOO_MANY_REQUESTS
                        | StatusCode::SERVICE_UNAVAILABLE
                        | StatusCode::BAD_GATEWAY
                        | StatusCode::GATEWAY_TIMEOUT => refused(status, &body).to_string(),
                        _ => return Err(refused(status, &body)),
                    }
                }
                Err(error) => error.to_string(),
            };
            if began.elapsed() >= self.retry_for {
                let first = lines.numbers.first().copied().unwrap_or_default();
                return Err(Failure::unreachable(format!(
                    "{} took nothing for {} s ({why}). Stopped at line {first} of {name}: run the same command again, what was taken counts once",
                    client.url(),
                    self.retry_for.as_secs()
                )));
            }
            tracing::debug!(why, "not taken, trying again");
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn publish_halves(&self, client: &Client, name: &str, lines: &Lines, sent: &mut Sent, body: &str) -> Result<(), Failure> {
        let Some((left, right)) = lines.halves() else {
            // One event that the server takes in no request: the others go on.
            let number = lines.numbers.first().copied().unwrap_or_default();
            sent.reject_line(name, number, refused(StatusCode::PAYLOAD_TOO_LARGE, body).to_string());
            return Ok(());
        };
        self.publish(client, name, &left, sent)?;
        self.publish(client, name, &right, sent)
    }
}

/// Refuses a whole file of another shape before each of its lines is refused for itself.
fn check_shape(name: &str, first: &[u8]) -> Result<(), Failure> {
    let wrong = |todo| Failure::wrong_use(format!("{name} is not one JSON object a line; {todo}"));
    not_lines::hint(first).map_or(Ok(()), |todo| Err(wrong(todo)))
}

impl Sent {
    /// A line that no server was or could be asked about.
    fn reject_line(&mut self, name: &str, line: u64, detail: String) {
        self.rejected += 1;
        self.refuse(Rejection {
            file: name.to_owned(),
            line,
            reason: RejectReason::TooLarge.name().to_owned(),
            detail,
            ..Rejection::default()
        });
    }

    fn refuse(&mut self, rejection: Rejection) {
        *self.reasons.entry(rejection.reason.clone()).or_default() += 1;
        if self.rejections.len() < LISTED {
            self.rejections.push(rejection);
        }
    }

    fn add(&mut self, name: &str, numbers: &[u64], answer: Answer) {
        self.accepted += answer.accepted;
        self.duplicate += answer.duplicate;
        self.rejected += answer.rejected;
        for item in answer.results.into_iter().filter(|r| r.outcome == "rejected") {
            let reason = item.reason.unwrap_or_else(|| "unknown".into());
            let line = numbers.get(item.index).copied().unwrap_or_default();
            let detail = item.detail.unwrap_or_default();
            self.refuse(Rejection { file: name.to_owned(), line, source: item.source, id: item.id, reason, detail });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A server that answers each request with the next of `answers`, and then takes everything.
    fn server(answers: Vec<(u16, String)>) -> (Client, Arc<Mutex<Vec<String>>>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = bodies.clone();
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            while let Ok((stream, _)) = listener.accept() {
                serve_one(stream, &kept, &mut answers);
            }
        });
        (Client::at(&url, None).unwrap(), bodies)
    }

    fn taken(events: usize) -> String {
        format!(r#"{{"accepted":{events},"duplicate":0,"rejected":0,"results":[]}}"#)
    }

    fn serve_one(mut stream: std::net::TcpStream, bodies: &Mutex<Vec<String>>, answers: &mut impl Iterator<Item = (u16, String)>) {
        use std::io::{BufReader, Read, Write};
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        let (status, answer) = answers.next().unwrap_or_else(|| (202, taken(body.lines().count())));
        bodies.lock().unwrap().push(body);
        write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len()).unwrap();
    }

    fn feed(answers: Vec<(u16, String)>, batch: usize, input: &str) -> (Result<(), Failure>, Sent, Vec<String>) {
        let (client, bodies) = server(answers);
        let mut sent = Sent::default();
        let feed = Feed { batch, retry_for: Duration::from_secs(5) };
        let outcome = feed.lines(&client, "in", input.as_bytes(), &mut sent, |_, _| {});
        let bodies = bodies.lock().unwrap().clone();
        (outcome, sent, bodies)
    }

    #[test]
    fn lines_go_in_batches_and_empty_ones_are_left_out() {
        let (outcome, sent, bodies) = feed(vec![], 2, "a\n\nb\r\n  \nc");
        assert!(outcome.is_ok());
        assert_eq!((sent.accepted, bodies), (3, vec!["a\nb\n".to_owned(), "c\n".to_owned()]));
    }

    #[test]
    fn a_server_that_is_busy_is_asked_again() {
        let (outcome, sent, bodies) = feed(vec![(503, String::new())], 10, "a\nb\n");
        assert!(outcome.is_ok());
        assert_eq!((sent.accepted, bodies), (2, vec!["a\nb\n".to_owned(); 2]));
    }

    #[test]
    fn a_request_that_is_too_large_is_halved() {
        let (outcome, sent, bodies) = feed(vec![(413, String::new())], 10, "a\nb\nc\n");
        assert!(outcome.is_ok());
        assert_eq!((sent.accepted, bodies[1..].to_vec()), (3, vec!["a\n".to_owned(), "b\nc\n".to_owned()]));
    }

    #[test]
    fn a_line_that_is_too_long_is_one_rejection_and_the_rest_goes_on() {
        let long = "x".repeat(LINE_BYTES + 1);
        let (outcome, sent, bodies) = feed(vec![], 10, &format!("a\n{long}\nb\n"));
        assert!(outcome.is_ok());
        assert_eq!((sent.accepted, sent.rejected, bodies), (2, 1, vec!["a\nb\n".to_owned()]));
        let rejection = &sent.rejections[0];
        assert_eq!((rejection.file.as_str(), rejection.line, rejection.reason.as_str()), ("in", 2, "too_large"));
    }

    #[test]
    fn an_event_that_no_request_can_carry_is_one_rejection_and_the_rest_goes_on() {
        let problem = r#"{"type":"x","title":"The request is too large","status":413,"detail":"the body is larger than this"}"#;
        let (outcome, sent, bodies) = feed(vec![(413, String::new()), (202, taken(1)), (413, problem.into())], 10, "a\nb\n");
        assert!(outcome.is_ok());
        assert_eq!((sent.accepted, sent.rejected, bodies.len()), (1, 1, 3));
        let rejection = &sent.rejections[0];
        assert_eq!((rejection.line, rejection.reason.as_str()), (2, "too_large"));
        assert!(rejection.detail.contains("larger than this"), "{rejection:?}");
    }

    #[test]
    fn a_file_that_is_no_lines_of_events_is_refused_with_what_makes_them() {
        for (input, todo) in [("[\n{\"id\":1},\n]\n", "jq -c '.[]'"), ("\n{\n  \"id\": 1\n}\n", "jq -c .")] {
            let (outcome, sent, bodies) = feed(vec![], 10, input);
            assert!(outcome.unwrap_err().to_string().contains(todo), "{input}");
            assert_eq!((sent, bodies.len()), (Sent::default(), 0));
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_event() {
        let (_, sent, bodies) = feed(vec![], 10, "\u{feff}a\n");
        assert_eq!((sent.accepted, bodies), (1, vec!["a\n".to_owned()]));
    }

    #[test]
    fn rejections_name_their_line() {
        let answer = r#"{"accepted":1,"duplicate":0,"rejected":1,"results":[
            {"index":0,"outcome":"accepted"},{"index":1,"outcome":"rejected","id":"7","reason":"not_json","detail":"at byte 1"}]}"#;
        let (outcome, sent, _) = feed(vec![(202, answer.replace('\n', ""))], 10, "\na\nb\n");
        assert!(outcome.is_ok());
        assert_eq!((sent.rejected, sent.rejections[0].line, sent.rejections[0].reason.as_str()), (1, 3, "not_json"));
        assert_eq!(sent.reasons["not_json"], 1);
    }

    #[test]
    fn a_refusal_of_the_whole_request_ends_it() {
        let (outcome, sent, _) = feed(vec![(401, String::new())], 10, "a\n");
        assert!(outcome.is_err());
        assert_eq!(sent, Sent::default());
    }
}
