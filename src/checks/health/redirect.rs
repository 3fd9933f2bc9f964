//! Where a redirect leads, and whether one may go there. Pure.

use hyper::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};
use url::Url;

use super::{miss::Miss, seen::Fault};
use crate::address::holds_credentials;

/// Of a redirect, as it was sent.
pub(super) fn location(status: StatusCode, headers: &HeaderMap) -> Option<&str> {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| headers.get(LOCATION)?.to_str().ok())
        .flatten()
}

/// Where to go on. The address itself is judged when it is dialled.
pub(super) fn follow(from: &Url, location: &str) -> Result<Url, Miss> {
    let refuse = |to: &str| Err(fault(format!("redirects to {to}, which is not followed")));
    let Ok(to) = from.join(location) else {
        return refuse("an unreadable address");
    };
    match (from.scheme(), to.scheme()) {
        ("https", "http") => return refuse("plain http"),
        (_, "http" | "https") => {}
        (_, other) => return refuse(&format!("a {other}: address")),
    }
    if holds_credentials(&to) {
        return refuse("an address with a user name");
    }
    Ok(to)
}

/// The host that a redirect leads to, or the path if it is the same one.
pub(super) fn moved_to(from: &Url, location: &str) -> String {
    match from.join(location) {
        Ok(to) if to.host() == from.host() && to.scheme() == from.scheme() => to.path().to_owned(),
        Ok(to) if to.host() == from.host() => {
            format!("{}://{}", to.scheme(), to.host_str().unwrap_or_default())
        }
        Ok(to) => to
            .host_str()
            .unwrap_or("an address without a host")
            .to_owned(),
        Err(_) => "an unreadable address".to_owned(),
    }
}

/// A redirect that can't be followed.
pub(super) fn fault(reason: String) -> Miss {
    Miss::Fault(Fault::Redirect, reason)
}

/// Behind a redirect, what may not be asked is the fault of the one who sent us there.
pub(super) fn misled(miss: Miss) -> Miss {
    match miss {
        Miss::Never(never) => fault(format!(
            "redirects to {}, {}, which is never asked",
            never.what, never.kind
        )),
        Miss::Fault(kind, reason) if kind.is_network() => {
            fault(format!("redirects to an address that {reason}"))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_redirect_never_leads_from_https_to_http_or_out_of_the_web() {
        let from = url("https://a.example/health");
        for to in [
            "http://a.example/health",
            "ftp://a.example/",
            "file:///etc/passwd",
            "https://user:secret@a.example/",
            "https://[::1",
        ] {
            assert!(follow(&from, to).is_err(), "{to}");
        }
        let to = follow(&from, "/healthz").unwrap();
        assert_eq!(to.as_str(), "https://a.example/healthz");
        let from = url("http://a.example/health");
        assert!(follow(&from, "https://a.example/health").is_ok());
    }

    #[test]
    fn a_redirect_is_told_by_what_differs_and_without_its_query() {
        let from = url("https://a.example/health");
        for (location, told) in [
            ("/login?token=abc", "/login"),
            ("https://sso.example/x?y", "sso.example"),
            ("http://a.example/health", "http://a.example"),
            ("https://[", "an unreadable address"),
        ] {
            assert_eq!(moved_to(&from, location), told);
        }
    }
}
