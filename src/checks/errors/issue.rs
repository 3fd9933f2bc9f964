//! An issue as Sentry tells it, read leniently: only an item without an id is unreadable.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::text::Untrusted;

/// One bucket of an issue's history: when it begins, and its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub start: DateTime<Utc>,
    pub events: u64,
}

/// Who has an issue: `user:1` or `team:2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    pub actor: String,
    pub name: Untrusted,
}

/// One item of a list of issues. Counts are those of the list's period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Issue {
    /// Digits.
    pub id: String,
    pub short_id: Untrusted,
    pub title: Untrusted,
    pub culprit: Untrusted,
    pub project: Untrusted,
    pub level: String,
    pub priority: Option<String>,
    /// `unresolved`, `resolved` or `ignored`, which is Sentry's word for archived.
    pub status: String,
    /// `new`, `ongoing`, `escalating`, `regressed`, `archived_until_escalating` ...; old servers send none.
    pub substatus: Option<String>,
    pub unhandled: bool,
    pub assignee: Option<Assignee>,
    pub permalink: Option<String>,
    pub first_seen: Option<DateTime<Utc>>,
    pub last_seen: Option<DateTime<Utc>>,
    /// None if the item didn't say.
    pub events: Option<u64>,
    pub users: Option<u64>,
    pub events_ever: Option<u64>,
    pub users_ever: Option<u64>,
    pub hourly: Vec<Bucket>,
    pub daily: Vec<Bucket>,
}

impl Issue {
    /// Reads an item; none if it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let project = &item["project"];
        let lifetime = &item["lifetime"];
        Some(Self {
            id: identifier(&item["id"])?,
            short_id: line(&item["shortId"]),
            title: title(item),
            culprit: line(&item["culprit"]),
            project: line(&project["slug"]),
            level: word(&item["level"]).unwrap_or_default(),
            priority: word(&item["priority"]),
            status: word(&item["status"]).unwrap_or_default(),
            substatus: word(&item["substatus"]),
            unhandled: item["isUnhandled"].as_bool().unwrap_or(false),
            assignee: assignee(&item["assignedTo"]),
            permalink: item["permalink"].as_str().map(str::to_owned),
            first_seen: time(&item["firstSeen"]),
            last_seen: time(&item["lastSeen"]),
            events: number(&item["count"]),
            users: number(&item["userCount"]),
            events_ever: number(&lifetime["count"]),
            users_ever: number(&lifetime["userCount"]),
            hourly: buckets(&item["stats"]["24h"]),
            daily: buckets(&item["stats"]["14d"]),
        })
    }
}

/// Digits, as a string or as a number.
pub(super) fn identifier(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    is_identifier(&id).then_some(id)
}

pub(super) fn is_identifier(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

/// The first of title, `type: value`, culprit that says anything.
fn title(item: &Value) -> Untrusted {
    let metadata = &item["metadata"];
    let (kind, value) = (line(&metadata["type"]), line(&metadata["value"]));
    let described = match (kind.is_empty(), value.is_empty()) {
        (false, false) => Untrusted::from(format!("{}: {}", kind.as_str(), value.as_str())),
        (false, true) => kind,
        _ => value,
    };
    [
        line(&item["title"]),
        described,
        line(&metadata["title"]),
        line(&item["culprit"]),
    ]
    .into_iter()
    .find(|text| !text.is_empty())
    .unwrap_or_else(|| Untrusted::from("an issue without a title"))
}

fn assignee(value: &Value) -> Option<Assignee> {
    let id = identifier(&value["id"])?;
    let kind = word(&value["type"]).filter(|kind| kind == "user" || kind == "team")?;
    let name = line(&value["name"]);
    let name = match kind.as_str() {
        _ if name.is_empty() => Untrusted::from(format!("{kind} {id}")),
        "team" => Untrusted::from(format!("#{}", name.as_str().trim_start_matches('#'))),
        _ => name,
    };
    Some(Assignee {
        actor: format!("{kind}:{id}"),
        name,
    })
}

fn line(value: &Value) -> Untrusted {
    Untrusted::from(value.as_str().unwrap_or_default())
}

/// A word of a closed vocabulary; what is no such word counts as absent.
fn word(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let fits = (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    fits.then(|| text.to_ascii_lowercase())
}

/// Sentry sends `count` as a string and `userCount` as a number.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.to_utc())
}

/// `[[epoch seconds, events], ...]` in the order of time.
fn buckets(value: &Value) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| {
            let start = DateTime::from_timestamp(pair.get(0)?.as_i64()?, 0)?;
            let events = number(pair.get(1)?)?;
            Some(Bucket { start, events })
        })
        .collect();
    buckets.sort_by_key(|bucket| bucket.start);
    buckets
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_needs_only_an_id() {
        let issue = Issue::read(&json!({"id": "7"})).unwrap();
        assert_eq!(issue.id, "7");
        assert_eq!(issue.title.as_str(), "an issue without a title");
        assert_eq!((issue.events, issue.users), (None, None));
        for item in [
            json!({}),
            json!({"id": null}),
            json!({"id": "../1"}),
            json!({"id": ""}),
            json!("7"),
            json!(null),
        ] {
            assert_eq!(Issue::read(&item), None, "{item}");
        }
    }

    #[test]
    fn a_title_falls_back_to_what_says_something() {
        let title = |item: Value| super::title(&item).as_str().to_owned();
        assert_eq!(title(json!({"title": "a"})), "a");
        assert_eq!(
            title(json!({"title": " \u{200b}", "metadata": {"type": "KeyError", "value": "'id'"}})),
            "KeyError: 'id'"
        );
        assert_eq!(
            title(json!({"title": null, "metadata": {"type": "KeyError"}})),
            "KeyError"
        );
        assert_eq!(
            title(json!({"metadata": null, "culprit": "pay in checkout"})),
            "pay in checkout"
        );
    }

    #[test]
    fn numbers_come_as_strings_and_words_may_be_unknown() {
        let issue = Issue::read(&json!({
            "id": 12, "count": "150", "userCount": 3, "priority": null, "level": "catastrophic", "substatus": 5,
            "assignedTo": {"type": "team", "id": "9", "name": "payments"}, "firstSeen": "2026-11-06T21:19:55Z",
            "stats": {"24h": [[1_541_458_800, 2], [1_541_455_200, 1], ["x"], null]},
        }))
        .unwrap();
        assert_eq!((issue.events, issue.users), (Some(150), Some(3)));
        assert_eq!(
            (issue.level.as_str(), &issue.priority, &issue.substatus),
            ("catastrophic", &None, &None)
        );
        assert_eq!(issue.assignee.unwrap().name.as_str(), "#payments");
        assert_eq!(
            issue.hourly.iter().map(|b| b.events).collect::<Vec<_>>(),
            [1, 2]
        );
        assert!(issue.first_seen.is_some() && issue.last_seen.is_none());
    }
}
