//! Who may ask the page: a browser of this machine that was sent here by nobody else.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' https: http: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses what other pages ask for, and says how far this one may be trusted.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    if let Err(why) = admit(request.headers()) {
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With none at all a form says that its origin is `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A name that was made to point at this machine is not this machine's; and what another page sends names its origin.
fn admit(headers: &HeaderMap) -> Result<(), &'static str> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str());
    let Some(Ok(host)) = text(header::HOST) else {
        return Err("which host is asked for is not said\n");
    };
    let asked: Result<Url, _> = format!("http://{host}/").parse();
    let is_ours = asked.is_ok_and(|url| match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    });
    if !is_ours {
        return Err("only the names of this machine are served: 127.0.0.1, localhost\n");
    }
    match text(header::ORIGIN) {
        None => Ok(()),
        Some(Ok(origin)) if origin.strip_prefix("http://") == Some(host) => Ok(()),
        Some(_) => Err("another page can't ask the sandbox\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("it is a header"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("it is a header"));
        }
        admit(&headers).is_ok()
    }

    #[test]
    fn only_this_machine_and_this_page_are_served() {
        assert!(asked("127.0.0.1:4000", None));
        assert!(asked("localhost:4000", Some("http://localhost:4000")));
        assert!(asked("[::1]:4000", None));
        assert!(!asked("sandbox.example.com:4000", None));
        assert!(!asked("127.0.0.1.example.com", None));
        assert!(!asked("127.0.0.1:4000", Some("http://127.0.0.1:5000")));
        assert!(!asked("127.0.0.1:4000", Some("https://example.com")));
        assert!(!asked("127.0.0.1:4000", Some("null")));
    }
}
