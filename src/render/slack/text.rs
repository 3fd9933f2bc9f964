//! Slack's mrkdwn, for lines of our own: verdicts, times, mentions.
//!
//! Text from outside belongs in a `rich_text` block, which has no markup to inject. mrkdwn knows no escape for `*` or `_`,
//! so what of such text must stand in it (a name, the one line of a notification) is cut, made unable to format by
//! look-alikes, and escaped, once.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::{render::moment, triage::Person};

/// How Slack writes a time in the reader's own zone.
pub(super) const DATE: &str = "{date_short_pretty} at {time}";

const ELLIPSIS: &str = "…";

/// The longest address that is linked; a cut one would lead elsewhere.
const LINK_LIMIT: usize = 500;

/// Cut at a grapheme's edge to at most `limit` bytes. Slack's documents say "characters", and reports differ on whether
/// it counts bytes; no other count is greater.
pub(super) fn fit(text: &str, limit: usize) -> String {
    fitted(text, limit, str::len)
}

/// Cut so that the graphemes, each as long as `length` says, come to at most `limit`.
fn fitted(text: &str, limit: usize, length: impl Fn(&str) -> usize) -> String {
    if length(text) <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(ELLIPSIS.len());
    let mut used = 0;
    let kept: String = text
        .graphemes(true)
        .take_while(|grapheme| {
            used += length(grapheme);
            used <= room
        })
        .collect();
    kept.trim_end().to_owned() + ELLIPSIS
}

