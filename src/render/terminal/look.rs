//! How text looks in a terminal: its colours, its links, and what is left of a line.

use anstyle::{AnsiColor, Style};
use chrono_tz::Tz;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How the text is to look.
#[derive(Clone, Copy)]
pub struct Look {
    pub colour: bool,
    /// Columns of the terminal; `None` for a pipe, where nothing is cut.
    pub width: Option<usize>,
    pub zone: Tz,
    /// All rows instead of the worst of each section.
    pub all: bool,
}

pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

impl Look {
    /// A link where the terminal can open it (OSC 8), the bare text elsewhere.
    pub(super) fn link(&self, url: Option<&url::Url>, text: &str) -> String {
        match url {
            Some(url) if self.colour => format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\"),
            _ => text.to_owned(),
        }
    }

    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Cut to what is left of the line after `indent` columns.
    pub(super) fn fit(&self, text: &str, indent: usize) -> String {
        let Some(width) = self.width.map(|w| w.max(indent + 20) - indent) else {
            return text.to_owned();
        };
        if text.width() <= width {
            return text.to_owned();
        }
        let mut used = 1;
        let kept: String = text
            .chars()
            .take_while(|c| {
                used += c.width().unwrap_or(0);
                used <= width
            })
            .collect();
        kept + "…"
    }

    /// In lines of the terminal's width, each after the first indented.
    pub(super) fn wrap(&self, text: &str, indent: usize) -> String {
        let Some(width) = self.width.map(|w| w.max(indent + 20) - indent) else {
            return text.to_owned();
        };
        let (mut out, mut column) = (String::new(), 0);
        for word in text.split(' ') {
            if column > 0 && column + 1 + word.width() > width {
                out += &format!("\n{:indent$}", "");
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out += word;
            column += word.width();
        }
        out
    }
}

pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

pub(super) fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}
