//! Alerts, cards, containers, tasks and videos.

use askama::Template;
use serde_json::Value;

use super::{
    html::Html,
    json::{list, string},
    layout::{Surface, all_elements, linked, picture},
    rich_text,
};

pub(super) fn alert(surface: &Surface<'_>, block: &Value) -> Html {
    let (class, mark) = match string(block, "level") {
        "error" => ("b-alert b-error-level", "⛔ "),
        "warning" => ("b-alert b-warning-level", "⚠️ "),
        "success" => ("b-alert b-success-level", "✅ "),
        "info" => ("b-alert b-info-level", "ℹ️ "),
        _ => ("b-alert", ""),
    };
    let mut text = Html::text(mark);
    text.push(&surface.text(&block["text"]));
    Html::element(
        "div",
        &[("class", class)],
        &Html::element("div", &[("class", "b-text")], &text),
    )
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "card")]
struct Card {
    hero: Html,
    icon: Html,
    title: Html,
    subtitle: Html,
    body: Html,
    actions: Html,
}

pub(super) fn card(surface: &Surface<'_>, block: &Value) -> Html {
    let image = |name: &str, class| {
        let image = &block[name];
        if image.is_null() {
            Html::default()
        } else {
            picture(image, class)
        }
    };
    Html::of(&Card {
        hero: image("hero_image", "b-picture"),
        icon: image("icon", "b-icon"),
        title: surface.text(&block["title"]),
        subtitle: surface.text(&block["subtitle"]),
        body: surface.text(&block["body"]),
        actions: all_elements(surface, block, "actions"),
    })
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "container")]
struct Container<'a> {
    title: Html,
    subtitle: Html,
    children: &'a Html,
    is_collapsible: bool,
    is_open: bool,
}

pub(super) fn container(surface: &Surface<'_>, block: &Value, children: &Html) -> Html {
    let flag = |name: &str| block[name].as_bool().unwrap_or(false);
    let rich = rich_text::html(surface.scene, &block["rich_text_title"]);
    Html::of(&Container {
        title: if rich.is_empty() {
            surface.text(&block["title"])
        } else {
            rich
        },
        subtitle: surface.text(&block["subtitle"]),
        children,
        is_collapsible: flag("is_collapsible"),
        is_open: !flag("default_collapsed"),
    })
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "task")]
struct Task<'a> {
    status: &'static str,
    spoken: &'static str,
    mark: &'static str,
    title: &'a str,
    details: Html,
}

pub(super) fn task(surface: &Surface<'_>, block: &Value) -> Html {
    let (status, spoken, mark) = match string(block, "status") {
        "complete" => ("complete", "complete", "✓"),
        "in_progress" => ("in-progress", "in progress", "◐"),
        "error" => ("failed", "failed", "✕"),
        _ => ("pending", "pending", "○"),
    };
    let is_titled = !block["hide_title"].as_bool().unwrap_or(false);
    let mut details = rich_text::html(surface.scene, &block["details"]);
    details.push(&rich_text::html(surface.scene, &block["output"]));
    for source in list(block, "sources") {
        let link = linked(string(source, "url"), Html::text(string(source, "text")));
        details.push(&Html::element("div", &[("class", "b-hint")], &link));
    }
    Html::of(&Task {
        status,
        spoken,
        mark,
        title: if is_titled {
            string(block, "title")
        } else {
            ""
        },
        details,
    })
}

pub(super) fn plan(surface: &Surface<'_>, block: &Value) -> Html {
    let title = Html::text(string(block, "title"));
    let mut html = Html::element("div", &[("class", "b-card-title")], &title);
    list(block, "tasks")
        .iter()
        .for_each(|it| html.push(&task(surface, it)));
    Html::element("div", &[("class", "b-card")], &html)
}

pub(super) fn video(surface: &Surface<'_>, block: &Value) -> Html {
    let address = ["title_url", "video_url"]
        .into_iter()
        .map(|name| string(block, name))
        .find(|it| !it.is_empty());
    let thumbnail =
        serde_json::json!({ "image_url": block["thumbnail_url"], "alt_text": block["alt_text"] });
    Html::of(&Card {
        hero: picture(&thumbnail, "b-picture"),
        icon: Html::default(),
        title: linked(address.unwrap_or_default(), surface.text(&block["title"])),
        subtitle: Html::text(string(block, "author_name")),
        body: surface.text(&block["description"]),
        actions: Html::default(),
    })
}
