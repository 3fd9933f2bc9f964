//! What a request from a chat asks for, which right it needs, and what the log calls it. Pure.

use std::collections::HashSet;

use crate::{
    command::{Asked, Form, Item, LogRead, Ops, Press, Ticket, Triage, View, What},
    ops_log::Sentence,
    permissions::Right,
    report::Verb,
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

    /// For the log: what somebody tried.
    pub(super) fn name(&self) -> Sentence {
        let say = |words: &str| Sentence::new().say(words);
        match self {
            Self::Help => say("help"),
            Self::Round(_) => say("a round"),
            Self::Status => say("status"),
            Self::Log(_) => say("the log"),
            Self::Typed(triage) => {
                say(&format!("triage {} of ", triage.name())).quote(triage.key().to_string())
            }
            Self::Ticket(Ticket::List { .. }) => say("the tickets"),
            Self::Ticket(Ticket::Show { name }) => say("the ticket ").quote(name.as_str()),
            Self::Ticket(Ticket::Close { name }) => {
                say("close of the ticket ").quote(name.as_str())
            }
            Self::Press(press, _) => say(press.name()),
            Self::Submit(Form::Acknowledge { .. }, _) => say("acknowledge with a reason"),
            Self::Submit(Form::Assign { .. }, _) => say("assign"),
            Self::Submit(Form::Snooze { .. }, _) => say("snooze"),
            Self::Submit(Form::Note { .. }, _) => say("note"),
            Self::Submit(Form::Handle { .. }, _) => say("handle"),
            Self::Submit(Form::Ticket { .. }, _) => say("ticket"),
            Self::Submit(Form::Remedy { verb, .. }, _) => say(verb.as_str()),
        }
    }
}
