//! Messages that were asked for, or sent, twice.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use url::Url;

use super::{
    Message,
    block::context,
    text::{LINE, Mrkdwn},
};
use crate::triage::Person;

/// For whoever asks for a round that is under way, or has just ended.
pub fn running(
    asked_by: Option<&Person>,
    at: DateTime<Utc>,
    ended: bool,
    link: Option<&Url>,
    zone: Tz,
) -> Message {
    let line = Mrkdwn::within(LINE).say(if ended {
        "The same round has just ended"
    } else {
        "The same round is under way"
    });
    let line = match asked_by {
        Some(person) => line.say(", asked for by ").person(person),
        None => line,
    };
    let line = line.say(", ").date(at, zone);
    let line = match link {
        Some(link) => line.say(": ").link(link, "here is its message"),
        None => line.say("; its message comes in a moment"),
    };
    Message {
        text: line.clone().finish(),
        blocks: vec![context(line)],
    }
}

/// The message with a line that says why there may be two of it.
pub fn repeated(mut message: Message) -> Message {
    message.blocks.push(context(Mrkdwn::within(LINE).say(
        "Sent again, since Slack did not confirm the first time: there may be two of these.",
    )));
    message
}
