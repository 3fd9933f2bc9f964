//! What becomes of a request, whichever way it came: it is kept, answered, counted.

use tokio::time::Instant;

use super::{
    Inbox,
    payload::{Request, Unreadable},
};

/// What Slack is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is taken, or nothing that concerns us.
    Ack,
    /// The form stays open, and says this under the input with that block's id.
    Errors {
        block: &'static str,
        say: &'static str,
    },
    Challenge(String),
    Unreadable,
    /// Nothing: it is not certain that it is kept, and the person is to try again.
    NotKept,
}

/// A request that was dealt with; the labels are of closed sets.
pub(super) struct Taken {
    pub(super) kind: &'static str,
    pub(super) answer: Answer,
    pub(super) outcome: &'static str,
}

/// Keeps what is asked. Nothing of a request's content is logged.
pub(super) async fn take(
    request: Result<Request, Unreadable>,
    inbox: &dyn Inbox,
    transport: &'static str,
) -> Taken {
    let request = match request {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(transport, kind = error.kind, "{error}; it is lost");
            return Taken {
                kind: error.kind,
                answer: Answer::Unreadable,
                outcome: "unreadable",
            };
        }
    };
    let kind = request.kind();
    let (answer, outcome) = match request {
        Request::Asked(asked) => match inbox.accept(*asked).await {
            Ok(()) => (Answer::Ack, "accepted"),
            Err(error) => {
                let why = crate::text::Untrusted::from(format!("{error:#}"));
                tracing::error!(
                    transport,
                    kind,
                    why = why.as_str(),
                    "a request of Slack was not kept, and is not acked"
                );
                (Answer::NotKept, "not_kept")
            }
        },
        Request::Invalid { block, say } => (Answer::Errors { block, say }, "invalid"),
        Request::Challenge(text) => (Answer::Challenge(text), "answered"),
        Request::Ssl => (Answer::Ack, "answered"),
        Request::Other(_) => (Answer::Ack, "ignored"),
    };
    Taken {
        kind,
        answer,
        outcome,
    }
}

/// The body of an answer that keeps a form open.
pub(super) fn errors(block: &str, say: &str) -> serde_json::Value {
    serde_json::json!({ "response_action": "errors", "errors": { block: say } })
}

pub(super) fn count(transport: &'static str, kind: &'static str, outcome: &'static str) {
    metrics::counter!(
        "daily_ops_slack_requests_total",
        "transport" => transport, "kind" => kind, "outcome" => outcome
    )
    .increment(1);
}

pub(super) fn measure_ack(transport: &'static str, kind: &'static str, since: Instant) {
    metrics::histogram!("daily_ops_ack_seconds", "transport" => transport, "kind" => kind)
        .record(since.elapsed().as_secs_f64());
}
