//! What opens over a message: the forms, and what only wants to be read.

use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockId, SlackBlockPlainTextInputElement,
    SlackBlockStaticSelectElement, SlackBlockUsersSelectElement, SlackCallbackId, SlackInputBlock,
    SlackInputBlockElement, SlackModalView, SlackView,
};

use super::{
    block::plain,
    rich::{QUOTE, Rich, list},
    row,
    text::fit,
};
use crate::{
    command::{Item, Pause, Press, View},
    ops_log::Sentence,
    render::MOVES_MONEY,
    report::{Finding, Severity, Verb},
    ticket::Draft,
};

pub use super::{
    details::{Subject, details},
    rest::rest,
};

/// The `callback_id` of a view that asks for nothing.
pub const READ_ONLY: &str = "view";

/// The `block_id` of a form's one input, and the `action_id` of every input.
pub const ANSWER: &str = "answer";

/// The `block_id` of each input of a ticket's form.
pub const TICKET_TITLE: &str = "title";
pub const TICKET_BODY: &str = "body";
pub const TICKET_SEVERITY: &str = "severity";
pub const TICKET_LABELS: &str = "labels";

/// Bytes that an input is filled in with: of one line, and of many. Slack takes 3,000 characters.
const LINE: usize = 255;
const LINES: usize = 3_000;

/// Characters of a reason or a note that are kept.
const ANSWER_LIMIT: u64 = 300;

const TITLE: usize = 24;

/// What a form's `private_metadata` holds: `ITEM|CHANNEL|TS`, and `|DIGEST` of what had to be read.
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
        View::Remedy(verb) => return confirmation(verb, finding, item, channel, ts),
        View::Handle => ("Handled", "Handled", done_about_it()),
        View::Acknowledge => ("Acknowledge", "Acknowledge", reason()),
        View::Assign => ("Assign", "Assign", person()),
        View::Snooze => ("Snooze", "Snooze", pause(offers_archive)),
        View::Note => ("Add a note", "Add", note()),
        View::Details | View::Rest | View::Ticket => return None,
    };
    let blocks = vec![about(finding), input.into()];
    let metadata = metadata(item, channel, ts);
    Some(asking(view, title, submit, blocks, metadata))
}

fn asking(
    view: View,
    title: &str,
    submit: &str,
    blocks: Vec<SlackBlock>,
    metadata: String,
) -> SlackView {
    let modal = SlackModalView::new(plain(title, TITLE), blocks)
        .with_submit(plain(submit, TITLE))
        .with_close(plain("Cancel", TITLE))
        .with_callback_id(SlackCallbackId(Press::Open(view).name().to_owned()))
        .with_private_metadata(metadata);
    SlackView::Modal(modal)
}

/// What has to be read before the finding's check does that; nothing is asked for. None if it isn't offered.
fn confirmation(
    verb: Verb,
    finding: &Finding,
    item: &Item,
    channel: &str,
    ts: &str,
) -> Option<SlackView> {
    let remedy = finding.remedy(verb.as_str())?;
    let mut blocks = vec![about(finding)];
    if !remedy.confirm.is_empty() {
        let lines = remedy.confirm.iter().take(20);
        let lines = lines.map(|line| Rich::new().quote(line.as_str(), QUOTE));
        blocks.push(list(Rich::new().bold("What will be done"), lines));
    }
    if verb.moves_money() {
        let warning = Rich::new().sentence(&Sentence::new().say(MOVES_MONEY), QUOTE);
        let line = Rich::new().emoji("moneybag").say(" ");
        blocks.push(line.then(warning.capital()).block());
    }
    let metadata = format!("{}|{}", metadata(item, channel, ts), remedy.digest());
    let view = View::Remedy(verb);
    Some(asking(view, &remedy.label, verb.label(), blocks, metadata))
}

/// The form for a ticket, filled in.
pub fn ticket(draft: &Draft, finding: &Finding, item: &Item, channel: &str, ts: &str) -> SlackView {
    let line = || {
        SlackBlockPlainTextInputElement::new()
            .with_action_id(answer())
            .with_max_length(LINE as u64)
    };
    let filled = |input: SlackBlockPlainTextInputElement, text: &str, limit| {
        let text = fit(text, limit);
        input.opt_initial_value((!text.is_empty()).then_some(text))
    };
    let body = SlackBlockPlainTextInputElement::new()
        .with_action_id(answer())
        .with_multiline(true)
        .with_max_length(LINES as u64);
    let labels = draft.labels.join(", ");
    let blocks = vec![
        about(finding),
        named(TICKET_TITLE, "Title", filled(line(), &draft.title, LINE)).into(),
        named(TICKET_BODY, "Description", filled(body, &draft.body, LINES))
            .with_optional(true)
            .into(),
        named(TICKET_SEVERITY, "Severity", severities(draft.severity)).into(),
        named(TICKET_LABELS, "Labels", filled(line(), &labels, LINE))
            .with_optional(true)
            .with_hint(plain("With commas between them.", 200))
            .into(),
    ];
    let metadata = metadata(item, channel, ts);
    asking(
        View::Ticket,
        "Open a ticket",
        "Open ticket",
        blocks,
        metadata,
    )
}

fn severities(chosen: Severity) -> SlackBlockStaticSelectElement {
    let option = |severity: Severity| {
        let name = severity.as_str();
        SlackBlockChoiceItem::new(plain(name, 75), name.to_owned())
    };
    SlackBlockStaticSelectElement::new()
        .with_action_id(answer())
        .with_options(Severity::ALL.map(option).into())
        .with_initial_option(option(chosen))
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
    named(ANSWER, label, element)
}

fn named(block: &str, label: &str, element: impl Into<SlackInputBlockElement>) -> SlackInputBlock {
    SlackInputBlock::new(plain(label, 100), element.into())
        .with_block_id(SlackBlockId(block.to_owned()))
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

fn done_about_it() -> SlackInputBlock {
    input("What was done", text()).with_hint(plain(
        "The ops log keeps it, without e-mail addresses and secrets. It comes back if it happens again.",
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
