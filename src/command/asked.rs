//! What somebody asks of the bot in a chat. Nothing behind it knows the chat's own formats.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    permissions::Asker,
    report::{Severity, Verb},
};

/// One request of a person, as it is kept in the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The request's natural key: the same for every delivery of it, and for no other request.
    pub key: String,
    pub at: DateTime<Utc>,
    pub by: Asker,
    /// The channel's id; for a form, the channel of the message that it was opened from.
    pub channel: Option<String>,
    /// The message that was clicked, by its `ts`.
    pub message: Option<String>,
    /// Where that person alone is answered, for a short time.
    pub reply_to: Option<String>,
    /// What lets a view be opened, for 3 seconds.
    pub trigger: Option<String>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The words after `/ops`.
    Command(String),
    /// A button or a menu's entry.
    Press { press: Press, item: Item },
    /// A form that was filled in.
    Submit { form: Form, item: Item },
}

/// What a button stands for: a finding of a message, as that message showed it. On the wire `MESSAGE.INDEX.SEEN`; a
/// button for the whole message has no index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Item {
    /// The message's id in the store: 16 hexadecimal digits.
    pub message: String,
    /// The finding's place in the run's report, all checks in their order.
    pub finding: Option<u32>,
    /// The newest version of the decisions about it that the message showed; 0 if there was none.
    pub seen: i64,
}

impl From<Item> for String {
    fn from(item: Item) -> Self {
        match item.finding {
            Some(finding) => format!("{}.{finding}.{}", item.message, item.seen),
            None => item.message,
        }
    }
}

/// A text that is no button's value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no value of one of our buttons")]
pub struct NoItem;

impl TryFrom<String> for Item {
    type Error = NoItem;

    fn try_from(text: String) -> Result<Self, NoItem> {
        let mut parts = text.split('.');
        let message = parts
            .next()
            .filter(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()))
            .ok_or(NoItem)?
            .to_owned();
        let number = |part: &str| {
            (!part.is_empty() && part.len() < 10 && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        let item = match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => Self {
                message,
                finding: None,
                seen: 0,
            },
            (Some(finding), Some(seen), None) => Self {
                message,
                finding: Some(number(finding).ok_or(NoItem)?),
                seen: number(seen).ok_or(NoItem)?.into(),
            },
            _ => return Err(NoItem),
        };
        Ok(item)
    }
}

/// A button, or an entry of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    Acknowledge,
    Resolve,
    /// For a day.
    Snooze,
    Undo,
    /// The finding's ticket, where it is kept here.
    CloseTicket,
    /// Opens a form or a view.
    Open(View),
}

/// What can be opened over a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Acknowledge with a reason.
    Acknowledge,
    Assign,
    Snooze,
    Note,
    /// It was dealt with, elsewhere or by hand.
    Handle,
    Ticket,
    /// What is to be read before the check does that.
    Remedy(Verb),
    /// What was seen and decided, and the rule.
    Details,
    /// The findings that the message only counts.
    Rest,
}

impl Press {
    pub const ALL: [Self; 17] = [
        Self::Acknowledge,
        Self::Resolve,
        Self::Snooze,
        Self::Undo,
        Self::CloseTicket,
        Self::Open(View::Acknowledge),
        Self::Open(View::Assign),
        Self::Open(View::Snooze),
        Self::Open(View::Note),
        Self::Open(View::Handle),
        Self::Open(View::Ticket),
        Self::Open(View::Remedy(Verb::Pay)),
        Self::Open(View::Remedy(Verb::Send)),
        Self::Open(View::Remedy(Verb::Resend)),
        Self::Open(View::Remedy(Verb::Replay)),
        Self::Open(View::Details),
        Self::Open(View::Rest),
    ];

    /// On the wire; never changed, since old messages keep their buttons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Snooze => "snooze",
            Self::Undo => "undo",
            Self::CloseTicket => "close.ticket",
            Self::Open(View::Acknowledge) => "open.acknowledge",
            Self::Open(View::Assign) => "open.assign",
            Self::Open(View::Snooze) => "open.snooze",
            Self::Open(View::Note) => "open.note",
            Self::Open(View::Handle) => "open.handle",
            Self::Open(View::Ticket) => "open.ticket",
            Self::Open(View::Remedy(Verb::Pay)) => "open.pay",
            Self::Open(View::Remedy(Verb::Send)) => "open.send",
            Self::Open(View::Remedy(Verb::Resend)) => "open.resend",
            Self::Open(View::Remedy(Verb::Replay)) => "open.replay",
            Self::Open(View::Details) => "open.details",
            Self::Open(View::Rest) => "open.rest",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|press| press.name() == name)
    }
}

/// A form, filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Acknowledge {
        reason: Option<String>,
    },
    /// To a user's id.
    Assign {
        to: String,
    },
    Snooze {
        time: Pause,
    },
    Note {
        text: String,
    },
    Handle {
        note: String,
    },
    Ticket {
        title: String,
        body: String,
        severity: Severity,
        labels: Vec<String>,
    },
    /// What was to be read has been read.
    Remedy {
        verb: Verb,
        /// Its digest.
        read: String,
    },
}

/// The choices of the snooze form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    Day,
    ThreeDays,
    Week,
    /// Archive it on the other side.
    UntilItEscalates,
}

impl Pause {
    pub const ALL: [Self; 4] = [
        Self::Day,
        Self::ThreeDays,
        Self::Week,
        Self::UntilItEscalates,
    ];

    /// On the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::ThreeDays => "3d",
            Self::Week => "1w",
            Self::UntilItEscalates => "escalates",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Day => "1 day",
            Self::ThreeDays => "3 days",
            Self::Week => "1 week",
            Self::UntilItEscalates => "Until it escalates",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pause| pause.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_item_that_is_written_reads_back(message in "[0-9a-f]{16}", finding in proptest::option::of(0u32..999_999), seen in 0i64..999_999) {
            let item = Item { message, finding, seen: if finding.is_some() { seen } else { 0 } };
            prop_assert_eq!(Item::try_from(String::from(item.clone())), Ok(item));
        }

        #[test]
        fn any_other_text_is_refused_and_never_panics(text in any::<String>()) {
            if let Ok(item) = Item::try_from(text.clone()) {
                prop_assert_eq!(String::from(item).len() <= 40, true);
            }
        }
    }

    #[test]
    fn every_button_and_pause_has_a_name_of_its_own() {
        for press in Press::ALL {
            assert_eq!(Press::named(press.name()), Some(press));
        }
        for pause in Pause::ALL {
            assert_eq!(Pause::named(pause.name()), Some(pause));
        }
    }
}
