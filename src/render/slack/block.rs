//! The blocks that messages and views are made of.

use slack_morphism::prelude::{
    SlackAccessibilityLabel, SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlock,
    SlackBlockButtonElement, SlackBlockChoiceItem, SlackBlockMarkDownText,
    SlackBlockOverflowElement, SlackBlockPlainText, SlackBlockPlainTextOnly, SlackContextBlock,
    SlackContextBlockElement, SlackHeaderBlock, SlackSectionBlock,
};

use super::text::{Mrkdwn, fit};
use crate::command::{Item, Press};

const HEADER: usize = 150;
const BUTTON: usize = 75;

/// The `action_id` of the menu behind a finding's buttons.
pub const MENU: &str = "more";

/// Text that is shown as it stands, also what looks like an emoji's name.
pub(super) fn plain(text: &str, limit: usize) -> SlackBlockPlainTextOnly {
    SlackBlockPlainText::new(fit(text, limit))
        .with_emoji(false)
        .into()
}

pub(super) fn mrkdwn(text: Mrkdwn) -> SlackBlockMarkDownText {
    SlackBlockMarkDownText::new(text.finish()).with_verbatim(true)
}

pub(super) fn header(text: &str) -> SlackBlock {
    SlackHeaderBlock::new(plain(text, HEADER)).into()
}

/// Small grey lines.
pub(super) fn context(line: Mrkdwn) -> SlackBlock {
    SlackContextBlock::new(vec![SlackContextBlockElement::MarkDown(mrkdwn(line))]).into()
}

/// A line with one button at its side.
pub(super) fn section(line: Mrkdwn, button: Option<SlackBlockButtonElement>) -> SlackBlock {
    let section = SlackSectionBlock::new().with_text(mrkdwn(line).into());
    match button {
        Some(button) => section.with_accessory(button.into()),
        None => section,
    }
    .into()
}

/// `about` is what a screen reader says after the label.
pub(super) fn button(
    press: Press,
    item: &Item,
    label: &str,
    about: Option<&str>,
) -> SlackBlockButtonElement {
    let button = SlackBlockButtonElement::new(plain(label, BUTTON))
        .with_action_id(SlackActionId(press.name().to_owned()))
        .with_value(item.clone().into());
    match about {
        Some(about) => button.with_accessibility_label(SlackAccessibilityLabel(fit(
            &format!("{label}: {about}"),
            BUTTON,
        ))),
        None => button,
    }
}

/// What doesn't deserve a button.
pub(super) fn menu(item: &Item, entries: &[(Press, String)]) -> SlackActionBlockElement {
    let options = entries
        .iter()
        .map(|(press, label)| {
            let value = format!("{}|{}", press.name(), String::from(item.clone()));
            SlackBlockChoiceItem::new(plain(label, BUTTON), value)
        })
        .collect();
    SlackBlockOverflowElement::new(options)
        .with_action_id(SlackActionId(MENU.to_owned()))
        .into()
}

pub(super) fn actions(elements: Vec<SlackActionBlockElement>) -> SlackBlock {
    SlackActionsBlock::new(elements).into()
}
