use std::collections::BTreeSet;

use url::Url;

/// The one app that is installed.
#[derive(Clone, Debug)]
pub struct App {
    pub id: String,
    pub name: String,
    pub bot_id: String,
    /// The bot's own user.
    pub user: String,
    pub token: String,
    /// For Socket Mode.
    pub app_token: String,
    pub signing_secret: String,
    /// Why the bot's token is refused: `token_revoked`, `account_inactive`.
    pub dead: Option<&'static str>,
    pub scopes: BTreeSet<&'static str>,
    /// Offered by the composer; any other is handed to the app as well.
    pub commands: Vec<SlashCommand>,
    /// Where Slack's requests go while no Socket Mode connection is open.
    pub urls: RequestUrls,
    /// The events that it hears of: `message.channels`, `app_mention`.
    pub events: BTreeSet<&'static str>,
}

#[derive(Clone, Debug)]
pub struct SlashCommand {
    /// `/ops`.
    pub name: String,
    pub description: String,
    /// Such as `daily | help`.
    pub usage_hint: String,
}

#[derive(Clone, Debug, Default)]
pub struct RequestUrls {
    pub commands: Option<Url>,
    pub interactivity: Option<Url>,
    pub events: Option<Url>,
}

impl App {
    /// Its name as a user's: `daily_ops`.
    /// Whether it hears of that word: of every one, if it has told Slack of none.
    pub fn has_command(&self, word: &str) -> bool {
        let mut names = self.commands.iter().map(|command| &command.name);
        self.commands.is_empty() || names.any(|name| name.split(' ').next() == Some(word))
    }

    pub fn handle(&self) -> String {
        self.name.to_lowercase().replace(' ', "_")
    }
}
