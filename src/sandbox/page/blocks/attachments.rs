//! Attachments: what stands beside a coloured bar. <https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments>

use askama::Template;
use serde_json::{Value, json};

use super::{
    html::Html,
    json::{list, string},
    layout::{Surface, blocks, linked, picture},
    mrkdwn,
    words::{decoded, words},
};

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "attachment")]
struct Attachment {
    pretext: Html,
    bar: Html,
    author: Html,
    title: Html,
    text: Html,
    fields: Vec<Field>,
    contents: Html,
    footer: Html,
}

struct Field {
    title: String,
    value: Html,
    is_short: bool,
}

pub(super) fn html(surface: &Surface<'_>, attachment: &Value) -> Html {
    let marked = |name: &str| mrkdwn::html(surface.scene, string(attachment, name), false);
    let inner = list(attachment, "blocks");
    let mut contents = blocks(surface, inner, 0);
    for name in ["image_url", "thumb_url"] {
        let address = &attachment[name];
        if address.is_string() {
            let image = json!({ "image_url": address, "alt_text": attachment["fallback"] });
            contents.push(&picture(
                &image,
                if name == "image_url" {
                    "b-picture"
                } else {
                    "b-thumbnail"
                },
            ));
        }
    }
    let text = marked("text");
    let has_words = !text.is_empty() || !contents.is_empty() || attachment["title"].is_string();
    Html::of(&Attachment {
        pretext: marked("pretext"),
        bar: bar(string(attachment, "color")),
        author: linked(
            string(attachment, "author_link"),
            Html::text(string(attachment, "author_name")),
        ),
        title: linked(
            string(attachment, "title_link"),
            words(&decoded(string(attachment, "title"))),
        ),
        text: if has_words { text } else { marked("fallback") },
        fields: list(attachment, "fields")
            .iter()
            .map(|it| field(surface, it))
            .collect(),
        contents,
        footer: words(&decoded(string(attachment, "footer"))),
    })
}

fn field(surface: &Surface<'_>, field: &Value) -> Field {
    Field {
        title: decoded(string(field, "title")),
        value: mrkdwn::html(surface.scene, string(field, "value"), false),
        is_short: field["short"].as_bool().unwrap_or(false),
    }
}

fn bar(color: &str) -> Html {
    let color = colour(color).unwrap_or_else(|| "#dddddd".to_owned());
    painted("b-bar", &color)
}

/// A small square of the colour.
pub(super) fn swatch(color: &str) -> Option<Html> {
    Some(painted("b-swatch", &colour(color)?))
}

/// The page's policy allows no inline style, but a drawing's fill.
fn painted(class: &str, fill: &str) -> Html {
    let rectangle = Html::element(
        "rect",
        &[("width", "100%"), ("height", "100%"), ("fill", fill)],
        &Html::default(),
    );
    Html::element(
        "svg",
        &[("class", class), ("aria-hidden", "true")],
        &rectangle,
    )
}

/// `#` and three or six hexadecimal digits.
fn colour(text: &str) -> Option<String> {
    match text {
        "good" => return Some("#2eb67d".to_owned()),
        "warning" => return Some("#ecb22e".to_owned()),
        "danger" => return Some("#e01e5a".to_owned()),
        _ => {}
    }
    let digits = text.strip_prefix('#').unwrap_or(text);
    let is_hex = matches!(digits.len(), 3 | 6) && digits.bytes().all(|c| c.is_ascii_hexdigit());
    is_hex.then(|| format!("#{}", digits.to_lowercase()))
}