/// Slack's three control characters as entities. <https://docs.slack.dev/messaging/formatting-message-text>
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Without a character that mrkdwn reads as markup. It knows no escape for these, so look-alikes take their place; what
/// formats nothing where it stands is left alone, so that a key or a time can be copied.
pub(super) fn neutral(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for (place, c) in text.char_indices() {
        let rest = &text[place + c.len_utf8()..];
        let next = rest.chars().next();
        let inside_a_word =
            before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
        match c {
            '*' => out.push('∗'),
            '`' => out.push('ˋ'),
            '~' => out.push('∼'),
            '_' if !inside_a_word => out.push('＿'),
            ':' if rest.starts_with("//") || begins_with_a_name(rest) => out.push('∶'),
            // The word joiner that follows is invisible, and ends what could be a name.
            '@' if !inside_a_word => out.extend([c, '\u{2060}']),
            '#' if !next.is_some_and(|next| next.is_ascii_digit()) => {
                out.extend([c, '\u{2060}']);
            }
            '>' if before.is_none() => out.push('›'),
            _ => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// Whether the text begins with what could be an emoji's name and the colon after it.
fn begins_with_a_name(text: &str) -> bool {
    let name = text.split_once(':').map_or("", |(name, _)| name);
    !name.is_empty() && !name.contains([' ', '/'])
}

/// The Slack user behind a person, if it is one.
pub(super) fn user(person: &Person) -> Option<&str> {
    person.id().strip_prefix("slack:").filter(|id| is_user(id))
}

/// Whether the text is a user's id and nothing else: `U012ABCDEF`.
fn is_user(text: &str) -> bool {
    (2..30).contains(&text.len())
        && text.starts_with(['U', 'W'])
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// The address, if it is one that may be linked.
pub(super) fn web(url: &Url) -> Option<&str> {
    let text = url.as_str();
    (matches!(url.scheme(), "http" | "https") && text.len() <= LINK_LIMIT).then_some(text)
}

/// What an old client shows in the place of a time.
pub(super) fn fallback(at: DateTime<Utc>, zone: Tz) -> String {
    moment(at, zone, at)
}

/// Bytes of a line of mrkdwn.
pub(super) const LINE: usize = 1_000;

/// A line of mrkdwn that never grows over its limit, counted after escaping.
#[derive(Clone)]
pub(super) struct Mrkdwn {
    text: String,
    limit: usize,
}

impl Mrkdwn {
    pub(super) fn within(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
        }
    }

    /// Adds our own words, which may format.
    #[must_use]
    pub(super) fn say(self, words: &str) -> Self {
        let words = escape(words);
        self.whole(&words)
    }

    /// Adds text from outside, of which as much is kept as there is room for.
    #[must_use]
    pub(super) fn quote(mut self, text: &str) -> Self {
        let room = self.limit - self.text.len();
        let kept = fitted(&neutral(text), room, |part| escape(part).len());
        if escape(&kept).len() <= room {
            self.text += &escape(&kept);
        }
        self
    }

    #[must_use]
    pub(super) fn person(self, person: &Person) -> Self {
        match user(person) {
            Some(id) => self.mention(id),
            None => self.quote(&fit(person.name(), 60)),
        }
    }

    /// Names a user by their id.
    #[must_use]
    pub(super) fn mention(self, user: &str) -> Self {
        self.whole(&format!("<@{user}>"))
    }

    #[must_use]
    pub(super) fn date(self, at: DateTime<Utc>, zone: Tz) -> Self {
        let date = format!("<!date^{}^{DATE}|{}>", at.timestamp(), fallback(at, zone));
        self.whole(&date)
    }

    /// Adds our own words as a link, or alone where the address may not be linked.
    #[must_use]
    pub(super) fn link(self, url: &Url, words: &str) -> Self {
        match web(url) {
            // A bar would end the address; in a URL's text it may stand bare.
            Some(url) => {
                let url = escape(url).replace('|', "%7C");
                self.whole(&format!("<{url}|{}>", escape(words)))
            }
            None => self.say(words),
        }
    }

    /// Adds a piece that has no meaning in parts.
    fn whole(mut self, piece: &str) -> Self {
        if self.text.len() + piece.len() <= self.limit {
            self.text += piece;
        }
        self
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unescaped(text: &str) -> String {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }

    #[test]
    fn what_a_title_says_is_read_and_not_obeyed() {
        let text = Mrkdwn::within(300)
            .quote("> *bold* <!channel> :tada: @here `x` snake_case http://evil.example")
            .finish();
        assert_eq!(
            text,
            "› ∗bold∗ &lt;!channel&gt; ∶tada: @\u{2060}here ˋxˋ snake_case http∶//evil.example"
        );
    }

    #[test]
    fn a_key_a_time_and_an_address_can_be_copied() {
        for text in [
            "errors:4501 at 11:50, log #12:9f3a12",
            "anna@example.com",
            "health:api/production",
        ] {
            assert_eq!(neutral(text), text);
        }
    }

    #[test]
    fn a_cut_counts_what_slack_counts() {
        let text = Mrkdwn::within(10).quote("a<<<<").finish();
        assert_eq!(text, "a&lt;…");
        assert_eq!(fit("👨‍👩‍👧👨‍👩‍👧", 21), "👨‍👩‍👧…");
    }

    proptest! {
        #[test]
        fn no_text_from_outside_can_format(text in "[ -~é_*`~:>@#<&]{0,80}") {
            let line = Mrkdwn::within(200).say("by ").quote(&text).finish();
            let quoted = line.strip_prefix("by ").expect("it is there");
            prop_assert!(!quoted.contains(['*', '`', '~', '<', '>']), "{}", quoted);
            prop_assert!(!quoted.contains("://") && !quoted.starts_with("&gt;"), "{}", quoted);
            let all: Vec<char> = quoted.chars().collect();
            for pair in all.windows(2) {
                let is_number = pair[1].is_ascii_digit();
                prop_assert!(pair[0] != '#' || pair[1] == '\u{2060}' || is_number, "{}", quoted);
            }
            let parts: Vec<&str> = quoted.split(':').collect();
            let between = parts.get(1..parts.len() - 1).unwrap_or_default();
            for name in between {
                prop_assert!(name.is_empty() || name.contains([' ', '/', '∶']), "{}", quoted);
            }
            for trio in all.windows(3).filter(|trio| trio[1] == '@') {
                let is_address = trio[0].is_alphanumeric() && trio[2].is_alphanumeric();
                prop_assert!(is_address || trio[2] == '\u{2060}', "{}", quoted);
            }
            for trio in all.windows(3).filter(|trio| trio[1] == '_') {
                prop_assert!(trio[0].is_alphanumeric() && trio[2].is_alphanumeric(), "{}", quoted);
            }
        }

        #[test]
        fn a_line_keeps_its_limit_and_its_entities_whole(text in any::<String>(), limit in 0usize..120) {
            let line = Mrkdwn::within(limit).quote(&text).finish();
            prop_assert!(line.len() <= limit);
            let rest = line.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            prop_assert!(!rest.contains(['&', '<', '>']), "{}", line);
        }

        #[test]
        fn what_fits_is_escaped_once(text in "[a-z&<> ]{0,60}") {
            prop_assume!(!text.starts_with('>'));
            let line = Mrkdwn::within(1_000).quote(&text).finish();
            prop_assert_eq!(unescaped(&line), text);
        }

        #[test]
        fn a_cut_ends_at_a_graphemes_edge(text in any::<String>(), limit in 3usize..60) {
            let kept = fit(&text, limit);
            prop_assert!(kept.len() <= limit);
            if let Some(start) = kept.strip_suffix('…').filter(|_| kept != text) {
                prop_assert!(text.starts_with(start));
                let edges: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
                let spaces = text[start.len()..].len() - text[start.len()..].trim_start().len();
                prop_assert!((0..=spaces).any(|gap| edges.contains(&(start.len() + gap))));
            }
        }
    }
}
