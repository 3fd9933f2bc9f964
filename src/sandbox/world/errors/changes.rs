//! What can be done to an issue from outside.

use axum::{http::StatusCode, response::IntoResponse, response::Response};
use serde_json::{Value, json};

use super::{
    Organization,
    answers::{Answered, not_found, refuse},
};

impl Organization {
    fn find(&self, id: &str) -> Result<usize, Box<Response>> {
        let place = |id: u64| self.issues.iter().position(|issue| issue.id == id);
        let found = id.parse().ok().and_then(place).ok_or_else(not_found)?;
        Ok(self.issues[found]
            .merged_into
            .and_then(place)
            .unwrap_or(found))
    }

    pub(super) fn get_issue(&self, id: &str) -> Answered {
        self.need("event:read")?;
        let place = self.find(id)?;
        Ok(axum::Json(self.row(&self.issues[place], false, None)).into_response())
    }

    pub(super) fn put_issue(&mut self, id: &str, body: &[u8]) -> Answered {
        self.need("event:write")?;
        let place = self.find(id)?;
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| refuse(400, json!({"detail": "JSON parse error"})))?;
        let now = self.now();
        if !self.forgets_changes {
            let issue = &mut self.issues[place];
            match body["status"].as_str() {
                Some("resolved") => issue.decide("resolved", issue.substatus, now),
                Some("ignored") => issue.decide("ignored", "archived_until_escalating", now),
                Some("unresolved") => issue.decide("unresolved", "ongoing", now),
                Some(_) => return Err(refuse(400, json!({"status": ["not a valid choice"]}))),
                None => {}
            }
            match body["assignedTo"].as_str() {
                Some("") => issue.assignee = None,
                Some(actor) => issue.assignee = Some(actor.to_owned()),
                None => {}
            }
        }
        Ok(axum::Json(self.row(&self.issues[place], false, None)).into_response())
    }

    pub(super) fn post_note(&mut self, id: &str, body: &[u8]) -> Answered {
        self.need("event:write")?;
        let place = self.find(id)?;
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| refuse(400, json!({"detail": "JSON parse error"})))?;
        let note = (
            self.issues[place].id,
            body["text"].as_str().unwrap_or_default().to_owned(),
        );
        if self.notes.contains(&note) {
            // Sentry's own answer is a JSON string that holds JSON.
            return Err(refuse(
                400,
                json!(r#"{"detail": "You have already posted that comment."}"#),
            ));
        }
        self.notes.push(note);
        Ok((
            StatusCode::CREATED,
            axum::Json(json!({"id": "1", "type": "note"})),
        )
            .into_response())
    }
}
