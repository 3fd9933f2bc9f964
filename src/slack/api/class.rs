//! The kinds of failure, by Slack's error codes.

/// What a caller does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    RateLimited,
    /// It failed inside Slack, perhaps half-way.
    Server,
    /// No answer in time.
    Timeout,
    /// The connection ended, or an answer came that can't be read.
    Broken,
    /// No connection came about: nothing of the request left this machine.
    NotSent,
    TokenDead,
    MissingScope {
        needed: String,
    },
    /// The bot can't post there.
    Channel,
    /// The message is gone, or can't be changed any more.
    MessageGone,
    /// Slack refuses what we sent; this is a defect of ours.
    Refused,
    /// The trigger, the view or the answering address is used up or too old.
    Expired,
    /// A user or a group that isn't there.
    Nobody,
    /// More than is read.
    TooMuch,
    Other,
}

impl Class {
    /// A metric's label.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::NotSent => "not_sent",
            Self::TokenDead => "token_dead",
            Self::MissingScope { .. } => "missing_scope",
            Self::Channel => "channel",
            Self::MessageGone => "message_gone",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Nobody => "nobody",
            Self::TooMuch => "too_much",
            Self::Other => "other",
        }
    }

    /// By Slack's error codes, as its method pages list them.
    pub fn of(code: &str, needed: Option<&str>) -> Self {
        match code {
            "ratelimited" | "rate_limited" | "message_limit_exceeded" => Self::RateLimited,
            "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "request_timeout"
            | "update_failed" => Self::Server,
            "not_authed"
            | "invalid_auth"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "not_allowed_token_type"
            | "app_access_restricted" => Self::TokenDead,
            "missing_scope" => Self::MissingScope {
                needed: needed.unwrap_or("a scope").to_owned(),
            },
            "channel_not_found"
            | "not_in_channel"
            | "is_archived"
            | "is_inactive"
            | "channel_is_limited_access"
            | "method_not_supported_for_channel_type"
            | "posting_to_channel_denied"
            | "too_many_members" => Self::Channel,
            _ if code.starts_with("restricted_action") => Self::Channel,
            "message_not_found"
            | "cant_update_message"
            | "cant_edit"
            | "cant_delete_message"
            | "edit_window_closed" => Self::MessageGone,
            "expired_trigger_id"
            | "exchanged_trigger_id"
            | "trigger_expired"
            | "trigger_exchanged"
            | "invalid_trigger_id"
            | "invalid_trigger"
            | "expired_url"
            | "used_url"
            | "not_found"
            | "view_not_found"
            | "view_expired" => Self::Expired,
            "user_not_found" | "user_not_visible" | "no_such_subteam" | "subteam_not_found" => {
                Self::Nobody
            }
            "no_text"
            | "msg_too_long"
            | "msg_blocks_too_long"
            | "view_too_large"
            | "hash_conflict"
            | "too_many_attachments"
            | "unknown_method" => Self::Refused,
            _ if code.starts_with("invalid_") || code.starts_with("metadata_") => Self::Refused,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_asks_for_its_own_reaction() {
        let class = |code: &str| Class::of(code, None).as_str();
        for (code, wanted) in [
            ("ratelimited", "rate_limited"),
            ("fatal_error", "server"),
            ("token_revoked", "token_dead"),
            ("missing_scope", "missing_scope"),
            ("not_in_channel", "channel"),
            ("restricted_action_read_only_channel", "channel"),
            ("edit_window_closed", "message_gone"),
            ("invalid_blocks", "refused"),
            ("invalid_blocks_format", "refused"),
            ("invalid_auth", "token_dead"),
            ("invalid_trigger_id", "expired"),
            ("exchanged_trigger_id", "expired"),
            ("something_new", "other"),
        ] {
            assert_eq!(class(code), wanted, "{code}");
        }
    }
}
