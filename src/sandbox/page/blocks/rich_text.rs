//! Rich text: what people write, and apps that don't trust mrkdwn.
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>

use serde_json::Value;

use super::{
    Scene, dates, emoji,
    html::Html,
    json::{list, string},
    mentions,
};

/// The block's sections, lists, quotes and code.
pub(super) fn html(scene: &Scene<'_>, block: &Value) -> Html {
    list(block, "elements")
        .iter()
        .map(|part| self::part(scene, part))
        .collect()
}

fn part(scene: &Scene<'_>, part: &Value) -> Html {
    match string(part, "type") {
        "rich_text_list" => listed(scene, part),
        "rich_text_quote" => {
            Html::element("blockquote", &[("class", "b-quote")], &inline(scene, part))
        }
        "rich_text_preformatted" => {
            Html::element("pre", &[("class", "b-pre")], &inline(scene, part))
        }
        "rich_text_section" => Html::element("div", &[("class", "b-text")], &inline(scene, part)),
        // An element that stands where a section should.
        _ => Html::element("div", &[("class", "b-text")], &element(scene, part, true)),
    }
}

fn listed(scene: &Scene<'_>, part: &Value) -> Html {
    let indent = part["indent"].as_u64().unwrap_or(0).min(8);
    let border = if part["border"].as_u64().unwrap_or(0) > 0 {
        " b-border"
    } else {
        ""
    };
    let class = format!("b-list b-indent-{indent} b-level-{}{border}", indent % 3);
    let items: Html = list(part, "elements")
        .iter()
        .map(|item| Html::element("li", &[], &inline(scene, item)))
        .collect();
    if string(part, "style") == "ordered" {
        let start = part["offset"]
            .as_u64()
            .unwrap_or(0)
            .saturating_add(1)
            .to_string();
        Html::element("ol", &[("class", &class), ("start", &start)], &items)
    } else {
        Html::element("ul", &[("class", &class)], &items)
    }
}

fn inline(scene: &Scene<'_>, part: &Value) -> Html {
    let elements = list(part, "elements").iter().enumerate();
    elements
        .map(|(place, it)| element(scene, it, place == 0))
        .collect()
}

fn element(scene: &Scene<'_>, element: &Value, begins: bool) -> Html {
    let text = string(element, "text");
    let html = match string(element, "type") {
        "link" => {
            let to = string(element, "url");
            let label = Html::text(if text.is_empty() { to } else { text });
            mentions::link(to, &label).unwrap_or(label)
        }
        "emoji" => emoji_of(element),
        "user" => mentions::user(scene, string(element, "user_id"), None),
        "usergroup" => mentions::group(scene, string(element, "usergroup_id"), None),
        "channel" => mentions::channel(scene, string(element, "channel_id"), None),
        "broadcast" => mentions::broadcast(string(element, "range")).unwrap_or_default(),
        "date" => date(scene, element, begins),
        "color" => color(string(element, "value")),
        _ => Html::text(text),
    };
    styled(html, &element["style"])
}

fn styled(html: Html, style: &Value) -> Html {
    const STYLES: [(&str, &str); 5] = [
        ("code", "code"),
        ("strike", "s"),
        ("italic", "em"),
        ("underline", "u"),
        ("bold", "strong"),
    ];
    let has = |name: &str| style[name].as_bool().unwrap_or(false);
    let wanted = STYLES.iter().filter(|(name, _)| has(name));
    wanted.fold(html, |html, (_, tag)| {
        let class: &[_] = if *tag == "code" {
            &[("class", "b-code")]
        } else {
            &[]
        };
        Html::element(tag, class, &html)
    })
}

fn emoji_of(element: &Value) -> Html {
    let mut name = string(element, "name").to_owned();
    if let Some(tone) = element["skin_tone"].as_u64() {
        name = format!("{name}::skin-tone-{tone}");
    }
    let by_code = || {
        let codes = string(element, "unicode").split('-');
        let chars = codes.map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        chars
            .collect::<Option<String>>()
            .filter(|it| emojis::get(it).is_some())
    };
    match emoji::find(&name).map(str::to_owned).or_else(by_code) {
        Some(emoji) => emoji::image(&name, &emoji),
        None => Html::text(&format!(":{name}:")),
    }
}

fn date(scene: &Scene<'_>, element: &Value, begins: bool) -> Html {
    let stamp = element["timestamp"].as_i64();
    let time = stamp.and_then(|stamp| dates::time(scene, stamp, string(element, "format"), begins));
    let time = time.unwrap_or_else(|| Html::text(string(element, "fallback")));
    mentions::link(string(element, "url"), &time).unwrap_or(time)
}

/// A swatch; the page's policy allows no inline style, but an image's fill.
fn color(value: &str) -> Html {
    let mut html = super::attachments::swatch(value).unwrap_or_default();
    html.push(&Html::element(
        "code",
        &[("class", "b-code")],
        &Html::text(value),
    ));
    html
}
