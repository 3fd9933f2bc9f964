//! What Jira's refusals mean: a 400 names fields, each with a message.

use serde_json::Value;

use crate::{
    report::Cause,
    text::{cut, one_line},
    trackers::NotEnsured,
    upstream::{Failure, Unwritten},
};

/// The failure with what to do about it.
pub(super) fn told(mut failure: Failure) -> Failure {
    if failure.status() == Some(400)
        && let Some(advice) = failure.refusal.as_deref().and_then(advice)
    {
        failure.advice = advice;
    }
    failure
}

pub(super) fn not_seen(failure: Failure) -> NotEnsured {
    match failure.status() {
        Some(400 | 404 | 410) => NotEnsured::refused(failure.to_string()),
        _ => NotEnsured::not_sent(failure),
    }
}

pub(super) fn not_written(unwritten: Unwritten) -> NotEnsured {
    match unwritten {
        Unwritten::Refused(failure) if matches!(failure.cause, Cause::Auth | Cause::Forbidden) => {
            NotEnsured::not_sent(failure)
        }
        Unwritten::Refused(failure) => NotEnsured::refused(told(failure).to_string()),
        Unwritten::NotSent(failure) => NotEnsured::not_sent(failure),
        Unwritten::OutcomeUnknown(failure) => NotEnsured::in_doubt(failure),
    }
}

/// Whether it was refused for its priority, perhaps among other things.
pub(super) fn is_of_priority(unwritten: &Unwritten) -> bool {
    let Unwritten::Refused(failure) = unwritten else {
        return false;
    };
    let refusal = failure.refusal.as_deref();
    failure.status() == Some(400)
        && refusal.is_some_and(|refusal| refusal["errors"].get("priority").is_some())
}

/// What to write where, for up to four of the fields that are named.
fn advice(refusal: &Value) -> Option<String> {
    let errors = refusal["errors"].as_object()?;
    let advice: Vec<String> = errors
        .iter()
        .take(4)
        .map(|(field, message)| {
            let field = cut(&one_line(field), 40);
            let said = cut(&one_line(message.as_str().unwrap_or_default()), 60);
            format!("{} (\"{said}\")", of_field(&field))
        })
        .collect();
    (!advice.is_empty()).then(|| advice.join("; "))
}

fn of_field(field: &str) -> String {
    match field {
        "project" => "correct `project` in [tickets.jira], and give the account the permission Create Issues there".to_owned(),
        "issuetype" => "correct `issue_type` in [tickets.jira]".to_owned(),
        "labels" => "put the field Labels on the project's create screen: tickets are found again by it".to_owned(),
        "priority" => "correct `priorities` in [tickets.jira], or put the field Priority on the project's create screen".to_owned(),
        "summary" | "description" => format!("change the ticket's {field}"),
        other => format!("set `{other}` in `fields` of [tickets.jira]"),
    }
}
