//! Slack's mrkdwn. <https://docs.slack.dev/messaging/formatting-message-text>

use super::{
    Scene, dates, emoji,
    html::Html,
    mentions,
    words::{bare_address, decoded, entity, words},
};

/// `verbatim`: addresses that aren't marked up stay text.
pub(super) fn html(scene: &Scene<'_>, text: &str, verbatim: bool) -> Html {
    let reader = Reader { scene, verbatim };
    let mut out = Html::default();
    let mut rest = text;
    while let Some((before, code, after)) = fenced(rest) {
        reader.lines(before.strip_suffix('\n').unwrap_or(before), &mut out);
        out.push(&Html::element(
            "pre",
            &[("class", "b-pre")],
            &reader.code(code),
        ));
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    reader.lines(rest, &mut out);
    out
}

fn fenced(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("```")?;
    let (code, after) = rest.split_once("```")?;
    (!code.is_empty()).then(|| (before, code.strip_prefix('\n').unwrap_or(code), after))
}

fn quoted(line: &str) -> Option<&str> {
    line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>'))
}

/// A mark stands only at a word's edge.
fn is_edge(beside: Option<char>) -> bool {
    beside.is_none_or(|c| !c.is_alphanumeric())
}

struct Reader<'a> {
    scene: &'a Scene<'a>,
    verbatim: bool,
}

