//! The tickets that there are: listed, shown, and closed where they are kept here.

use super::{Bot, Desk, Reply, desk::Refusal, said::Said};
use crate::{
    command,
    ops_log::{Entry, Sentence},
    permissions::Permit,
    render,
    store::Receipt,
    text::nearest,
    ticket::StoredTicket,
    triage::Person,
};

impl Bot {
    /// Carries out what is typed about tickets.
    pub async fn ticket(&self, asked: &command::Ticket, by: &Person) -> anyhow::Result<Said> {
        match asked {
            command::Ticket::List { all } => self.list_tickets(*all).await,
            command::Ticket::Show { name } => self.show_ticket(name).await,
            command::Ticket::Close { name } => {
                let (entry, said) = match self.close_named(name, by).await? {
                    Ok(done) => done,
                    Err(why) => return Ok(Said::refusal(why)),
                };
                let mut lines = vec![said];
                if let Err(error) = self.project(&[entry]).await {
                    let line = Sentence::new().say("the ops log's file was not written: ");
                    lines.push(line.quote(format!("{error:#}")));
                }
                Ok(Said::done(lines))
            }
        }
    }

    async fn list_tickets(&self, all: bool) -> anyhow::Result<Said> {
        let tickets = self.store.tickets(!all).await?;
        let (now, zone) = ((self.clock)(), self.schedule.time_zone);
        let mut lines: Vec<Sentence> = tickets
            .iter()
            .map(|ticket| render::ticket::line(ticket, zone, now))
            .collect();
        if lines.is_empty() {
            lines.push(render::ticket::none(all));
        }
        Ok(Said::done(lines))
    }

    /// What a ticket says and who asked for it.
    pub(super) async fn show_ticket(&self, name: &str) -> anyhow::Result<Said> {
        let ticket = match self.ticket_named(name).await? {
            Ok(ticket) => ticket,
            Err(why) => return Ok(Said::refusal(why)),
        };
        let history = self.store.history(&ticket.key).await?;
        let mut asked = history.iter();
        let asked = asked.find(|decision| decision.version == ticket.version);
        let by = asked.map(|decision| &decision.by);
        let zone = self.schedule.time_zone;
        let lines = render::ticket::shown(&ticket, by, zone, (self.clock)());
        Ok(Said::done(lines))
    }

    /// Closes the ticket of that name, and says so.
    pub(super) async fn close_named(
        &self,
        name: &str,
        by: &Person,
    ) -> anyhow::Result<Result<(Entry, Sentence), Sentence>> {
        let ticket = match self.ticket_named(name).await? {
            Ok(ticket) => ticket,
            Err(why) => return Ok(Err(why)),
        };
        Ok(self.close_ticket(&ticket, by).await?.map(|entry| {
            let said = Sentence::new()
                .say("ticket ")
                .quote(ticket.name())
                .say(format!(" closed · {} ", ticket.key))
                .quote(ticket.draft.title.as_str())
                .say(format!(" · {}", entry.head()));
            (entry, said)
        }))
    }

    /// By its name, by ours, or by its finding's key, which stands for the newest.
    async fn ticket_named(&self, name: &str) -> anyhow::Result<Result<StoredTicket, Sentence>> {
        let wanted = name.trim().to_lowercase();
        let mut tickets = self.store.tickets(false).await?;
        let is_meant = |ticket: &StoredTicket| {
            let ours = format!("t-{}", ticket.number);
            [
                ticket.name().to_lowercase(),
                ours,
                ticket.key.to_string().to_lowercase(),
            ]
            .contains(&wanted)
        };
        if let Some(place) = tickets.iter().position(is_meant) {
            return Ok(Ok(tickets.swap_remove(place)));
        }
        let names: Vec<String> = tickets.iter().map(StoredTicket::name).collect();
        let what = Sentence::new().say("no ticket is named ").quote(name);
        Ok(Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => what.say("; did you mean ").quote(near).say("?"),
            None => what.say(": `ticket list --all` shows all that there are"),
        }))
    }
}

impl Desk {
    /// Carries out what is typed about tickets in a chat.
    pub(super) async fn ticket_asked(
        &self,
        asked: &command::Ticket,
        permit: &Permit,
        receipt: &Receipt,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let reply = match asked {
            command::Ticket::List { all } => Reply::Tickets {
                tickets: self.bot.store.tickets(!all).await?,
                all: *all,
            },
            command::Ticket::Show { name } => {
                Reply::Private(self.bot.show_ticket(name).await?.lines)
            }
            command::Ticket::Close { name } => {
                return self.close(name, permit, receipt, true).await;
            }
        };
        self.done(receipt, Ok(reply)).await
    }

    /// Closes a ticket that is kept here. It can be closed once, so that a request that comes again changes nothing.
    pub(super) async fn close(
        &self,
        name: &str,
        permit: &Permit,
        receipt: &Receipt,
        tell: bool,
    ) -> anyhow::Result<Result<Reply, Refusal>> {
        let (entry, said) = match self.bot.close_named(name, permit.by()).await? {
            Ok(closed) => closed,
            Err(why) => return Ok(Err(Refusal(why))),
        };
        self.bot.project_later(&[entry]);
        let reply = if tell {
            Reply::Private(vec![said])
        } else {
            Reply::Nothing
        };
        self.done(receipt, Ok(reply)).await
    }
}
