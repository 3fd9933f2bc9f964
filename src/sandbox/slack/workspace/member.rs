use serde_json::Value;

/// A user; the fields are Slack's own.
#[derive(Clone, Debug, Default)]
pub struct Member {
    pub team: String,
    /// As others see it.
    pub real_name: String,
    /// What the company knows of them.
    pub title: String,
    pub enterprise: Option<String>,
    pub deleted: bool,
    pub is_bot: bool,
    pub is_restricted: bool,
    pub is_ultra_restricted: bool,
    pub is_stranger: bool,
    pub email: Option<String>,
}

impl Member {
    /// What Slack shows of the user of that id.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        if self.real_name.is_empty() {
            id
        } else {
            &self.real_name
        }
    }
}

#[derive(Clone, Debug)]
pub struct View {
    pub id: String,
    /// Who sees it.
    pub user: String,
    pub is_open: bool,
    /// Of the view below it.
    pub previous: Option<String>,
    /// Changes with every update.
    pub hash: String,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Value>,
}

impl View {
    pub fn now(&self) -> &Value {
        self.versions.last().expect("a view has a version")
    }
}

/// A file that the app shares.
#[derive(Clone, Debug)]
pub struct Upload {
    pub id: String,
    pub name: String,
    pub title: String,
    /// Promised before it came.
    pub length: usize,
    /// None: it didn't come yet.
    pub content: Option<Vec<u8>>,
    /// Whether `files.completeUploadExternal` was called.
    pub is_complete: bool,
}

/// A message that is posted later.
#[derive(Clone, Debug)]
pub(in super::super) struct Scheduled {
    pub(in super::super) id: String,
    pub(in super::super) channel: String,
    /// Seconds of the epoch.
    pub(in super::super) at: i64,
    /// What `chat.postMessage` takes.
    pub(in super::super) args: Value,
}

/// One call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// `chat.postMessage`; `response/3` for an answering address.
    pub method: String,
    pub args: Value,
    /// None: none was sent.
    pub token: Option<String>,
    /// Why its arguments can't be read: `invalid_json`.
    pub flaw: Option<&'static str>,
}
