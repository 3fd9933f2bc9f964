//! Who may ask: a program of this machine, not a page of somebody else's in a browser of this machine.

use axum::http::{HeaderMap, HeaderValue, header};
use url::Url;

type Admitted = Result<(), &'static str>;

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value: &HeaderValue = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A name that was made to point at this machine is not this machine's; and what another page sends names its origin.
pub fn admit(headers: &HeaderMap) -> Admitted {
    let host = host(headers)?;
    match text(headers, header::ORIGIN.as_str()) {
        None => Ok(()),
        Some(origin) if origin.strip_prefix("http://") == Some(&host) => Ok(()),
        Some(_) => Err("another page can't ask the sandbox\n"),
    }
}

/// As `admit`, where a mere GET does something: a page's image or link tells no origin, but where it stands.
pub(super) fn admit_call(headers: &HeaderMap) -> Admitted {
    admit(headers)?;
    match text(headers, "sec-fetch-site").as_deref() {
        None | Some("none" | "same-origin") => Ok(()),
        Some(_) => Err("another page can't ask the sandbox\n"),
    }
}

/// As `admit`, for what other pages may show but not read.
pub(super) fn admit_file(headers: &HeaderMap) -> Admitted {
    host(headers).map(|_| ())
}

/// The host that is asked for, if it is this machine.
fn host(headers: &HeaderMap) -> Result<String, &'static str> {
    let Some(host) = text(headers, header::HOST.as_str()) else {
        return Err("which host is asked for is not said\n");
    };
    let asked: Result<Url, _> = format!("http://{host}/").parse();
    let is_ours = asked.is_ok_and(|url| match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    });
    if is_ours {
        Ok(host)
    } else {
        Err("only the names of this machine are served: 127.0.0.1, localhost\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, more: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [("host", host)].iter().chain(more) {
            headers.insert(*name, value.parse().expect("it is a header"));
        }
        headers
    }

    fn asked(host: &str, origin: Option<&str>) -> bool {
        let origin: Vec<_> = origin.into_iter().map(|it| ("origin", it)).collect();
        admit(&headers(host, &origin)).is_ok()
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

    #[test]
    fn an_image_of_another_page_calls_nothing() {
        let of = |site: &'static str| headers("127.0.0.1:4000", &[("sec-fetch-site", site)]);
        for site in ["cross-site", "same-site"] {
            assert!(admit_call(&of(site)).is_err(), "{site}");
            assert!(admit_file(&of(site)).is_ok(), "{site}");
        }
        assert!(admit_call(&of("none")).is_ok());
        assert!(admit_call(&headers("127.0.0.1:4000", &[])).is_ok());
    }
}
