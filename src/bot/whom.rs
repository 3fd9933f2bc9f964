//! Whom something may be given to from a chat: any other word would take it off the list and reach nobody.

use anyhow::ensure;

use super::{
    Desk, Wish,
    desk::{Refusal, passes},
    offers::offers,
};
use crate::{
    ops_log::Sentence,
    permissions::Denied,
    report::Finding,
    triage::{Action, Person},
};

impl Desk {
    /// The wish with whom it names found, or why it can't be given to them.
    pub(super) async fn addressed(
        &self,
        wish: Wish,
        finding: Option<&Finding>,
    ) -> anyhow::Result<Result<Wish, Refusal>> {
        let Wish::Act(Action::Assign { to }) = wish else {
            return Ok(Ok(wish));
        };
        let is_told = finding.is_some_and(|finding| offers(finding, "assign"));
        let to = self.somebody(to, is_told).await?;
        Ok(to.map(|to| Wish::Act(Action::Assign { to })))
    }

    /// `is_told`: the other side hears of it.
    async fn somebody(&self, to: Person, is_told: bool) -> anyhow::Result<Result<Person, Refusal>> {
        let id = to.id();
        if let Some(user) = id.strip_prefix("slack:") {
            return self.member(user).await;
        }
        let name = id.strip_prefix('@').unwrap_or(id);
        // The other side says so if it knows no such address or team.
        if is_told && name.contains(['@', '#']) {
            return Ok(Ok(to));
        }
        let is_named = |address: &str| {
            let own = address.split('@').next().unwrap_or_default();
            [own, address]
                .iter()
                .any(|it| it.eq_ignore_ascii_case(name))
        };
        let mut named = self.bot.people.iter().filter(|(_, it)| is_named(it));
        match (named.next(), named.next()) {
            (Some((user, _)), None) => self.member(user).await,
            _ => {
                let or_there = match is_told {
                    true => ", or give an e-mail address or `#team` that the other side knows",
                    false => "",
                };
                let said = Sentence::new().say("nobody is known here as ").quote(name);
                Ok(Err(Refusal(said.say(format!(
                    ": mention a member (`@` and a name from Slack's list){or_there}; nothing was changed"
                )))))
            }
        }
    }

    /// A user of Slack, if they can be expected to see to it.
    async fn member(&self, user: &str) -> anyhow::Result<Result<Person, Refusal>> {
        let member = match self.directory.member(user).await {
            Ok(member) => member,
            Err(unknown) => {
                let why = "whether that is a member is not known, so nothing was changed: ";
                ensure!(!passes(unknown.cause), "{why}{}", unknown.reason.as_str());
                return Ok(Err(Refusal(
                    Sentence::new().say(why).quote(&unknown.reason),
                )));
            }
        };
        let person = Person::from(format!("slack:{user}"));
        Ok(match Denied::of(&member, &self.home) {
            None => Ok(person),
            Some(denied) => Err(Refusal(Sentence::new().name(&person).say(format!(
                " is {}: give it to a member of the workspace; nothing was changed",
                denied.as_str()
            )))),
        })
    }
}
