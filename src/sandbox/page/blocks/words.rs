//! Plain words: their entities, emoji and addresses.

use super::{emoji, html::Html, mentions};

/// The character of the entity that the text begins with, and how long that is.
pub(super) fn entity(text: &str) -> Option<(char, usize)> {
    let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
    let found = known.iter().find(|(entity, _)| text.starts_with(entity));
    found.map(|(entity, c)| (*c, entity.len()))
}

/// With its entities resolved, once.
pub(super) fn decoded(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Text with emoji, no marks.
pub(super) fn words(text: &str) -> Html {
    let mut out = Html::default();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match emoji::at(&text[at..]) {
            Some((emoji, length)) => {
                out.push(&emoji);
                at += length;
            }
            None => {
                out.push_char(c);
                at += c.len_utf8();
            }
        }
    }
    out
}

/// The address that the text begins with, as a link, and how long that is.
pub(super) fn bare_address(rest: &str, out: &mut Html) -> Option<usize> {
    if !rest.starts_with("http://") && !rest.starts_with("https://") {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '|' | '"' | '`' | '*');
    let end = rest.find(ends).unwrap_or(rest.len());
    let end = ["&gt;", "&lt;"]
        .iter()
        .filter_map(|it| rest[..end].find(it))
        .min()
        .unwrap_or(end);
    let trailing = |c: char| {
        matches!(
            c,
            '.' | ',' | ';' | ':' | '!' | '?' | ')' | '\'' | '_' | '~'
        )
    };
    let address = rest[..end].trim_end_matches(trailing);
    let to = decoded(address);
    let link = mentions::link(&to, &Html::text(&to))?;
    out.push(&link);
    Some(address.len())
}
