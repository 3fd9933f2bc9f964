//! The blocks that lay text, images and elements out.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;

use super::{
    Scene, cards, elements, field,
    html::{Html, image_address},
    inputs,
    json::{list, string, text},
    markdown, mentions, mrkdwn, rich_text, tables,
    words::{decoded, words},
};

/// A message, a modal or an App Home that is drawn.
pub(super) struct Surface<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) is_view: bool,
    /// What is wrong with inputs, by block.
    pub(super) errors: &'a BTreeMap<String, String>,
}

/// So deep, blocks may stand in blocks.
const DEEPEST: usize = 8;

impl Surface<'_> {
    /// Composition text, either kind. <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>
    pub(super) fn text(&self, value: &Value) -> Html {
        if string(value, "type") == "mrkdwn" {
            let verbatim = value["verbatim"].as_bool().unwrap_or(false);
            return mrkdwn::html(self.scene, string(value, "text"), verbatim);
        }
        let said = decoded(text(value));
        if value["emoji"].as_bool().unwrap_or(true) {
            words(&said)
        } else {
            Html::text(&said)
        }
    }

    /// An id for the page, of what an input's field is called.
    pub(super) fn id(&self, block: &str, action: &str) -> String {
        let of_surface = self.scene.hidden.iter().map(|(_, value)| value.as_str());
        let name = field(block, action);
        let all = of_surface
            .chain([name.as_str()])
            .collect::<Vec<_>>()
            .join("-");
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("b-{}", all.chars().map(plain).collect::<String>())
    }
}

pub(super) fn blocks(surface: &Surface<'_>, blocks: &[Value], depth: usize) -> Html {
    blocks.iter().map(|it| block(surface, it, depth)).collect()
}

fn block(surface: &Surface<'_>, block: &Value, depth: usize) -> Html {
    let within = |name: &str| {
        let children = list(block, name);
        if depth < DEEPEST {
            blocks(surface, children, depth + 1)
        } else {
            Html::default()
        }
    };
    match string(block, "type") {
        "header" => Html::element(
            "h3",
            &[("class", "b-header b-text")],
            &surface.text(&block["text"]),
        ),
        "section" => section(surface, block),
        "context" => context(surface, block),
        "actions" => Html::element(
            "div",
            &[("class", "b-actions")],
            &all_elements(surface, block, "elements"),
        ),
        "context_actions" => Html::element(
            "div",
            &[("class", "b-actions b-quiet")],
            &all_elements(surface, block, "elements"),
        ),
        "divider" => Html::void("hr", &[("class", "b-divider")]),
        "image" => image(surface, block),
        "input" => inputs::block(surface, block),
        "rich_text" => Html::element(
            "div",
            &[("class", "b-rich")],
            &rich_text::html(surface.scene, block),
        ),
        "markdown" => Html::element(
            "div",
            &[("class", "b-markdown")],
            &markdown::html(string(block, "text")),
        ),
        "table" | "data_table" => tables::html(surface, block),
        "alert" => cards::alert(surface, block),
        "card" => cards::card(surface, block),
        "carousel" => Html::element("div", &[("class", "b-carousel")], &within("elements")),
        "container" => cards::container(surface, block, &within("child_blocks")),
        "task_card" => cards::task(surface, block),
        "plan" => cards::plan(surface, block),
        "video" => cards::video(surface, block),
        "file" => Html::element(
            "p",
            &[("class", "b-hint")],
            &Html::text("A file that is kept elsewhere"),
        ),
        kind => unknown(block, kind),
    }
}

pub(super) fn all_elements(surface: &Surface<'_>, block: &Value, name: &str) -> Html {
    let id = string(block, "block_id");
    list(block, name)
        .iter()
        .map(|it| elements::element(surface, id, it))
        .collect()
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "section")]
struct Section {
    text: Html,
    fields: Vec<Html>,
    accessory: Html,
}

fn section(surface: &Surface<'_>, block: &Value) -> Html {
    let accessory = &block["accessory"];
    Html::of(&Section {
        text: surface.text(&block["text"]),
        fields: list(block, "fields")
            .iter()
            .map(|it| surface.text(it))
            .collect(),
        accessory: match string(accessory, "type") {
            "" => Html::default(),
            "image" => picture(accessory, "b-thumbnail"),
            _ => elements::element(surface, string(block, "block_id"), accessory),
        },
    })
}

fn context(surface: &Surface<'_>, block: &Value) -> Html {
    let part = |part: &Value| match string(part, "type") {
        "image" => picture(part, "b-tiny"),
        _ => Html::element("span", &[("class", "b-text")], &surface.text(part)),
    };
    let parts = list(block, "elements").iter().map(part).collect();
    Html::element("div", &[("class", "b-context")], &parts)
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "image")]
struct Image {
    title: Html,
    image: Html,
}

fn image(surface: &Surface<'_>, block: &Value) -> Html {
    Html::of(&Image {
        title: surface.text(&block["title"]),
        image: picture(block, "b-picture"),
    })
}

/// An image element; its words where its address can't be loaded from.
pub(super) fn picture(image: &Value, class: &str) -> Html {
    let alt = string(image, "alt_text");
    let from = string(image, "image_url");
    let from = if from.is_empty() {
        string(&image["slack_file"], "url")
    } else {
        from
    };
    match image_address(from) {
        Some(from) => Html::void(
            "img",
            &[
                ("class", class),
                ("src", &from),
                ("alt", alt),
                ("loading", "lazy"),
                ("referrerpolicy", "no-referrer"),
            ],
        ),
        None => Html::element("span", &[("class", "b-hint")], &Html::text(alt)),
    }
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "unknown")]
struct Unknown<'a> {
    text: String,
    kind: &'a str,
}

/// A block of a kind that isn't drawn: its texts, and that it is one.
pub(super) fn unknown(block: &Value, kind: &str) -> Html {
    let mut texts = Vec::new();
    gather(block, DEEPEST, &mut texts);
    Html::of(&Unknown {
        text: texts.join("\n"),
        kind,
    })
}

fn gather<'a>(value: &'a Value, depth: usize, texts: &mut Vec<&'a str>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::Array(all) => all.iter().for_each(|it| gather(it, depth, texts)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    (
                        "text" | "title" | "alt_text" | "fallback" | "caption",
                        Value::String(text),
                    ) => texts.push(text),
                    _ => gather(value, depth, texts),
                }
            }
        }
        _ => {}
    }
}

/// `label` as a link, if the address may be linked.
pub(super) fn linked(to: &str, label: Html) -> Html {
    mentions::link(to, &label).unwrap_or(label)
}
