//! Text that came from outside: made one printable line, stripped of secrets, cut to a length.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

mod redact;

pub use redact::redact;

/// Graphemes that one line may hold; what is longer ends in an ellipsis.
pub const LINE_LIMIT: usize = 300;

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
    }
}
