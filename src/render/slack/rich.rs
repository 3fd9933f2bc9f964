//! `rich_text`: what stands in it is text and never markup, so that text from outside needs no escape.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;
use slack_morphism::prelude::{
    SlackBlock, SlackEmojiName, SlackRelaxedUrl, SlackRichTextBlock, SlackRichTextEmoji,
    SlackRichTextInlineElement, SlackRichTextLink, SlackRichTextList, SlackRichTextListStyle,
    SlackRichTextSection, SlackRichTextStyle, SlackRichTextText, SlackRichTextUser, SlackUserId,
};
use url::Url;

use super::text::{DATE, fallback, fit, user, web};
use crate::{
    ops_log::{Piece, Sentence},
    triage::Person,
};

/// The longest quotation in a line; whoever wants more opens the details.
pub(super) const QUOTE: usize = 300;

/// The longest run of one style.
const RUN: usize = 2_000;

/// A run of text with emoji, links, people and times.
#[derive(Clone, Default)]
pub(super) struct Rich(Vec<SlackRichTextInlineElement>);

impl Rich {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds our own words.
    #[must_use]
    pub(super) fn say(self, words: &str) -> Self {
        self.text(words, None)
    }

    #[must_use]
    pub(super) fn bold(self, words: &str) -> Self {
        self.text(words, Some(SlackRichTextStyle::new().with_bold(true)))
    }

    #[must_use]
    pub(super) fn code(self, words: &str) -> Self {
        self.text(words, Some(SlackRichTextStyle::new().with_code(true)))
    }

    /// Adds text from outside, cut to `limit` bytes.
    #[must_use]
    pub(super) fn quote(self, text: &str, limit: usize) -> Self {
        self.text(&fit(text, limit), None)
    }

    #[must_use]
    pub(super) fn emoji(mut self, name: &str) -> Self {
        let emoji = SlackRichTextEmoji::new(SlackEmojiName(name.to_owned()));
        self.0.push(emoji.into());
        self
    }

    #[must_use]
    pub(super) fn person(self, person: &Person) -> Self {
        match user(person) {
            Some(id) => self.mention(id),
            None => self.quote(person.name(), 60),
        }
    }

    /// Names a user by their id.
    fn mention(mut self, user: &str) -> Self {
        let mention = SlackRichTextUser::new(SlackUserId(user.to_owned()));
        self.0.push(mention.into());
        self
    }

    /// Adds a time, which Slack shows in the reader's zone.
    #[must_use]
    pub(super) fn date(mut self, at: DateTime<Utc>, zone: Tz) -> Self {
        // Written as it goes over the wire: the crate's type wants another library's time.
        let date = json!({
            "type": "date", "timestamp": at.timestamp(), "format": DATE, "fallback": fallback(at, zone)
        });
        self.0.push(SlackRichTextInlineElement::Unknown(date));
        self
    }

    /// Adds text as a link, or alone where the address may not be linked.
    #[must_use]
    pub(super) fn link(mut self, url: Option<&Url>, text: &str, limit: usize) -> Self {
        let text = fit(text, limit);
        match url.and_then(web) {
            Some(url) if !text.is_empty() => {
                let link = SlackRichTextLink::new(SlackRelaxedUrl(url.to_owned())).with_text(text);
                self.0.push(link.into());
                self
            }
            _ => self.text(&text, None),
        }
    }

    /// Adds a sentence, cut to `limit` bytes: what our own words put between backticks becomes code, and
    /// what is quoted stays as it is.
    #[must_use]
    pub(super) fn sentence(mut self, sentence: &Sentence, limit: usize) -> Self {
        let mut room = limit;
        for piece in &sentence.0 {
            self = match piece {
                Piece::Named(person) => self.person(person),
                Piece::Quoted(text) => self.quote(text.as_str(), room.min(QUOTE)),
                Piece::Said(words) => self.own(&fit(words, room)),
            };
            room = room.saturating_sub(piece.text().len());
            if room == 0 {
                break;
            }
        }
        self
    }

    fn own(self, words: &str) -> Self {
        words
            .split('`')
            .enumerate()
            .fold(self, |line, (place, part)| {
                if place % 2 == 1 {
                    line.code(part)
                } else {
                    line.say(part)
                }
            })
    }

    #[must_use]
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds the parts that say something, with ` · ` between them.
    #[must_use]
    pub(super) fn parts(self, parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter().filter(|part| !part.is_empty());
        let first = parts.next().unwrap_or_default();
        parts.fold(self.then(first), |line, part| line.say(" · ").then(part))
    }

    /// With its first letter in upper case.
    #[must_use]
    pub(super) fn capital(mut self) -> Self {
        if let Some(SlackRichTextInlineElement::Text(first)) = self.0.first_mut()
            && let Some(letter) = first.text.chars().next()
        {
            let rest = &first.text[letter.len_utf8()..];
            first.text = letter.to_uppercase().collect::<String>() + rest;
        }
        self
    }

    fn text(mut self, text: &str, style: Option<SlackRichTextStyle>) -> Self {
        if text.is_empty() {
            return self;
        }
        match self.0.last_mut() {
            Some(SlackRichTextInlineElement::Text(last))
                if last.style == style && last.text.len() + text.len() <= RUN =>
            {
                last.text += text;
            }
            _ => {
                let run = SlackRichTextText::new(text.to_owned()).opt_style(style);
                self.0.push(run.into());
            }
        }
        self
    }

    fn section(self) -> SlackRichTextSection {
        SlackRichTextSection::new(self.0)
    }

    pub(super) fn block(self) -> SlackBlock {
        SlackRichTextBlock::new(vec![self.section().into()]).into()
    }
}

/// A line, and under it a list.
pub(super) fn list(heading: Rich, items: impl IntoIterator<Item = Rich>) -> SlackBlock {
    let items: Vec<_> = items
        .into_iter()
        .filter(|item| !item.is_empty())
        .map(|item| item.section().into())
        .collect();
    let mut elements = vec![heading.section().into()];
    if !items.is_empty() {
        elements.push(SlackRichTextList::new(SlackRichTextListStyle::Bullet, items).into());
    }
    SlackRichTextBlock::new(elements).into()
}
