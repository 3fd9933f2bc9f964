//! What opens over a message: the forms, and what only wants to be read.

use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockId, SlackBlockPlainTextInputElement,
    SlackBlockStaticSelectElement, SlackBlockUsersSelectElement, SlackCallbackId, SlackInputBlock,
    SlackInputBlockElement, SlackModalView, SlackView,
};

use super::{block::plain, rich::Rich, row};
use crate::{
    command::{Item, Pause, Press, View},
    ops_log::Sentence,
    report::Finding,
};

pub use super::{
    details::{Subject, details},
    rest::rest,
};

/// The `callback_id` of a view that asks for nothing.
pub const READ_ONLY: &str = "view";

/// The `block_id` and the `action_id` of a form's one input.
pub const ANSWER: &str = "answer";

/// Characters of a reason or a note that are kept.
const ANSWER_LIMIT: u64 = 300;

const TITLE: usize = 24;

/// What a form's `private_metadata` holds: `ITEM|CHANNEL|TS`.
pub fn metadata(item: &Item, channel: &str, ts: &str) -> String {
    format!("{}|{channel}|{ts}", String::from(item.clone()))
}

/// Shown at once, while what it is to hold is being looked up.
pub fn loading() -> SlackView {
    read("Daily Ops", vec![Rich::new().say("Looking it up…").block()])
}

/// The form for what somebody wants to do about a finding. None for a view that asks for nothing.
pub fn form(
    view: View,
    finding: &Finding,
    item: &Item,
    channel: &str,
    ts: &str,
    offers_archive: bool,
) -> Option<SlackView> {
    let (title, submit, input) = match view {
        View::Acknowledge => ("Acknowledge", "Acknowledge", reason()),
        View::Assign => ("Assign", "Assign", person()),
        View::Snooze => ("Snooze", "Snooze", pause(offers_archive)),
        View::Note => ("Add a note", "Add", note()),
        View::Details | View::Rest => return None,
    };
    let blocks = vec![about(finding), input.into()];
    let modal = SlackModalView::new(plain(title, TITLE), blocks)
        .with_submit(plain(submit, TITLE))
        .with_close(plain("Cancel", TITLE))
        .with_callback_id(SlackCallbackId(Press::Open(view).name().to_owned()))
        .with_private_metadata(metadata(item, channel, ts));
    Some(SlackView::Modal(modal))
}

/// Some sentences in the place of what was to be opened.
pub fn told(title: &str, lines: &[Sentence]) -> SlackView {
    let mut blocks: Vec<SlackBlock> = lines
        .iter()
        .take(90)
        .map(|line| Rich::new().sentence(line, 2_000))
        .filter(|line| !line.is_empty())
        .map(|line| line.capital().block())
        .collect();
    if blocks.is_empty() {
        blocks.push(Rich::new().say("There is nothing to say.").block());
    }
    read(title, blocks)
}

pub(super) fn read(title: &str, blocks: Vec<SlackBlock>) -> SlackView {
    let title = if title.trim().is_empty() {
        "Daily Ops"
    } else {
        title
    };
    let modal = SlackModalView::new(plain(title, TITLE), blocks)
        .with_close(plain("Close", TITLE))
        .with_callback_id(SlackCallbackId(READ_ONLY.to_owned()));
    SlackView::Modal(modal)
}

fn about(finding: &Finding) -> SlackBlock {
    row::heading(finding)
        .say("\n")
        .then(row::key(finding))
        .block()
}

fn input(label: &str, element: impl Into<SlackInputBlockElement>) -> SlackInputBlock {
    SlackInputBlock::new(plain(label, 100), element.into())
        .with_block_id(SlackBlockId(ANSWER.to_owned()))
}

fn answer() -> SlackActionId {
    SlackActionId(ANSWER.to_owned())
}

fn text() -> SlackBlockPlainTextInputElement {
    SlackBlockPlainTextInputElement::new()
        .with_action_id(answer())
        .with_multiline(true)
        .with_max_length(ANSWER_LIMIT)
        .with_focus_on_load(true)
}

fn reason() -> SlackInputBlock {
    input("Reason", text()).with_optional(true).with_hint(plain(
        "The ops log keeps it, without e-mail addresses and secrets.",
        200,
    ))
}

fn note() -> SlackInputBlock {
    input("Note", text()).with_hint(plain(
        "The ops log keeps it, without e-mail addresses and secrets.",
        200,
    ))
}

fn person() -> SlackInputBlock {
    let select = SlackBlockUsersSelectElement::new()
        .with_action_id(answer())
        .with_placeholder(plain("Somebody", 150));
    input("To whom", select)
}

fn pause(offers_archive: bool) -> SlackInputBlock {
    let options: Vec<_> = Pause::ALL
        .into_iter()
        .filter(|pause| offers_archive || *pause != Pause::UntilItEscalates)
        .map(|pause| SlackBlockChoiceItem::new(plain(pause.label(), 75), pause.name().to_owned()))
        .collect();
    let first = options.first().cloned();
    let select = SlackBlockStaticSelectElement::new()
        .with_action_id(answer())
        .with_options(options)
        .opt_initial_option(first);
    input("For how long", select).with_hint(plain("It comes back earlier if it gets worse.", 200))
}
