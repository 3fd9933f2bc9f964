//! Tells a log-in page, which stands behind a 200, from an answer of the service. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// Whether a body is a page for people to look at, by its type or its first bytes.
pub(super) fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    let begins = |mark: &[u8]| {
        body.get(..mark.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(mark))
    };
    content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
        || begins(b"<!doctype html")
        || begins(b"<html")
}

/// Whether a page asks for a password, or says in its title or a form that one has to log in.
pub(super) fn asks_to_log_in(page: &str) -> bool {
    static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
        const WORDS: &str =
            r"\b(?:log[\s-]?in|log[\s-]?on|sign[\s-]?in|sso|single[\s-]sign[\s-]?on)\b";
        let pattern = format!(
            r#"(?is)<input\b[^>]*\btype\s*=\s*["']?password|<title\b[^>]*>[^<]*{WORDS}|<form\b(?:[^<]|<[^/]|</[^f])*?{WORDS}|\bname\s*=\s*["']?SAMLRequest"#
        );
        Regex::new(&pattern).expect("the pattern is constant")
    });
    LOGIN.is_match(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_asks_to_log_in_is_recognised() {
        for page in [
            "<html><title>Sign in · Acme</title>",
            "<!DOCTYPE html><form><input name=p type='password'></form>",
            "<html><form action=/sso>Continue</form>",
            "<html><form>\n<h1>Please</h1><p>Log in</p></form>",
            r#"<html><form method="post"><input type="hidden" name="SAMLRequest">"#,
        ] {
            assert!(asks_to_log_in(page), "{page}");
        }
    }

    #[test]
    fn a_page_of_the_service_itself_is_none() {
        for page in [
            "<html><title>Acme status</title><p>All systems work. <a href=/x>Log in</a>",
            "<html><title>Design blogging index</title>",
            "<html><form><input name=q></form><p>sign in</p>",
        ] {
            assert!(!asks_to_log_in(page), "{page}");
        }
    }

    #[test]
    fn a_page_is_told_by_its_type_or_its_first_bytes() {
        assert!(is_html(Some("text/HTML; charset=utf-8"), b"ok"));
        assert!(is_html(None, b"\xef\xbb\xbf \n<!doctype HTML>"));
        assert!(!is_html(
            Some("application/json"),
            b"{\"page\": \"<html>\"}"
        ));
    }
}
