//! What a request from a chat asks for, which right it needs, and what the log calls it. Pure.

use std::collections::HashSet;

use crate::{
    command::{Asked, Form, Item, LogRead, Ops, Press, Ticket, Triage, View, What},
    ops_log::Sentence,
    permissions::Right,
    report::{FindingKey, Verb},
};

/// A request, understood.
pub(super) enum Task {
    Help,
    Round(Option<Vec<String>>),
    Status,
    Log(Option<LogRead>),
    Typed(Triage),
    Ticket(Ticket),
    Press(Press, Item),
    Submit(Form, Item),
}

impl Task {
    pub(super) fn of(asked: &Asked) -> Result<Self, String> {
        Ok(match &asked.what {
            What::Command(text) => match Ops::read(text)? {
                Ops::Help => Self::Help,
                Ops::Daily => Self::Round(None),
                Ops::Check { names } => {
                    let mut met = HashSet::new();
                    let each = |name: &String| met.insert(name.clone());
                    Self::Round(Some(names.into_iter().filter(each).collect()))
                }
                Ops::Status => Self::Status,
                Ops::Triage { action } => Self::Typed(action),
                Ops::Ticket { command } => Self::Ticket(command),
                Ops::Log { command } => Self::Log(command),
            },
            What::Press { press, item } => Self::Press(*press, item.clone()),
            What::Submit { form, item } => Self::Submit(form.clone(), item.clone()),
        })
    }

    pub(super) fn right(&self) -> Right {
        if self.verb().is_some_and(Verb::moves_money) {
            return Right::Money;
        }
        match self {
            Self::Help
            | Self::Round(_)
            | Self::Status
            | Self::Log(_)
            | Self::Typed(Triage::Show { .. })
            | Self::Ticket(Ticket::List { .. } | Ticket::Show { .. })
            | Self::Press(Press::Open(View::Details | View::Rest), _) => Right::Look,
            Self::Typed(_) | Self::Ticket(Ticket::Close { .. }) => Right::Triage,
            Self::Press(..) | Self::Submit(..) => Right::Triage,
        }
    }

    /// What a check is asked to do, or what is opened to ask it.
    fn verb(&self) -> Option<Verb> {
        match self {
            Self::Typed(triage) => triage.remedy().map(|(verb, _)| verb),
            Self::Press(Press::Open(View::Remedy(verb)), _)
            | Self::Submit(Form::Remedy { verb, .. }, _) => Some(*verb),
            _ => None,
        }
    }

    /// What somebody tried, without what it was about.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Round(_) => "a round",
            Self::Status => "status",
            Self::Log(_) => "the log",
            Self::Typed(triage) => triage.name(),
            Self::Ticket(Ticket::List { .. }) => "the tickets",
            Self::Ticket(Ticket::Show { .. }) => "the ticket",
            Self::Ticket(Ticket::Close { .. }) | Self::Press(Press::CloseTicket, _) => {
                "close the ticket"
            }
            Self::Press(Press::Open(View::Rest), _) => "the other findings",
            Self::Press(press, _) => {
                let name = press.name();
                name.strip_prefix("open.").unwrap_or(name)
            }
            Self::Submit(Form::Acknowledge { .. }, _) => "acknowledge",
            Self::Submit(Form::Assign { .. }, _) => "assign",
            Self::Submit(Form::Snooze { .. }, _) => "snooze",
            Self::Submit(Form::Note { .. }, _) => "note",
            Self::Submit(Form::Handle { .. }, _) => "handle",
            Self::Submit(Form::Ticket { .. }, _) => "ticket",
            Self::Submit(Form::Remedy { verb, .. }, _) => verb.as_str(),
        }
    }

    /// What it was about, told from what is asked alone.
    pub(super) fn about(&self) -> String {
        match self {
            Self::Typed(triage) => triage.key().to_string(),
            Self::Ticket(Ticket::Show { name } | Ticket::Close { name }) => name.clone(),
            _ => self.item().map_or_else(String::new, |item| {
                format!("{} {:?}", item.message, item.finding)
            }),
        }
    }

    /// For the log: what somebody tried, and about which finding.
    pub(super) fn name(&self, clicked: Option<&FindingKey>) -> Sentence {
        let said = Sentence::new().say(self.kind());
        match self {
            Self::Typed(triage) => said.say(" of ").quote(triage.key().to_string()),
            Self::Ticket(Ticket::Show { name } | Ticket::Close { name }) => {
                said.say(" ").quote(name.as_str())
            }
            _ => match clicked {
                Some(key) => said.say(" of ").quote(key.to_string()),
                None => said,
            },
        }
    }

    /// What was clicked on.
    pub(super) fn item(&self) -> Option<&Item> {
        match self {
            Self::Press(_, item) | Self::Submit(_, item) => Some(item),
            _ => None,
        }
    }
}
