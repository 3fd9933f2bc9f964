//! Takes credentials and personal data out of a text. Pure.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Replaces what looks like a credential, an e-mail address or a card number by `[redacted]`; a credential's name stays.
pub fn redact(text: &str) -> String {
    static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u)\b\d(?:[ -]?\d){12,18}\b").expect("the pattern is constant")
    });
    DIGITS
        .replace_all(&without_secrets(text), |found: &regex::Captures<'_>| {
            if is_card_number(&found[0]) {
                "[redacted]".into()
            } else {
                found[0].to_owned()
            }
        })
        .into_owned()
}

fn without_secrets(text: &str) -> Cow<'_, str> {
    static SECRETS: LazyLock<Regex> = LazyLock::new(|| {
        // Credentials are ASCII, and Unicode classes would make each search many times slower.
        Regex::new(
            r#"(?x-u)
            \bxox[a-z]-[\w-]{6,} | \bxapp-[\w-]{6,}
            | \b[srp]k_(?:live|test)_\w{6,} | \bwhsec_\w{6,}
            | \bsntry[usai]_[\w=+/-]{6,}
            | \bgh[pousr]_\w{16,} | \bgithub_pat_\w{16,} | \blin_api_\w{8,}
            | \bA(?:KI|SI)A[A-Z0-9]{12,}
            | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*
            | (?i:\b(?:bearer|basic)\s+[\w.~+/=-]{8,})
            | (?i:(?:api[_-]?key|secret|passw(?:or)?d|token|authorization)[\w-]*\\?["']?\s*)
              (?<sign>[=:]\s*(?i:(?:basic|bearer|digest|token)\s+)?)
              (?<value>\\"(?u:[^"]){4,} | "(?u:[^"\\]|\\.){4,} | '(?u:[^']){4,} | (?u:[^\s&,;"'\\])(?u:[^\s&,;]){3,})
            | (?i:\b[a-z][a-z0-9+.-]*://(?u:[^\s/@:])*:(?u:[^\s/@])+@)
            | (?i:\b[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+\b)
            "#,
        )
        .expect("the pattern is constant")
    });
    let mut clean = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(found) = SECRETS.captures_at(text, from) {
        let whole = found.get_match();
        let named = found.name("sign").zip(found.name("value"));
        if named.is_some_and(|(sign, value)| is_prose(sign.as_str(), value.as_str())) {
            // What was let pass may yet hold another secret.
            from = whole.start() + 1;
            continue;
        }
        let secret = named.map_or(whole.start(), |(_, value)| {
            value.start() + opening_quote(value.as_str())
        });
        clean.push_str(&text[copied..secret]);
        clean.push_str("[redacted]");
        copied = whole.end();
        from = copied;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[copied..]);
    Cow::Owned(clean)
}

/// The length of the quotation mark that a value begins with: one of JSON may be escaped.
fn opening_quote(value: &str) -> usize {
    ["\\\"", "\"", "'"]
        .into_iter()
        .find(|quote| value.starts_with(quote))
        .map_or(0, str::len)
}

/// Whether `password: required` is a sentence: after a colon and a space, one short word; or says that there is no value.
fn is_prose(sign: &str, value: &str) -> bool {
    let word = value.trim_end_matches(['.', '!', '?', ')', '}', ']']);
    let rest = word.get(1..).unwrap_or_default();
    let is_word = word.len() < 16
        && word.bytes().all(|b| b.is_ascii_alphabetic())
        && (rest.bytes().all(|b| b.is_ascii_lowercase())
            || word.bytes().all(|b| b.is_ascii_uppercase()));
    let says_none = matches!(
        word,
        "null" | "None" | "none" | "undefined" | "true" | "false"
    );
    says_none || (is_word && sign == ": ")
}

