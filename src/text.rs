//! Text that came from outside: made one printable line, stripped of secrets, cut to a length.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Graphemes that one line may hold; what is longer ends in an ellipsis.
const LINE_LIMIT: usize = 300;

/// One printable line without secrets. It has no `Display`: each renderer escapes it for its own medium.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Untrusted(String);

impl Untrusted {
    /// The text as it may be shown after escaping.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(cut(&redact(&one_line(text)), LINE_LIMIT))
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Folds white space and drops what is invisible or steers a terminal: controls, bidi marks, zero-width characters.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(4 * LINE_LIMIT));
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            gap = !line.is_empty();
        } else if !is_invisible(c) {
            if std::mem::take(&mut gap) {
                line.push(' ');
            }
            line.push(c);
        }
    }
    line
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

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
        let secret = named.map_or(whole.start(), |(_, value)| value.start());
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

/// Whether `password: required` is a sentence: after a colon and a space, one short word. An empty value is none either.
fn is_prose(sign: &str, value: &str) -> bool {
    let word = value.trim_end_matches(['.', '!', '?', ')']);
    let rest = word.get(1..).unwrap_or_default();
    let is_word = word.len() < 16
        && word.bytes().all(|b| b.is_ascii_alphabetic())
        && (rest.bytes().all(|b| b.is_ascii_lowercase())
            || word.bytes().all(|b| b.is_ascii_uppercase()));
    let is_empty = matches!(
        word,
        "null" | "None" | "none" | "undefined" | "true" | "false"
    );
    is_empty || (is_word && sign == ": ")
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

/// Keeps at most `limit` graphemes, the last of them an ellipsis where something was cut.
pub fn cut(text: &str, limit: usize) -> String {
    // No grapheme is shorter than a byte, and counting them is slow.
    if text.len() <= limit {
        return text.to_owned();
    }
    match text.grapheme_indices(true).nth(limit) {
        None => text.to_owned(),
        Some(_) => text
            .graphemes(true)
            .take(limit.saturating_sub(1))
            .chain(["…"])
            .collect(),
    }
}

/// "1 page", "3 pages".
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {noun}s", thousands(number as u64))
    }
}

/// "1,234,567".
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// The nearest of the names, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= 2.max(name.len() / 3))
        .min()
        .map(|(_, name)| name)
}

/// "did you mean `health`? There are health, errors", for a name that is none of these.
pub fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let all = names.clone().collect::<Vec<_>>().join(", ");
    match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`? There are {all}"),
        None => format!("there are {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hostile_title_becomes_one_printable_line() {
        assert_eq!(
            Untrusted::from("a\r\n\u{1b}[31mred\u{202e}\u{200b} \t b\u{0}").as_str(),
            "a [31mred b"
        );
    }

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
            ("secret: \"open sesame\" x", "secret: [redacted]\" x"),
            (
                "Authorization: Basic YTpi x",
                "Authorization: Basic [redacted] x",
            ),
            (
                r#"{"password":"hunter2\"hunter2","a":1}"#,
                r#"{"password":[redacted]","a":1}"#,
            ),
            (
                r#"{\"token\":\"abcdef0123\",\"a\":1}"#,
                r#"{\"token\":[redacted]",\"a\":1}"#,
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
        fn a_line_is_printable_and_bounded(text in any::<String>()) {
            let line = Untrusted::from(text);
            prop_assert!(line.as_str().graphemes(true).count() <= LINE_LIMIT);
            prop_assert!(!line.as_str().chars().any(|c| c.is_control() || is_invisible(c)));
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            let once = one_line(&text);
            prop_assert_eq!(one_line(&once), once);
        }

        #[test]
        fn redacting_twice_changes_nothing(parts in prop::collection::vec(part(), 0..12)) {
            let once = redact(&parts.concat());
            prop_assert_eq!(redact(&once), once);
        }
    }
}
