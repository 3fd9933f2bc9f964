//! Block Kit as HTML, as Slack shows it; and an HTML form's fields as what Slack tells an app.
//!
//! Pure. Nothing of a message is trusted: all of it is escaped, and links lead only to the schemes of `html::address`.
//!
//! A surface (a message, a modal, an App Home) is one form, so that all its inputs arrive together and it works without
//! JavaScript. Every input is named `field(block_id, action_id)`; whatever acts is a submit button named `press:` and
//! that. With JavaScript, a change within `[data-autosubmit]` clicks the `.b-send` button beside it, which
//! `html.js .b-send` hides.

mod attachments;
mod cards;
mod chosen;
mod dates;
mod elements;
mod emoji;
mod html;
mod inputs;
mod json;
mod layout;
mod markdown;
mod mentions;
mod mrkdwn;
mod options;
mod rich_text;
mod tables;
mod words;

pub use chosen::{Used, state, suggesting, used};

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use self::{html::Html, layout::Surface};

/// What a message is seen in.
pub struct Scene<'a> {
    /// Ids and names, also the choices of people's menus.
    pub people: &'a [(String, String)],
    pub channels: &'a [(String, String)],
    pub groups: &'a [(String, String)],
    pub zone: Tz,
    pub now: DateTime<Utc>,
    /// Whose mention is highlighted.
    pub me: &'a str,
    /// Where a press is posted to.
    pub action: &'a str,
    /// Names and values that each message's form carries. A view's form is its caller's.
    pub hidden: &'a [(&'a str, String)],
    /// Whether elements can be used, or only be seen.
    pub enabled: bool,
}

/// A message's contents with its form. Blocks win over text; attachments follow.
pub fn message(scene: &Scene<'_>, text: &str, blocks: &[Value], attachments: &[Value]) -> String {
    let errors = BTreeMap::new();
    let surface = Surface {
        scene,
        is_view: false,
        errors: &errors,
    };
    let mut contents = if blocks.is_empty() {
        Html::element(
            "div",
            &[("class", "b-text")],
            &mrkdwn::html(scene, text, false),
        )
    } else {
        layout::blocks(&surface, blocks, 0)
    };
    contents.push(
        &attachments
            .iter()
            .map(|it| attachments::html(&surface, it))
            .collect(),
    );
    Html::of(&Message {
        has_form: chosen::acts(blocks)
            || attachments
                .iter()
                .any(|it| chosen::acts(json::list(it, "blocks"))),
        action: scene.action,
        hidden: scene.hidden,
        contents: enclosed(scene, &contents),
    })
    .into_string()
}

/// A modal's or an App Home's contents, for a form of the caller's; presses lead to `Scene::action`.
///
/// The form's own submit button should come first, hidden, so that Enter presses it. `errors` by block.
pub fn view_body(scene: &Scene<'_>, view: &Value, errors: &BTreeMap<String, String>) -> String {
    let surface = Surface {
        scene,
        is_view: true,
        errors,
    };
    let contents = layout::blocks(&surface, json::list(view, "blocks"), 0);
    enclosed(scene, &contents).into_string()
}

/// A menu whose choices the app gave: its options, or its groups of them. `name`: of its field.
pub fn suggested(name: &str, element: &Value, options: &[Value]) -> String {
    inputs::suggested(name, element, options).into_string()
}

/// `verbatim`: addresses that aren't marked up stay text.
pub fn mrkdwn(scene: &Scene<'_>, text: &str, verbatim: bool) -> String {
    mrkdwn::html(scene, text, verbatim).into_string()
}

/// What a notification says: the words, without marks.
pub fn plain(scene: &Scene<'_>, text: &str) -> String {
    mrkdwn::html(scene, text, true).to_plain()
}

/// The name of an input's field.
pub fn field(block: &str, action: &str) -> String {
    format!("{}/{action}", block.replace('%', "%25").replace('/', "%2F"))
}

/// The name of a submit button that acts; its value is the button's or the option's.
pub fn press(block: &str, action: &str) -> String {
    format!("press:{}", field(block, action))
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "message")]
struct Message<'a> {
    has_form: bool,
    action: &'a str,
    hidden: &'a [(&'a str, String)],
    contents: Html,
}

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "surface")]
struct Enclosed<'a> {
    enabled: bool,
    contents: &'a Html,
}

fn enclosed(scene: &Scene<'_>, contents: &Html) -> Html {
    Html::of(&Enclosed {
        enabled: scene.enabled,
        contents,
    })
}
