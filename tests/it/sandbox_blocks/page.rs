//! A scene to draw in, and a reader of the HTML that was drawn.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use daily_ops::sandbox::page::blocks::Scene;

/// Monday, 23 November 2026, 09:00 in Berlin.
pub(super) fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().expect("a time")
}

pub(super) fn people() -> Vec<(String, String)> {
    let all = [
        ("U0ANNA", "Anna Ito"),
        ("U0BEN", "Ben Okafor"),
        ("U0GIL", "Gil"),
    ];
    all.map(|(id, name)| (id.to_owned(), name.to_owned()))
        .into()
}

pub(super) fn channels() -> Vec<(String, String)> {
    vec![("C0OPS".to_owned(), "ops".to_owned())]
}

pub(super) fn groups() -> Vec<(String, String)> {
    vec![("S0DUTY".to_owned(), "on-duty".to_owned())]
}

/// Draws in a scene of Anna's.
pub(super) fn seen<T>(draw: impl FnOnce(&Scene<'_>) -> T) -> T {
    let (people, channels, groups) = (people(), channels(), groups());
    let hidden = [
        ("channel", "C0OPS".to_owned()),
        ("ts", "1795420800.000100".to_owned()),
    ];
    draw(&Scene {
        people: &people,
        channels: &channels,
        groups: &groups,
        zone: chrono_tz::Europe::Berlin,
        now: now(),
        me: "U0ANNA",
        action: "/act",
        hidden: &hidden,
        enabled: true,
    })
}

#[derive(Debug, PartialEq)]
pub(super) enum Token {
    Start(String, BTreeMap<String, String>),
    End(String),
    Text(String),
}

/// Reads HTML strictly: what a browser would have to mend is an error.
pub(super) fn tokens(html: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            if rest[..end].contains('>') {
                return Err(format!("a bare > in {:?}", &rest[..end]));
            }
            tokens.push(Token::Text(decoded(&rest[..end])?));
            rest = &rest[end..];
            continue;
        };
        let (token, after) = tag(inner)?;
        tokens.push(token);
        rest = after;
    }
    Ok(tokens)
}

fn tag(inner: &str) -> Result<(Token, &str), String> {
    if let Some(name) = inner.strip_prefix('/') {
        let (name, after) = name.split_once('>').ok_or("an end tag without an end")?;
        return Ok((Token::End(name.to_owned()), after));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let end = inner.find(|c| !is_name(c)).ok_or("a tag without an end")?;
    let name = inner[..end].to_owned();
    let mut attributes = BTreeMap::new();
    let mut rest = &inner[end..];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
            return Ok((Token::Start(name, attributes), after));
        }
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(format!(
                "no attribute's name: {:?}",
                rest.chars().take(20).collect::<String>()
            ));
        }
        let attribute = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (inside, after) = quoted.split_once('"').ok_or("a value without an end")?;
            if inside.contains(['<', '>']) {
                return Err(format!("a bare bracket in the value {inside:?}"));
            }
            value = decoded(inside)?;
            rest = after;
        }
        if attributes.insert(attribute, value).is_some() {
            return Err("an attribute twice".to_owned());
        }
    }
}

fn decoded(text: &str) -> Result<String, String> {
    const KNOWN: [(&str, &str); 10] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ];
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let known = KNOWN
            .iter()
            .find(|(entity, _)| rest[at..].starts_with(entity));
        let (entity, c) = known.ok_or_else(|| format!("a bare & in {text:?}"))?;
        out.push_str(c);
        rest = &rest[at + entity.len()..];
    }
    Ok(out + rest)
}

/// The text that stands there, without tags.
pub(super) fn words(html: &str) -> String {
    let all = tokens(html).expect("well-formed HTML").into_iter();
    let texts = all.filter_map(|token| match token {
        Token::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// What a browser sends when somebody submits a form as it is.
pub(super) fn fields(html: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut select = None;
    let mut textarea: Option<(String, String)> = None;
    for token in tokens(html).expect("well-formed HTML") {
        match token {
            Token::Start(tag, of) => {
                let value = of.get("value").cloned().unwrap_or_default();
                let name = of.get("name").cloned();
                let is_set = of
                    .get("type")
                    .is_some_and(|kind| kind == "checkbox" || kind == "radio");
                match (tag.as_str(), name) {
                    ("select", name) => select = name.map(|name| (name, None)),
                    ("option", _) => {
                        if let Some((_, chosen)) = &mut select
                            && (chosen.is_none() || of.contains_key("selected"))
                        {
                            *chosen = Some(value);
                        }
                    }
                    ("textarea", Some(name)) => textarea = Some((name, String::new())),
                    ("input", Some(name)) if !is_set || of.contains_key("checked") => {
                        fields.push((name, value))
                    }
                    _ => {}
                }
            }
            Token::End(tag) if tag == "select" => {
                fields.extend(
                    select
                        .take()
                        .map(|(name, value)| (name, value.unwrap_or_default())),
                );
            }
            Token::End(tag) if tag == "textarea" => {
                let field = textarea.take();
                fields.extend(field.map(|(name, text)| {
                    (name, text.strip_prefix('\n').unwrap_or(&text).to_owned())
                }));
            }
            Token::End(_) => {}
            Token::Text(text) => {
                if let Some((_, written)) = &mut textarea {
                    written.push_str(&text);
                }
            }
        }
    }
    fields
}

/// The names and values of what acts.
pub(super) fn presses(html: &str) -> Vec<(String, String)> {
    let all = tokens(html).expect("well-formed HTML").into_iter();
    let press = |token| match token {
        Token::Start(tag, of) if tag == "button" => {
            let name = of.get("name").filter(|name| name.starts_with("press:"))?;
            Some((name.clone(), of.get("value").cloned().unwrap_or_default()))
        }
        _ => None,
    };
    all.filter_map(press).collect()
}
