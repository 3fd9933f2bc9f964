//! What a person only wants to see: a view over a message, how things stand, the log.

use super::{
    Desk, Pictured, Reply, Shown,
    desk::Refusal,
    offers::not_offered,
    pressed::{Found, stale},
};
use crate::{
    command::{Item, LogRead, View},
    ops_log::{Anchor, Sentence, count},
    report::Finding,
    store::Filter,
    triage::{Action, Known, Person},
};

/// The newest entries, if nobody says how many.
const NEWEST: usize = 10;

/// The most that a chat is shown of the log.
const LONGEST: usize = 40;

impl Desk {
    pub(super) async fn view(
        &self,
        view: View,
        item: Item,
        found: Found,
        by: &Person,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let shown = match (view, found.finding) {
            (View::Rest, _) => Shown::Rest(found.pictured),
            (_, None) => return Ok(Err(stale())),
            (View::Details, Some(finding)) => {
                let key = &finding.key;
                Shown::Details {
                    known: match self.bot.known(key).await? {
                        Ok(known) => known,
                        // Gone by now: what that run saw of it.
                        Err(_) => seen_then(&finding, &found.pictured),
                    },
                    history: self.bot.store.history(key).await?,
                    tickets: (self.bot.store.tickets_of([key]).await?)
                        .remove(key)
                        .unwrap_or_default(),
                    effect: self.bot.store.newest_effects([key]).await?.remove(key),
                }
            }
            // What is to be read is what the newest round saw, whatever the message shows.
            (View::Remedy(verb), Some(finding)) => {
                let finding = match self.bot.still_open(&finding.key).await? {
                    Ok(known) => known.finding,
                    Err(why) => return Ok(Err(Refusal(why))),
                };
                if let Some(why) = not_offered(&finding, &Action::Remedy { verb }) {
                    return Ok(Err(Refusal(why)));
                }
                Shown::Form {
                    view,
                    finding,
                    item,
                }
            }
            (View::Ticket, Some(finding)) => {
                if let Err(why) = self.bot.still_open(&finding.key).await? {
                    return Ok(Err(Refusal(why)));
                }
                let key = &finding.key;
                let draft = match self.bot.draft(key, by).await? {
                    Ok(draft) => draft,
                    Err(why) => return Ok(Err(Refusal(why))),
                };
                // Said before the form is filled in, not after.
                if let Err(why) = self.bot.ticket_for(key, &draft).await? {
                    return Ok(Err(Refusal(why)));
                }
                Shown::Ticket {
                    draft,
                    finding,
                    item,
                }
            }
            (view, Some(finding)) => Shown::Form {
                view,
                finding,
                item,
            },
        };
        Ok(Ok(Reply::View(Box::new(shown))))
    }

    pub(super) async fn status(&self) -> anyhow::Result<Result<Reply, Refusal>> {
        Ok(match self.bot.newest_looks().await? {
            Some(judged) => Ok(Reply::Status(Box::new(judged))),
            None => Err(Refusal(
                Sentence::new().say("there has been no round yet: ask for one with `/ops daily`"),
            )),
        })
    }

    pub(super) async fn log(
        &self,
        read: Option<LogRead>,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let filter = match read {
            None => Filter::newest(NEWEST),
            Some(LogRead::Show { last }) => Filter::newest(last.min(LONGEST)),
            Some(LogRead::Search(mut search)) => {
                search.limit = search.limit.min(LONGEST);
                match Filter::try_from(search) {
                    Ok(filter) => filter,
                    Err(error) => {
                        return Ok(Err(Refusal(Sentence::new().quote(format!("{error:#}")))));
                    }
                }
            }
            Some(LogRead::Verify { anchor }) => return self.verify(anchor.as_deref()).await,
        };
        let mut entries = self.bot.store.entries(&filter).await?;
        entries.reverse();
        Ok(Ok(Reply::Log(entries)))
    }

    async fn verify(&self, anchor: Option<&str>) -> anyhow::Result<Result<Reply, Refusal>> {
        let anchor: Option<Anchor> = match anchor.map(str::parse).transpose() {
            Ok(anchor) => anchor,
            Err(error) => return Ok(Err(Refusal(Sentence::new().quote(format!("{error:#}"))))),
        };
        let line = match self.bot.store.verify(anchor).await? {
            Ok(verified) => Sentence::new().say(format!(
                "the chain holds: {}, {}. The file is compared by `daily-ops log verify`",
                count(verified.entries),
                verified.head
            )),
            Err(flaw) => Sentence::new()
                .say("the log does not verify: ")
                .quote(flaw.to_string()),
        };
        Ok(Ok(Reply::Private(vec![line])))
    }
}

fn seen_then(finding: &Finding, pictured: &Pictured) -> Known {
    let at = pictured.round.order.at;
    let since = pictured
        .done
        .iter()
        .flat_map(|done| done.triaged.rows())
        .find(|row| row.finding.key == finding.key)
        .map_or(at, |row| row.since);
    Known {
        since,
        last_seen: at,
        peak: None,
        finding: finding.clone(),
    }
}
