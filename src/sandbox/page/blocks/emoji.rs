//! `:names:` of emoji, as Slack writes them.

use std::{collections::HashMap, sync::LazyLock};

use emojis::{Emoji, SkinTone};

use super::html::Html;

/// No name of Slack's is as long.
const LONGEST: usize = 100;

/// Slack's names that neither GitHub's nor Unicode's lead to.
const OWN: &[(&str, &str)] = &[
    ("black_square_for_stop", "⏹️"),
    ("double_vertical_bar", "⏸️"),
    ("face_with_rolling_eyes", "🙄"),
    ("hugging_face", "🤗"),
    ("knife_fork_plate", "🍽️"),
    ("large_blue_square", "🟦"),
    ("lower_left_ballpoint_pen", "🖊️"),
    ("male-technologist", "👨‍💻"),
    ("female-technologist", "👩‍💻"),
    ("shushing_face", "🤫"),
    ("simple_smile", "🙂"),
    ("slightly_smiling_face", "🙂"),
    ("thinking_face", "🤔"),
    ("the_horns", "🤘"),
    ("upside_down_face", "🙃"),
];

static UNICODE_NAMES: LazyLock<HashMap<String, &'static Emoji>> = LazyLock::new(|| {
    let named =
        |emoji: &'static Emoji| (emoji.name().to_lowercase().replace([' ', '-'], "_"), emoji);
    emojis::iter().map(named).collect()
});

/// `name`: without colons; a skin tone may follow as `wave::skin-tone-3`.
pub(super) fn find(name: &str) -> Option<&'static str> {
    let (name, tone) = match name.split_once("::") {
        Some((name, tone)) => (name, Some(skin(tone)?)),
        None => (name, None),
    };
    let emoji = named(name)?;
    let toned = tone.and_then(|tone| emoji.with_skin_tone(tone));
    Some(toned.unwrap_or(emoji).as_str())
}

fn named(name: &str) -> Option<&'static Emoji> {
    let own = || {
        OWN.iter()
            .find(|(it, _)| *it == name)
            .and_then(|(_, emoji)| emojis::get(emoji))
    };
    let large = || emojis::get_by_shortcode(name.strip_prefix("large_")?);
    emojis::get_by_shortcode(name)
        .or_else(own)
        .or_else(large)
        .or_else(|| flag(name))
        .or_else(|| UNICODE_NAMES.get(&name.replace('-', "_")).copied())
}

/// `flag-de`.
fn flag(name: &str) -> Option<&'static Emoji> {
    let country = name.strip_prefix("flag-")?;
    let letter = |c: char| char::from_u32(0x1F1E6 + u32::from(c).checked_sub(u32::from('a'))?);
    emojis::get(&country.chars().map(letter).collect::<Option<String>>()?)
}

fn skin(tone: &str) -> Option<SkinTone> {
    Some(match tone {
        "skin-tone-2" => SkinTone::Light,
        "skin-tone-3" => SkinTone::MediumLight,
        "skin-tone-4" => SkinTone::Medium,
        "skin-tone-5" => SkinTone::MediumDark,
        "skin-tone-6" => SkinTone::Dark,
        _ => return None,
    })
}

/// An emoji that a screen reader says by its name.
pub(super) fn image(name: &str, emoji: &str) -> Html {
    let spoken = name
        .split("::")
        .next()
        .unwrap_or(name)
        .replace(['_', '-'], " ");
    let title = format!(":{name}:");
    let attributes = [
        ("class", "b-emoji"),
        ("role", "img"),
        ("aria-label", spoken.as_str()),
        ("title", &title),
    ];
    Html::element("span", &attributes, &Html::text(emoji))
}

/// The emoji whose name in colons the text begins with, and how long that is.
pub(super) fn at(text: &str) -> Option<(Html, usize)> {
    let name = name_at(text)?;
    let after = &text[name.len() + 2..];
    let tone = name_at(after).filter(|it| skin(it).is_some());
    let (name, length) = match tone {
        Some(tone) => (format!("{name}::{tone}"), name.len() + tone.len() + 4),
        None => (name.to_owned(), name.len() + 2),
    };
    let emoji = find(&name)?;
    Some((image(&name, emoji), length))
}

fn name_at(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(':')?;
    let is_of_name = |c: &u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'+' | b'-' | b'\'');
    let end = rest.bytes().take(LONGEST).position(|c| !is_of_name(&c))?;
    (end > 0 && rest.as_bytes()[end] == b':').then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn slacks_own_names_are_known() {
        let names = [
            ("red_circle", "🔴"),
            ("large_orange_circle", "🟠"),
            ("large_yellow_circle", "🟡"),
            ("large_green_circle", "🟢"),
            ("white_check_mark", "✅"),
            ("warning", "⚠️"),
            ("+1", "👍"),
            ("wave::skin-tone-4", "👋🏽"),
            ("flag-de", "🇩🇪"),
            ("thinking_face", "🤔"),
            ("hourglass_flowing_sand", "⏳"),
            ("grey_question", "❔"),
        ];
        for (name, emoji) in names {
            assert_eq!(find(name), Some(emoji), "{name}");
        }
    }

    #[test]
    fn all_names_of_our_own_table_lead_somewhere() {
        for (name, _) in super::OWN {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_none() {
        assert_eq!(find("our_own_parrot"), None);
        assert_eq!(find("wave::skin-tone-9"), None);
    }
}
