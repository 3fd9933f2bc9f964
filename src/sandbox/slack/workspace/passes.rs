//! What lets the app do something for a while: a `trigger_id`, a `response_url`.

use chrono::{DateTime, Utc};

use super::{
    Workspace,
    remembered::{ADDRESSES, MOST, insert},
};

/// A `trigger_id`, which opens one view within 3 seconds.
#[derive(Clone, Debug)]
pub(in super::super) struct Trigger {
    pub(in super::super) at: DateTime<Utc>,
    pub(in super::super) used: bool,
    pub(in super::super) user: String,
}

/// A `response_url`: 5 uses in 30 minutes.
#[derive(Clone, Debug)]
pub(in super::super) struct Address {
    pub(in super::super) at: DateTime<Utc>,
    pub(in super::super) uses: usize,
    pub(in super::super) user: String,
    pub(in super::super) channel: String,
    /// Whether it came with a click.
    pub(in super::super) is_click: bool,
    /// The message that was clicked, or the first answer.
    pub(in super::super) message: Option<String>,
}

impl Workspace {
    /// A `trigger_id`, good for 3 seconds and one use.
    pub fn trigger(&mut self, user: &str) -> String {
        let number = self.count();
        let id = format!("{number}.{}.{number:032x}", 987);
        let trigger = Trigger {
            at: self.now(),
            used: false,
            user: user.to_owned(),
        };
        insert(&mut self.triggers, id.clone(), trigger, MOST);
        id
    }

    /// The number of an answering address, good for 30 minutes and 5 uses.
    pub(in super::super) fn address(
        &mut self,
        user: &str,
        channel: &str,
        message: Option<&str>,
    ) -> String {
        let id = self.count().to_string();
        let address = Address {
            at: self.now(),
            uses: 0,
            user: user.to_owned(),
            channel: channel.to_owned(),
            is_click: message.is_some(),
            message: message.map(str::to_owned),
        };
        insert(&mut self.addresses, id.clone(), address, ADDRESSES);
        id
    }
}
