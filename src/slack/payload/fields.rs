//! The named texts of a slash command: a form over HTTP, an object in Socket Mode.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::form_urlencoded;

use super::{Request, Unreadable, key, lenient::Text};
use crate::{
    command::{Asked, What},
    permissions::Asker,
};

/// Named texts; of a name that comes twice in a form, the first.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<String, Text>);

impl Fields {
    pub fn of_form(form: &[u8]) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            fields
                .entry(name.into_owned())
                .or_insert_with(|| Text::from(value.into_owned()));
        }
        Self(fields)
    }

    /// The text, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.get()
    }

    pub fn is_ssl_check(&self) -> bool {
        self.get("ssl_check") == Some("1")
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

pub(super) fn command_of(fields: &Fields, at: DateTime<Utc>) -> Result<Request, Unreadable> {
    if fields.is_ssl_check() {
        return Ok(Request::Ssl);
    }
    let needed = |name, missing| {
        fields.get(name).ok_or(Unreadable {
            kind: "command",
            missing,
        })
    };
    needed("command", "`command`")?;
    let trigger = needed("trigger_id", "`trigger_id`")?;
    let user = needed("user_id", "`user_id`")?;
    let team = fields
        .get("team_id")
        .or_else(|| fields.get("enterprise_id"));
    Ok(Request::Asked(Box::new(Asked {
        key: key("cmd", &[team.unwrap_or_default(), trigger]),
        at,
        by: Asker {
            user: user.to_owned(),
            team: fields.owned("team_id"),
            enterprise: fields.owned("enterprise_id"),
        },
        channel: fields.owned("channel_id"),
        message: None,
        reply_to: fields.owned("response_url"),
        trigger: Some(trigger.to_owned()),
        what: What::Command(fields.owned("text").unwrap_or_default()),
    })))
}
