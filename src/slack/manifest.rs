//! The app's manifest, from which Slack makes the app.

use anyhow::{bail, ensure};
use url::Url;

use super::Transport;

/// A permission of the bot's token, and what it is for.
pub type Scope = (&'static str, &'static str);

pub const COMMANDS: Scope = ("commands", "adds /ops");
pub const CHAT: Scope = ("chat:write", "posts messages, and edits its own");
pub const USERS: Scope = (
    "users:read",
    "tells members from guests, bots and people of other workspaces",
);
pub const HISTORY: Scope = (
    "channels:history",
    "finds a message again whose post Slack did not confirm",
);
pub const GROUPS: Scope = (
    "usergroups:read",
    "reads who is in the user groups of [permissions]",
);

/// The scopes that the manifest asks for; never more than four.
pub fn scopes(user_groups: bool) -> [Scope; 4] {
    [
        COMMANDS,
        CHAT,
        USERS,
        if user_groups { GROUPS } else { HISTORY },
    ]
}

/// The manifest as YAML. `url` is where Slack reaches the bot over HTTP; Socket Mode has none.
pub fn manifest(
    transport: Transport,
    url: Option<&Url>,
    user_groups: bool,
) -> anyhow::Result<String> {
    let base = match (transport, url) {
        (Transport::Socket, None) => None,
        (Transport::Socket, Some(_)) => {
            bail!("`--url` belongs to `--transport http`: Socket Mode needs no address")
        }
        (Transport::Http, None) => bail!(
            "`--transport http` needs `--url https://ops.example.com`, the address under which Slack reaches this bot"
        ),
        (Transport::Http, Some(url)) => Some(address(url)?),
    };
    let at = |path: &str, key: &str, indent: &str| {
        base.as_ref().map_or_else(String::new, |base| {
            format!("{indent}{key}: {base}/slack/{path}\n")
        })
    };
    let scopes: String = scopes(user_groups)
        .iter()
        .map(|(scope, purpose)| format!("      # {purpose}\n      - {scope}\n"))
        .collect();
    Ok(format!(
        "\
_metadata:
  major_version: 1
display_information:
  name: Daily Ops
  description: Walks the daily ops checklist, says what needs a person, and keeps the ops log
  background_color: \"#1d3c4a\"
features:
  bot_user:
    display_name: daily-ops
    always_online: true
  slash_commands:
    - command: /ops
{command}      description: The daily ops round, and what needs a person
      usage_hint: \"[daily | check NAME | status | log search WORDS | triage ACTION KEY | help]\"
      should_escape: true
oauth_config:
  scopes:
    bot:
{scopes}settings:
  interactivity:
    is_enabled: true
{interactivity}  org_deploy_enabled: false
  socket_mode_enabled: {socket}
  token_rotation_enabled: false
",
        command = at("commands", "url", "      "),
        interactivity = at("interactions", "request_url", "    "),
        socket = base.is_none(),
    ))
}

/// A base address that can stand in YAML unquoted.
fn address(url: &Url) -> anyhow::Result<String> {
    ensure!(
        url.scheme() == "https" && url.has_host(),
        "`--url` is an https address, such as https://ops.example.com: Slack sends nothing else"
    );
    ensure!(
        url.query().is_none()
            && url.fragment().is_none()
            && !crate::address::holds_credentials(url),
        "`--url` is a base address, without a name, a password, `?` or `#`"
    );
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_in_the_repository_is_the_one_for_socket_mode() {
        let ours = manifest(Transport::Socket, None, false).unwrap();
        assert_eq!(ours, include_str!("../../manifest.yml"));
    }

    #[test]
    fn over_http_slack_is_told_where_to_send() {
        let url = "https://ops.example.com/".parse().unwrap();
        let text = manifest(Transport::Http, Some(&url), false).unwrap();
        for line in [
            "      url: https://ops.example.com/slack/commands\n",
            "    request_url: https://ops.example.com/slack/interactions\n",
            "  socket_mode_enabled: false\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn user_groups_take_the_place_of_the_history() {
        let text = manifest(Transport::Socket, None, true).unwrap();
        assert!(text.contains("- usergroups:read\n") && !text.contains("channels:history"));
        assert_eq!(text.matches("      - ").count(), 4);
    }

    #[test]
    fn an_address_that_slack_would_refuse_is_refused() {
        let refused = |transport, url: Option<&str>| {
            let url: Option<Url> = url.map(|url| url.parse().unwrap());
            manifest(transport, url.as_ref(), false).is_err()
        };
        assert!(refused(Transport::Http, None));
        assert!(refused(Transport::Socket, Some("https://ops.example.com")));
        for url in [
            "http://ops.example.com",
            "https://u:p@ops.example.com",
            "https://ops.example.com/?a=b",
            "https://ops.example.com/#x",
        ] {
            assert!(refused(Transport::Http, Some(url)), "{url}");
        }
    }
}