/// Luhn's check over the digits.
fn is_card_number(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(i, d)| {
            if i % 2 == 1 {
                d * 2 / 10 + d * 2 % 10
            } else {
                d
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_and_personal_data_do_not_get_through() {
        for secret in [
            "xoxb-123456789-abcdef",
            "sk_live_abcdef123456",
            "sntryu_0123456789abcdef",
            "ghp_0123456789abcdefghij",
            "AKIAABCDEFGHIJKLMNOP",
            "Bearer abc.def.ghijk",
            "password=hunter2",
            "access_token=abcdef0123",
            "client_secret=abcdef0123",
            "DB_PASSWORD=swordfish",
            "AWS_SECRET_ACCESS_KEY=abcdefABCDEF/0123+4567",
            "secret: \"open sesame\"",
            "Authorization: Basic YTpi",
            "Authorization: Bearer abcdef",
            "X-Authorization: Bearer abc.def.ghijk",
            "token: Bearer abc.def.ghijk",
            "password: token: abcdef0123",
            "password: hunter2",
            "token: password : hunter22",
            "api-key:abcdef",
            r#"{"password":"hunter2hunter2"}"#,
            r#"{"password":"hunter2\"hunter2"}"#,
            r#"{"token": "abcdef0123"}"#,
            r#"{\"token\":\"abcdef0123\"}"#,
            "{'apiKey': 'abcdef 0123'}",
            "anna@example.com",
            "4111 1111 1111 1111",
            "postgres://u:secret@db/x",
        ] {
            let shown = redact(&format!("before {secret} after"));
            assert!(
                shown.contains("[redacted]") && !shown.contains(secret),
                "{shown}"
            );
        }
    }

    #[test]
    fn the_name_of_a_secret_stays_and_its_value_goes() {
        for (text, shown) in [
            ("DB_PASSWORD=swordfish x", "DB_PASSWORD=[redacted] x"),
            ("a?access_token=abc123&b=1", "a?access_token=[redacted]&b=1"),
            ("secret: \"open sesame\" x", "secret: \"[redacted]\" x"),
            (
                "Authorization: Basic YTpi x",
                "Authorization: Basic [redacted] x",
            ),
            (
                r#"{"password":"hunter2\"hunter2","a":1}"#,
                r#"{"password":"[redacted]","a":1}"#,
            ),
            (
                r#"{\"token\":\"abcdef0123\",\"a\":1}"#,
                r#"{\"token\":\"[redacted]",\"a\":1}"#,
            ),
            (
                "invalid token: unexpected abc@example.com",
                "invalid token: unexpected [redacted]",
            ),
            ("token: password : hunter22", "token: password : [redacted]"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }

    #[test]
    fn prose_about_secrets_stays_readable() {
        for text in [
            "token expired: please log in",
            "SyntaxError: Unexpected token < in JSON at position 0",
            "Unexpected token: punctuation (1:2)",
            "password: required",
            "Password: Required.",
            "invalid token: unexpected end",
            "token: null, secret=undefined",
            r#"{"password": null}"#,
            "the secret is out, and the password with it",
            "CSRF token missing or incorrect",
            "Authorization: missing",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn ordinary_numbers_stay() {
        assert_eq!(
            redact("order 1234567890123 at 2026-11-22"),
            "order 1234567890123 at 2026-11-22"
        );
    }

    /// What secrets are made of.
    fn part() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "token",
            "password",
            "_key",
            "=",
            ": ",
            ":",
            " ",
            "\"",
            "'",
            "\\",
            "{",
            "}",
            ",",
            "&",
            "Bearer ",
            "required",
            "hunter2",
            "ab",
            "41",
            "11",
            " 1111",
            "a@b.example",
            "://",
            "@",
            "xoxb-",
            "null",
            "[redacted]",
        ])
    }

    proptest! {
        #[test]
        fn redacting_twice_changes_nothing(parts in prop::collection::vec(part(), 0..12)) {
            let once = redact(&parts.concat());
            prop_assert_eq!(redact(&once), once);
        }
    }
}
