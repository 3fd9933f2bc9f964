//! What a request from a chat asks for, which right it needs, and what the log calls it. Pure.

use crate::{
    command::{Asked, Form, Item, LogRead, Ops, Press, Triage, View, What},
    ops_log::Sentence,
    permissions::Right,
};

/// A request, understood.
pub(super) enum Task {
    Help,
    Round(Option<Vec<String>>),
    Status,
    Log(Option<LogRead>),
    Typed(Triage),
    Press(Press, Item),
    Submit(Form, Item),
}

impl Task {
    pub(super) fn of(asked: &Asked) -> Result<Self, String> {
        Ok(match &asked.what {
            What::Command(text) => match Ops::read(text)? {
                Ops::Help => Self::Help,
                Ops::Daily => Self::Round(None),
                Ops::Check { names } => Self::Round(Some(names)),
                Ops::Status => Self::Status,
                Ops::Triage { action } => Self::Typed(action),
                Ops::Log { command } => Self::Log(command),
            },
            What::Press { press, item } => Self::Press(*press, item.clone()),
            What::Submit { form, item } => Self::Submit(form.clone(), item.clone()),
        })
    }

    pub(super) fn right(&self) -> Right {
        match self {
            Self::Help
            | Self::Round(_)
            | Self::Status
            | Self::Log(_)
            | Self::Typed(Triage::Show { .. })
            | Self::Press(Press::Open(View::Details | View::Rest), _) => Right::Look,
            Self::Typed(_) | Self::Press(..) | Self::Submit(..) => Right::Triage,
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
            Self::Typed(triage) => say("triage of ").quote(triage.key().to_string()),
            Self::Press(press, _) => say(press.name()),
            Self::Submit(Form::Acknowledge { .. }, _) => say("acknowledge with a reason"),
            Self::Submit(Form::Assign { .. }, _) => say("assign"),
            Self::Submit(Form::Snooze { .. }, _) => say("snooze"),
            Self::Submit(Form::Note { .. }, _) => say("note"),
        }
    }
}
