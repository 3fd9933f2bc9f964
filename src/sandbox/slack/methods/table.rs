use serde_json::Value;

use super::{
    super::Workspace, Answer, chat, conversations, files, membership, reactions, reading, schedule,
    team, users, views,
};

pub(in super::super) struct Method {
    pub(in super::super) name: &'static str,
    /// Several: which one is needed depends on the channel.
    pub(in super::super) scopes: &'static [&'static str],
    /// Calls in a minute.
    pub(in super::super) tier: usize,
    /// Arguments that have to be there.
    pub(in super::super) needs: &'static [&'static str],
    /// Whether a body of JSON is read.
    pub(in super::super) reads_json: bool,
    pub(super) run: fn(&mut Workspace, &Value) -> Answer,
}

type Run = fn(&mut Workspace, &Value) -> Answer;
type Words = &'static [&'static str];

/// Takes JSON or a form.
const fn any(name: &'static str, scopes: Words, tier: usize, needs: Words, run: Run) -> Method {
    Method {
        name,
        scopes,
        tier,
        needs,
        reads_json: true,
        run,
    }
}

/// Ignores a body of JSON, as its page says.
const fn form(name: &'static str, scopes: Words, tier: usize, needs: Words, run: Run) -> Method {
    Method {
        reads_json: false,
        ..any(name, scopes, tier, needs, run)
    }
}

/// <https://docs.slack.dev/apis/web-api/rate-limits>
const T2: usize = 20;
const T3: usize = 50;
const T4: usize = 100;
const SPECIAL: usize = 600;

const WRITE: Words = &["chat:write"];
const READ: Words = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: Words = &[
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
];
const MANAGE: Words = &["channels:manage", "groups:write", "im:write", "mpim:write"];
const PEOPLE: Words = &["users:read"];
const REACT: Words = &["reactions:write"];
const CHANNEL: Words = &["channel"];

/// Every scope that a method or a feature asks for.
pub const SCOPES: &[&str] = &[
    "app_mentions:read",
    "bookmarks:read",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "chat:write.public",
    "commands",
    "emoji:read",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "pins:read",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users.profile:read",
    "users:read",
    "users:read.email",
];

#[rustfmt::skip]
static METHODS: &[Method] = &[
    any("api.test", &[], T4, &[], team::api_test),
    any("auth.test", &[], SPECIAL, &[], team::auth_test),
    any("apps.connections.open", &[], T3, &[], team::connect),
    any("blocks.validate", &[], T4, &[], team::validate),
    form("bots.info", PEOPLE, T3, &[], team::bot),
    any("chat.delete", WRITE, T3, &["channel", "ts"], chat::delete),
    any("chat.deleteScheduledMessage", WRITE, T3, &["channel", "scheduled_message_id"], schedule::delete),
    form("chat.getPermalink", &[], SPECIAL, &["channel", "message_ts"], chat::permalink),
    any("chat.meMessage", WRITE, T3, &["channel", "text"], chat::me),
    any("chat.postEphemeral", WRITE, T4, &["channel", "user"], chat::post_ephemeral),
    any("chat.postMessage", WRITE, SPECIAL, CHANNEL, chat::post),
    any("chat.scheduleMessage", WRITE, T3, &["channel", "post_at"], schedule::add),
    any("chat.scheduledMessages.list", &[], T3, &[], schedule::list),
    any("chat.update", WRITE, T3, &["channel", "ts"], chat::update),
    any("conversations.archive", MANAGE, T2, CHANNEL, membership::archive),
    any("conversations.create", MANAGE, T2, &["name"], conversations::create),
    any("conversations.history", HISTORY, T3, CHANNEL, reading::history),
    form("conversations.info", READ, T3, CHANNEL, conversations::info),
    any("conversations.invite", MANAGE, T3, &["channel", "users"], membership::invite),
    any("conversations.join", &["channels:join"], T3, CHANNEL, membership::join),
    any("conversations.kick", MANAGE, T3, &["channel", "user"], membership::kick),
    any("conversations.leave", MANAGE, T3, CHANNEL, membership::leave),
    form("conversations.list", READ, T2, &[], conversations::list),
    form("conversations.members", READ, T4, CHANNEL, conversations::members),
    any("conversations.open", MANAGE, T3, &[], conversations::open),
    form("conversations.replies", HISTORY, T3, &["channel", "ts"], reading::replies),
    any("conversations.setPurpose", MANAGE, T2, &["channel", "purpose"], membership::purpose),
    any("conversations.setTopic", MANAGE, T2, &["channel", "topic"], membership::topic),
    any("conversations.unarchive", MANAGE, T2, CHANNEL, membership::unarchive),
    form("emoji.list", &["emoji:read"], T2, &[], team::emoji),
    any("files.completeUploadExternal", &["files:write"], T4, &["files"], files::complete),
    form("files.delete", &["files:write"], T3, &["file"], files::delete),
    form("files.getUploadURLExternal", &["files:write"], T4, &["filename", "length"], files::begin),
    form("files.info", &["files:read"], T4, &["file"], files::info),
    any("files.upload", &[], T2, &[], files::deprecated),
    any("pins.add", &["pins:write"], T2, CHANNEL, reactions::pin),
    form("pins.list", &["pins:read"], T2, CHANNEL, reactions::pins),
    any("pins.remove", &["pins:write"], T2, CHANNEL, reactions::unpin),
    any("reactions.add", REACT, T3, &["name"], reactions::add),
    form("reactions.get", &["reactions:read"], T3, &[], reactions::get),
    any("reactions.remove", REACT, T2, &["name"], reactions::remove),
    any("team.info", &["team:read"], T3, &[], team::info),
    form("usergroups.list", &["usergroups:read"], T2, &[], users::groups),
    form("usergroups.users.list", &["usergroups:read"], T2, &["usergroup"], users::group),
    form("users.conversations", READ, T3, &[], conversations::of_user),
    form("users.info", PEOPLE, T4, &["user"], users::info),
    form("users.list", PEOPLE, T2, &[], users::list),
    form("users.lookupByEmail", &["users:read.email"], T3, &["email"], users::by_email),
    form("users.profile.get", &["users.profile:read"], T4, &[], users::profile),
    any("views.open", &[], T4, &["view"], views::open),
    any("views.publish", &[], T4, &["user_id", "view"], views::publish),
    any("views.push", &[], T4, &["view"], views::push),
    any("views.update", &[], T4, &["view"], views::update),
];

pub(in super::super) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

#[cfg(test)]
mod tests {
    use super::{METHODS, SCOPES};

    #[test]
    fn methods_and_scopes_are_each_written_once_and_every_scope_is_known() {
        let mut names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METHODS.len());
        for method in METHODS {
            assert!(method.scopes.iter().all(|scope| SCOPES.contains(scope)));
        }
        assert!(SCOPES.is_sorted());
    }
}
