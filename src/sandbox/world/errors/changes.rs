//! What can be done to an issue from outside.

use axum::{http::StatusCode, response::IntoResponse, response::Response};
use serde_json::{Value, json};

use super::{
    Issue, Organization,
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
            if let Some(status) = body["status"].as_str()
                && !issue.decide_by_name(status, now)
            {
                return Err(refuse(400, json!({"status": ["not a valid choice"]})));
            }
            match body["assignedTo"].as_str() {
                Some("") => issue.assignee = None,
                Some(actor) => issue.assignee = Some(actor.to_owned()),
                None => {}
            }
        }
        Ok(axum::Json(self.row(&self.issues[place], false, None)).into_response())
    }

    /// What was decided, and whose each issue is.
    pub(super) fn decisions(&self) -> Value {
        let decision = |issue: &Issue| json!({"id": issue.id, "status": issue.status, "decided": issue.decided, "assignee": issue.assignee});
        json!({"issues": self.issues.iter().map(decision).collect::<Vec<_>>(), "notes": self.notes})
    }

    /// Takes up what [`Self::decisions`] gave, as far as there are such issues.
    pub(super) fn decide_again(&mut self, decisions: &Value) {
        for kept in decisions["issues"].as_array().into_iter().flatten() {
            let id = kept["id"].as_u64();
            let Some(issue) = self.issues.iter_mut().find(|it| Some(it.id) == id) else {
                continue;
            };
            let decided = kept["decided"].as_str().and_then(|at| at.parse().ok());
            if let (Some(status), Some(at)) = (kept["status"].as_str(), decided)
                && issue.decided != decided
            {
                issue.decide_by_name(status, at);
            }
            issue.assignee = kept["assignee"].as_str().map(str::to_owned);
        }
        if let Ok(notes) = serde_json::from_value(decisions["notes"].clone()) {
            self.notes = notes;
        }
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
