//! What a remedy would send, before anybody decides.

use super::{Bot, decide::not_offered, said::Said};
use crate::{
    checks::Order,
    effects::ATTEMPT_LIMIT,
    ops_log::Sentence,
    permissions::Permit,
    report::Verb,
    triage::{Action, Known},
};

impl Bot {
    /// The requests that the check would send now, a line each; nothing is sent but reads, and nothing is recorded.
    pub(super) async fn rehearse(&self, known: &Known, verb: Verb, permit: &Permit) -> Said {
        let action = Action::Remedy { verb };
        if let Some(why) = not_offered(&known.finding, &action) {
            return Said::refusal(why);
        }
        let finding = &known.finding;
        let mut remedies = finding.remedies.iter();
        let offered = remedies.find(|remedy| remedy.verb == verb.as_str());
        let order = Order {
            argument: offered.and_then(|remedy| remedy.argument.clone()),
            at: (self.clock)(),
            ..Order::new(&finding.key, verb.as_str(), permit.by())
        };
        let told = self
            .checklist
            .rehearse(&order, ATTEMPT_LIMIT, &self.clock)
            .await;
        match told {
            Ok(lines) => {
                let shown = lines.iter().map(|line| Sentence::new().quote(line));
                let head = Sentence::new().say("dry run, nothing is sent:");
                Said {
                    lines: std::iter::once(head).chain(shown).collect(),
                    accepted: true,
                }
            }
            Err(why) => Said::refusal(Sentence::new().quote(why.to_string())),
        }
    }
}
