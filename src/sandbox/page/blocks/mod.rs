//! Block Kit as HTML, as Slack shows it; and an HTML form's fields as what Slack tells an app.
//!
//! Pure. Nothing of a message is trusted: all of it is escaped, and links lead only to the schemes of `html::address`.
//!
//! A surface (a message, a modal, an App Home) is one form, so that all its inputs arrive together and it works without
//! JavaScript. Every input is named `field(block_id, action_id)`; whatever acts is a submit button named `press:` and
//! that. With JavaScript, a change within `[data-autosubmit]` clicks the `.b-send` button beside it, which
//! `html.js .b-send` hides.

mod html;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use html::Html;

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

/// What somebody used, and Slack's own fields of the action.
pub struct Used {
    pub block: String,
    pub action: String,
    pub chosen: Value,
}

/// A message's contents with its form. Blocks win over text.
pub fn message(
    _scene: &Scene<'_>,
    text: &str,
    _blocks: &[Value],
    _attachments: &[Value],
) -> String {
    Html::text(text).into_string()
}

/// A modal's or an App Home's contents, to stand in a form that the caller writes and whose action is what submits it;
/// presses go to `Scene::action`. `errors` by block.
pub fn view_body(_scene: &Scene<'_>, view: &Value, _errors: &BTreeMap<String, String>) -> String {
    Html::text(view["title"]["text"].as_str().unwrap_or_default()).into_string()
}

/// `verbatim`: addresses that aren't marked up stay text.
pub fn mrkdwn(_scene: &Scene<'_>, text: &str, _verbatim: bool) -> String {
    Html::text(text).into_string()
}

/// What a notification says: no marks, entities and emoji resolved.
pub fn plain(text: &str) -> String {
    text.to_owned()
}

/// The element that a form's press is about, among a message's or a view's blocks.
pub fn used(_zone: Tz, _blocks: &[Value], _form: &[(String, String)]) -> Option<Used> {
    None
}

/// `state.values` for all inputs of a message or a view.
pub fn state(_zone: Tz, _blocks: &[Value], _form: &[(String, String)]) -> Value {
    Value::Object(serde_json::Map::new())
}

/// The name of an input's field.
pub fn field(block: &str, action: &str) -> String {
    format!("{}/{action}", block.replace('%', "%25").replace('/', "%2F"))
}
