//! Keeps web pages out of a server that needs no key: a page in the user's browser can reach 127.0.0.1,
//! by a request to it, or by a name of its own that resolves to it (DNS rebinding).

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};

use super::Problem;

/// Lets pass only what names this machine as its host, and comes from no page of another site.
pub(super) async fn local_only(request: Request, next: Next) -> Response {
    match refusal(request.headers(), request.uri()) {
        None => next.run(request).await,
        Some(detail) => Problem::new(StatusCode::FORBIDDEN, "forbidden", "This server serves this machine only", detail).into_response(),
    }
}

fn refusal(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let host = headers.get(header::HOST).map(|h| h.to_str().unwrap_or_default()).or_else(|| uri.host());
    // HTTP/1.0 may leave it out; browsers never do.
    if let Some(host) = host
        && !is_this_machine(host)
    {
        return Some(
            "the Host header must be localhost, 127.0.0.1 or [::1] while no key is configured; behind a proxy, configure `server.keys`"
                .into(),
        );
    }
    let origin = headers.get(header::ORIGIN).map(|o| o.to_str().unwrap_or_default())?;
    let origin_host = origin.split_once("://").map_or(origin, |(_, host)| host);
    (!is_this_machine(origin_host)).then(|| "web pages of other sites may not use this server".into())
}

fn is_this_machine(host_and_port: &str) -> bool {
    let host = match host_and_port.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host_and_port.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pairs: &[(header::HeaderName, &str)]) -> bool {
        let headers = pairs.iter().map(|(n, v)| (n.clone(), v.parse().unwrap())).collect();
        refusal(&headers, &Uri::from_static("/v1/search")).is_some()
    }

    #[test]
    fn names_of_this_machine_pass() {
        for host in ["localhost", "LOCALHOST:4780", "127.0.0.1:4780", "127.0.0.1", "[::1]:4780", "127.0.0.2"] {
            assert!(!refused(&[(header::HOST, host)]), "{host}");
        }
        assert!(!refused(&[]));
        assert!(!refused(&[(header::HOST, "localhost:4780"), (header::ORIGIN, "http://localhost:4780")]));
    }

    #[test]
    fn a_rebound_name_and_another_site_are_refused() {
        for host in ["evil.example", "evil.example:4780", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[::2]"] {
            assert!(refused(&[(header::HOST, host)]), "{host}");
        }
        assert!(refused(&[(header::HOST, "localhost:4780"), (header::ORIGIN, "https://evil.example")]));
        assert!(refused(&[(header::HOST, "localhost:4780"), (header::ORIGIN, "null")]));
    }
}
