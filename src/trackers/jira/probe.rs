//! What can be known of a project before the first ticket: permissions, the type of issue, and the fields it demands.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{OWN_FIELDS, Section, client::Client, usual_priority};
use crate::{
    report::{Cause, Severity, Unknown},
    text::{Untrusted, cut},
};

const PERMISSIONS: [&str; 4] = [
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "ADD_COMMENTS",
    "TRANSITION_ISSUES",
];

/// Rows of a page, and pages at most.
const PAGE: usize = 200;
const PAGES: usize = 20;

#[derive(Deserialize)]
struct Kind {
    id: String,
    name: String,
}

/// A field of the create screen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    field_id: String,
    name: String,
    required: bool,
    #[serde(default)]
    has_default_value: bool,
    #[serde(default)]
    allowed_values: Vec<Value>,
}

pub(super) async fn probe(section: &Section, client: &Client<'_>) -> Result<String, Unknown> {
    let project = &section.project;
    let lacks = client.lacks(&PERMISSIONS).await?;
    if !lacks.is_empty() {
        let reason = format!(
            "Jira gives the account no {} in {project}; give it these permissions, or correct `project` in [tickets.jira]",
            lacks.join(", ")
        );
        return Err(Unknown::new(Cause::Forbidden, reason));
    }
    let kinds: Vec<Kind> = list(client, &[project, "issuetypes"], "issueTypes").await?;
    let wanted = section.issue_type.trim();
    let fits = |kind: &&Kind| kind.id == wanted || kind.name.eq_ignore_ascii_case(wanted);
    let Some(kind) = kinds.iter().find(fits) else {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
        let names = Untrusted::from(names.join(", "));
        let reason = format!(
            "{project} has no issues of the type `{wanted}`; set `issue_type` in [tickets.jira] to one of {}",
            names.as_str()
        );
        return Err(Unknown::new(Cause::NotFound, reason));
    };
    let fields: Vec<Field> = list(client, &[project, "issuetypes", &kind.id], "fields").await?;
    demands(section, &fields)?;
    Ok(format!(
        "the account may open and move issues of the type {} in {project}, and [tickets.jira] has all that they demand",
        Untrusted::from(kind.name.as_str()).as_str()
    ))
}

/// A list of createmeta, to its end.
async fn list<T: DeserializeOwned>(
    client: &Client<'_>,
    route: &[&str],
    name: &str,
) -> Result<Vec<T>, Unknown> {
    let route = [&["issue", "createmeta"], route].concat();
    let rows = PAGE.to_string();
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let start = all.len().to_string();
        let query = [("maxResults", rows.as_str()), ("startAt", start.as_str())];
        let mut page: Value = client.get(&route, &query).await?;
        let some: Vec<T> = serde_json::from_value(page[name].take()).map_err(|_| {
            Unknown::new(Cause::Decode, format!("Jira's createmeta has no `{name}` of the documented shape; see whether `url` in [tickets.jira] leads to Jira Cloud"))
        })?;
        let is_last = some.is_empty();
        all.extend(some);
        let total = page["total"].as_u64().unwrap_or(0);
        if is_last || all.len() as u64 >= total {
            return Ok(all);
        }
    }
    Err(Unknown::new(
        Cause::Truncated,
        format!(
            "Jira's createmeta has more than {} `{name}`, and they were not all read; look at the project's settings",
            PAGE * PAGES
        ),
    ))
}

fn demands(section: &Section, fields: &[Field]) -> Result<(), Unknown> {
    let on_screen: BTreeSet<&str> = fields.iter().map(|field| field.field_id.as_str()).collect();
    let no = |reason: String| Err(Unknown::new(Cause::NotConfigured, reason));
    if !on_screen.contains("labels") {
        return no("the field Labels is not on the project's create screen: put it there, as tickets are found again by it".to_owned());
    }
    if let Some(stray) = section
        .fields
        .keys()
        .find(|name| !on_screen.contains(name.as_str()))
    {
        return no(format!(
            "`fields` in [tickets.jira] sets `{stray}`, which is not on the project's create screen: take it out, or put it there"
        ));
    }
    let missing = fields.iter().find(|field| {
        let id = field.field_id.as_str();
        let is_given = field.has_default_value
            || OWN_FIELDS.contains(&id)
            || section.fields.contains_key(id)
            || (id == "priority" && has_priorities(section, field));
        field.required && !is_given
    });
    match missing {
        None => Ok(()),
        Some(field) => no(demand(field)),
    }
}

/// Whether each severity has a priority: a configured one, or the usual one if the project has it.
fn has_priorities(section: &Section, field: &Field) -> bool {
    Severity::ALL.iter().all(|severity| {
        let is_there = |value: &Value| value["name"] == usual_priority(*severity);
        section.priorities.contains_key(severity) || field.allowed_values.iter().any(is_there)
    })
}

fn demand(field: &Field) -> String {
    let name = Untrusted::from(field.name.as_str());
    let id = cut(Untrusted::from(field.field_id.as_str()).as_str(), 40);
    if id == "priority" {
        return "the project demands a priority: set `priorities` in [tickets.jira] for critical, high, medium and low".to_owned();
    }
    let example = field.allowed_values.first().and_then(|value| {
        ["value", "name"].into_iter().find_map(|key| {
            let text = Untrusted::from(value[key].as_str()?);
            Some(format!("{{ {key} = \"{}\" }}", cut(text.as_str(), 40)))
        })
    });
    let example = example.unwrap_or_else(|| "\"...\"".to_owned());
    format!(
        "the project demands the field \"{}\": write `fields = {{ {id} = {example} }}` into [tickets.jira]",
        cut(name.as_str(), 60)
    )
}
