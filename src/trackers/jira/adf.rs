//! Our small Markdown as Atlassian's document format: paragraphs, headings, lists, code, links. Pure.
//!
//! A text node is never empty, as Jira refuses those.

use serde_json::{Value, json};
use url::Url;

/// A whole document.
pub(super) fn document(markdown: &str) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_end();
        if line.trim_start().starts_with("```") {
            let code: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.trim_start().starts_with("```"))
                .collect();
            blocks.extend(code_block(&code.join("\n")));
        } else if let Some((level, text)) = heading(line) {
            let content = inline(text);
            if !content.is_empty() {
                let attrs = json!({ "level": level });
                blocks.push(json!({ "type": "heading", "attrs": attrs, "content": content }));
            }
        } else if let Some((kind, first)) = item(line) {
            let mut items = vec![first];
            while let Some((_, next)) = lines.peek().and_then(|line| same_kind(line, kind)) {
                items.push(next);
                lines.next();
            }
            blocks.extend(list(kind, &items));
        } else if !line.trim().is_empty() {
            let mut paragraph = vec![line];
            while let Some(next) = lines.peek().filter(|line| continues(line)) {
                paragraph.push(next.trim_end());
                lines.next();
            }
            blocks.extend(self::paragraph(&paragraph));
        }
    }
    json!({ "type": "doc", "version": 1, "content": blocks })
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| (level, text.trim()))
}

/// The kind of list and the text of its item.
fn item(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    if let Some(text) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some(("bulletList", text));
    }
    let (number, text) = line.split_once(". ")?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(("orderedList", text))
}

fn same_kind<'a>(line: &'a str, kind: &str) -> Option<(&'static str, &'a str)> {
    item(line).filter(|(other, _)| *other == kind)
}

fn continues(line: &str) -> bool {
    !line.trim().is_empty()
        && !line.trim_start().starts_with("```")
        && heading(line).is_none()
        && item(line).is_none()
}

fn code_block(code: &str) -> Option<Value> {
    (!code.is_empty()).then(|| json!({ "type": "codeBlock", "content": [text(code, None)] }))
}

fn list(kind: &str, items: &[&str]) -> Option<Value> {
    let items: Vec<Value> = items
        .iter()
        .filter_map(|item| paragraph(&[item]))
        .map(|paragraph| json!({ "type": "listItem", "content": [paragraph] }))
        .collect();
    (!items.is_empty()).then(|| json!({ "type": kind, "content": items }))
}

fn paragraph(lines: &[&str]) -> Option<Value> {
    let mut content: Vec<Value> = Vec::new();
    for line in lines {
        let line = inline(line.trim());
        if !content.is_empty() && !line.is_empty() {
            content.push(json!({ "type": "hardBreak" }));
        }
        content.extend(line);
    }
    (!content.is_empty()).then(|| json!({ "type": "paragraph", "content": content }))
}

fn text(text: &str, mark: Option<Value>) -> Value {
    match mark {
        None => json!({ "type": "text", "text": text }),
        Some(mark) => json!({ "type": "text", "text": text, "marks": [mark] }),
    }
}

/// Text with marks: `code`, **strong**, [links](https://a.b) and bare addresses.
fn inline(line: &str) -> Vec<Value> {
    let mut nodes = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while at < line.len() {
        match span(line, at) {
            Some((node, end)) => {
                if plain < at {
                    nodes.push(text(&line[plain..at], None));
                }
                nodes.push(node);
                (plain, at) = (end, end);
            }
            None => at += line[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if plain < line.len() {
        nodes.push(text(&line[plain..], None));
    }
    nodes
}

/// What begins here, and where it ends.
fn span(line: &str, at: usize) -> Option<(Value, usize)> {
    let rest = &line[at..];
    let between = |open: &str, close: &str| -> Option<(String, usize)> {
        let inner = rest.strip_prefix(open)?;
        let end = inner.find(close).filter(|end| *end > 0)?;
        Some((inner[..end].to_owned(), at + open.len() + end + close.len()))
    };
    if let Some((code, end)) = between("`", "`") {
        return Some((text(&code, Some(json!({ "type": "code" }))), end));
    }
    if let Some((strong, end)) = between("**", "**") {
        return Some((text(&strong, Some(json!({ "type": "strong" }))), end));
    }
    if let Some((label, middle)) = between("[", "](") {
        let address = &line[middle..];
        let close = address.find(')')?;
        let link = link(&address[..close])?;
        return Some((text(&label, Some(link)), middle + close + 1));
    }
    let begins_a_word = !line[..at].ends_with(char::is_alphanumeric);
    if begins_a_word && (rest.starts_with("https://") || rest.starts_with("http://")) {
        let stop = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')');
        let address = &rest[..rest.find(stop).unwrap_or(rest.len())];
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        return Some((text(address, Some(link(address)?)), at + address.len()));
    }
    None
}

fn link(address: &str) -> Option<Value> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https")
        .then(|| json!({ "type": "link", "attrs": { "href": url.as_str() } }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_keeps_its_shape() {
        let markdown = "# What\nOpen since *Monday*.\nSee [Stripe](https://dashboard.stripe.com/x).\n\n- 3 `attempts`\n- **now**\n1. one\n\n```\nstripe events\n  resend\n```\nat https://a.b/c.";
        insta::assert_snapshot!(shape(&document(markdown)), @"
        heading(What)
        paragraph(Open since *Monday*.|hardBreak|See |link:Stripe|.)
        bulletList(listItem(paragraph(3 |code:attempts))|listItem(paragraph(strong:now)))
        orderedList(listItem(paragraph(one)))
        codeBlock(stripe events⏎  resend)
        paragraph(at |link:https://a.b/c|.)
        ");
    }

    #[test]
    fn an_address_that_is_none_stays_text() {
        let shown = shape(&document(
            "[run](javascript:alert(1)) [a](b) https:// `` ****",
        ));
        assert_eq!(
            shown,
            "paragraph([run](javascript:alert(1)) [a](b) https:// `` ****)"
        );
    }

    fn shape(node: &Value) -> String {
        let inner = node["content"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let inner: Vec<String> = inner.iter().map(shape).collect();
        match node["type"].as_str().unwrap() {
            "doc" => inner.join("\n"),
            "text" => {
                let text = node["text"].as_str().unwrap().replace('\n', "⏎");
                match node["marks"][0]["type"].as_str() {
                    Some(mark) => format!("{mark}:{text}"),
                    None => text,
                }
            }
            "hardBreak" => "hardBreak".to_owned(),
            kind => format!("{kind}({})", inner.join("|")),
        }
    }

    fn is_sound(node: &Value) -> bool {
        let content = node["content"].as_array();
        match node["type"].as_str() {
            Some("text") => node["text"].as_str().is_some_and(|text| !text.is_empty()),
            Some("hardBreak") => true,
            Some("doc") => content.is_some_and(|content| content.iter().all(is_sound)),
            Some(_) => {
                content.is_some_and(|content| !content.is_empty() && content.iter().all(is_sound))
            }
            None => false,
        }
    }

    proptest! {
        #[test]
        fn no_node_is_empty(markdown in "[-*`\\[\\]()#. \n1a:/é]{0,80}|\\PC{0,60}") {
            let document = document(&markdown);
            prop_assert!(is_sound(&document), "{document}");
        }
    }
}
