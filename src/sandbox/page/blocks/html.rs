//! HTML that is safe by construction: tags and attributes' names are ours, all else is escaped.

use std::fmt::{self, Write};

use askama::{FastWritable, Template, Values, filters::HtmlSafe};
use url::Url;

/// A well-formed piece of HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn text(text: &str) -> Self {
        let mut html = Self::default();
        html.push_text(text);
        html
    }

    pub(super) fn of(template: &impl Template) -> Self {
        // A template of ours fails only when writing to a String does.
        Self(template.render().unwrap_or_default())
    }

    /// What a writer of well-formed HTML wrote, which escaped whatever isn't its own.
    pub(super) fn written(html: String) -> Self {
        Self(html)
    }

    /// Without its tags.
    pub(super) fn to_plain(&self) -> String {
        let mut plain = String::new();
        let mut is_tag = false;
        for c in self.0.chars() {
            match c {
                '<' => is_tag = true,
                '>' => is_tag = false,
                c if !is_tag => plain.push(c),
                _ => {}
            }
        }
        let entities = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#39;", "'"),
            ("&amp;", "&"),
        ];
        entities
            .iter()
            .fold(plain, |text, (entity, c)| text.replace(entity, c))
    }

    pub(super) fn element(
        tag: &'static str,
        attributes: &[(&'static str, &str)],
        inner: &Self,
    ) -> Self {
        let mut html = Self::default();
        html.open(tag, attributes);
        html.0.push_str(&inner.0);
        html.0.push_str("</");
        html.0.push_str(tag);
        html.0.push('>');
        html
    }

    /// An element without an end.
    pub(super) fn void(tag: &'static str, attributes: &[(&'static str, &str)]) -> Self {
        let mut html = Self::default();
        html.open(tag, attributes);
        html
    }

    pub(super) fn push(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    pub(super) fn push_text(&mut self, text: &str) {
        for c in text.chars() {
            self.push_char(c);
        }
    }

    pub(super) fn push_char(&mut self, c: char) {
        match c {
            '&' => self.0.push_str("&amp;"),
            '<' => self.0.push_str("&lt;"),
            '>' => self.0.push_str("&gt;"),
            '"' => self.0.push_str("&quot;"),
            '\'' => self.0.push_str("&#39;"),
            c => self.0.push(c),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn open(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.push_text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

impl FastWritable for Html {
    fn write_into(&self, dest: &mut dyn Write, _: &dyn Values) -> askama::Result<()> {
        Ok(dest.write_str(&self.0)?)
    }
}

impl FromIterator<Self> for Html {
    fn from_iter<T: IntoIterator<Item = Self>>(parts: T) -> Self {
        let mut all = Self::default();
        parts.into_iter().for_each(|part| all.push(&part));
        all
    }
}

/// An address that may be linked: http, https, mailto or tel.
pub(super) fn address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto" | "tel").then(|| url.into())
}

/// An address that an image may be loaded from.
pub(super) fn image_address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}
