//! Links, and mentions of people, channels and groups.

use super::{
    Scene,
    html::{Html, address},
};

/// None if the address may not be linked.
pub(super) fn link(to: &str, label: &Html) -> Option<Html> {
    Some(Html::element("a", &leading(&address(to)?), label))
}

/// A link's beginning. `to`: an address that may be linked.
pub(super) fn opening(to: &str) -> Html {
    Html::void("a", &leading(to))
}

fn leading(to: &str) -> [(&'static str, &str); 4] {
    [
        ("class", "b-link"),
        ("href", to),
        ("target", "_blank"),
        ("rel", "noopener noreferrer"),
    ]
}

pub(super) fn user(scene: &Scene<'_>, id: &str, label: Option<&str>) -> Html {
    let name = named(scene.people, id).or(label).unwrap_or(id);
    mention(id == scene.me, "@", name)
}

pub(super) fn channel(scene: &Scene<'_>, id: &str, label: Option<&str>) -> Html {
    mention(
        false,
        "#",
        named(scene.channels, id).or(label).unwrap_or(id),
    )
}

pub(super) fn group(scene: &Scene<'_>, id: &str, label: Option<&str>) -> Html {
    mention(false, "@", named(scene.groups, id).or(label).unwrap_or(id))
}

/// `range`: here, channel or everyone.
pub(super) fn broadcast(range: &str) -> Option<Html> {
    matches!(range, "here" | "channel" | "everyone").then(|| mention(true, "@", range))
}

fn named<'a>(all: &'a [(String, String)], id: &str) -> Option<&'a str> {
    all.iter()
        .find(|(it, _)| it == id)
        .map(|(_, name)| name.as_str())
}

fn mention(of_me: bool, sign: &str, name: &str) -> Html {
    let class = if of_me { "b-mention b-me" } else { "b-mention" };
    let mut text = Html::text(sign);
    text.push_text(name.strip_prefix(sign).unwrap_or(name));
    Html::element("span", &[("class", class)], &text)
}