impl Reader<'_> {
    fn lines(&self, text: &str, out: &mut Html) {
        if text.is_empty() {
            return;
        }
        let mut lines = text.split('\n').peekable();
        let mut is_first = true;
        while let Some(line) = lines.next() {
            let Some(line) = quoted(line) else {
                if !is_first {
                    out.push_char('\n');
                }
                self.line(line, &mut Marks::default(), out);
                is_first = false;
                continue;
            };
            let mut quote = Html::default();
            // `>>>` quotes all that follows.
            let all = quoted(line).and_then(quoted);
            self.line(
                all.unwrap_or(line).trim_start(),
                &mut Marks::default(),
                &mut quote,
            );
            while let Some(more) = lines.next_if(|more| all.is_some() || quoted(more).is_some()) {
                quote.push_char('\n');
                let more = if all.is_some() {
                    more
                } else {
                    quoted(more).unwrap_or(more).trim_start()
                };
                self.line(more, &mut Marks::default(), &mut quote);
            }
            out.push(&Html::element(
                "blockquote",
                &[("class", "b-quote")],
                &quote,
            ));
            is_first = true;
        }
    }

    fn line(&self, line: &str, marks: &mut Marks, out: &mut Html) {
        let mut at = 0;
        let mut before = None;
        while let Some(c) = line[at..].chars().next() {
            let rest = &line[at..];
            let read = match c {
                '<' => self.control(rest, at == 0, out),
                '&' => entity(rest).map(|(c, length)| {
                    out.push_char(c);
                    length
                }),
                '`' if is_edge(before) => self.inline_code(rest, marks, out),
                '*' | '_' | '~' if is_edge(before) => self.marked(rest, c, marks, out),
                ':' => emoji::at(rest).map(|(emoji, length)| {
                    out.push(&emoji);
                    length
                }),
                'h' if !self.verbatim && is_edge(before) => bare_address(rest, out),
                _ => None,
            };
            let length = read.unwrap_or_else(|| {
                out.push_char(c);
                c.len_utf8()
            });
            at += length;
            before = line[..at].chars().next_back();
        }
    }

    fn marked(&self, rest: &str, mark: char, marks: &mut Marks, out: &mut Html) -> Option<usize> {
        let tag = match mark {
            '*' => "strong",
            '_' => "em",
            _ => "s",
        };
        if marks.is_spent(mark) {
            return None;
        }
        let inner = &rest[1..];
        if inner.starts_with(|c: char| c.is_whitespace() || c == mark) {
            return None;
        }
        let Some(length) = closing(inner, mark) else {
            marks.spend(mark);
            return None;
        };
        let mut within = Marks(marks.0.clone());
        within.spend(mark);
        let mut html = Html::default();
        self.line(&inner[..length], &mut within, &mut html);
        out.push(&Html::element(tag, &[], &html));
        Some(length + 2)
    }

    fn inline_code(&self, rest: &str, marks: &mut Marks, out: &mut Html) -> Option<usize> {
        if marks.is_spent('`') {
            return None;
        }
        let Some(length) = rest[1..].find('`') else {
            marks.spend('`');
            return None;
        };
        if length == 0 || !is_edge(rest[length + 2..].chars().next()) {
            return None;
        }
        let code = self.code(&rest[1..=length]);
        out.push(&Html::element("code", &[("class", "b-code")], &code));
        Some(length + 2)
    }

    /// No marks, but what Slack wraps in angle brackets.
    fn code(&self, text: &str) -> Html {
        let mut out = Html::default();
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let read = match c {
                '<' => self.control(rest, false, &mut out),
                '&' => entity(rest).map(|(c, length)| {
                    out.push_char(c);
                    length
                }),
                _ => None,
            };
            at += read.unwrap_or_else(|| {
                out.push_char(c);
                c.len_utf8()
            });
        }
        out
    }

    /// `<...>`: a link, a mention, a date.
    fn control(&self, rest: &str, begins: bool, out: &mut Html) -> Option<usize> {
        let end = rest[1..].find(['>', '<', '\n'])? + 1;
        let inner = rest[end..].starts_with('>').then(|| &rest[1..end])?;
        let (what, label) = match inner.split_once('|') {
            Some((what, label)) => (what, Some(decoded(label))),
            None => (inner, None),
        };
        let label = label.as_deref().filter(|label| !label.is_empty());
        let html = match what.chars().next()? {
            '@' => mentions::user(self.scene, &what[1..], label),
            '#' => mentions::channel(self.scene, &what[1..], label),
            '!' => self.special(&what[1..], label, begins)?,
            _ => {
                let to = decoded(what);
                let shown = label.unwrap_or_else(|| to.strip_prefix("mailto:").unwrap_or(&to));
                mentions::link(&to, &words(shown))?
            }
        };
        out.push(&html);
        Some(end + 1)
    }

    fn special(&self, what: &str, label: Option<&str>, begins: bool) -> Option<Html> {
        if let Some(id) = what.strip_prefix("subteam^") {
            return Some(mentions::group(self.scene, id, label));
        }
        let Some(date) = what.strip_prefix("date^") else {
            return mentions::broadcast(what).or_else(|| {
                Some(Html::text(
                    label.unwrap_or_else(|| what.split('^').next().unwrap_or(what)),
                ))
            });
        };
        let mut parts = date.splitn(3, '^');
        let stamp = parts.next()?.parse().ok();
        let format = decoded(parts.next()?);
        let time = stamp.and_then(|stamp| dates::time(self.scene, stamp, &format, begins));
        let time = time.or_else(|| label.map(Html::text))?;
        let linked = parts
            .next()
            .and_then(|to| mentions::link(&decoded(to), &time));
        Some(linked.unwrap_or(time))
    }
}

/// Marks that can't begin any more: within themselves, or since nothing on the rest of the line ends them.
#[derive(Default)]
struct Marks(Vec<char>);

impl Marks {
    fn is_spent(&self, mark: char) -> bool {
        self.0.contains(&mark)
    }

    fn spend(&mut self, mark: char) {
        self.0.push(mark);
    }
}

/// Where the mark ends, jumping over code and what is in angle brackets.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut before: Option<char> = None;
    let mut until = 0;
    let mut open_ended = [false; 2];
    for (at, c) in text.char_indices() {
        if at < until {
            before = Some(c);
            continue;
        }
        let ends = before.is_some_and(|c| !c.is_whitespace());
        if c == mark && ends && is_edge(text[at + 1..].chars().next()) {
            return Some(at);
        }
        let jump = match c {
            '<' => Some((0, '>')),
            '`' if is_edge(before) => Some((1, '`')),
            _ => None,
        };
        if let Some((kind, end)) = jump
            && !open_ended[kind]
        {
            match text[at + 1..].find(end) {
                Some(length) => until = at + 1 + length + 1,
                None => open_ended[kind] = true,
            }
        }
        before = Some(c);
    }
    None
}
