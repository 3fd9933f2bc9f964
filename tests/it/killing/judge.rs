//! What has to be true once all has come to rest.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::sleep;

use super::{
    dealings::dealings,
    requests::{Request, Wish},
    site::{OWN, Site},
};
use crate::world::slack::web_api::{Posting, Version};

/// Requests that are delivered once more at a time, and how often each is tried.
const AT_ONCE: usize = 32;
const TRIES: usize = 30;

/// What was found, and what there was to find it in.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) wrong: Vec<String>,
    pub(super) acked: usize,
    pub(super) unacked: usize,
    pub(super) delivered: usize,
    pub(super) decisions: usize,
    pub(super) rounds: usize,
    pub(super) effects: usize,
    pub(super) notes: usize,
    pub(super) tickets: usize,
    pub(super) charges: usize,
    pub(super) log: i64,
    /// Requests that a person has to look at, as the log says.
    pub(super) given_up: usize,
}

pub(super) struct Decided {
    pub(super) key: String,
    pub(super) verb: String,
    by: String,
}

/// With what came to rest; its processes run. `once`: no message may ever have stood there twice, not even for a moment.
pub(super) async fn judge(site: &mut Site, once: bool) -> Findings {
    let mut found = Findings::default();
    let open = site.come_to_rest().await;
    found
        .wrong
        .extend(open.into_iter().map(|what| format!("never done: {what}")));
    let requests = site.asked.lock().expect("no test panicked").clone();
    found.acked = requests.iter().filter(|request| request.acked).count();
    found.unacked = requests.len() - found.acked;
    found.delivered = requests.iter().map(|request| request.sent).sum();
    known_again(site, &requests, &mut found).await;
    decisions(site, &requests, &mut found).await;
    rounds(site, &requests, &mut found).await;
    dealings(site, &requests, &mut found).await;
    messages(site, once, &mut found).await;
    drawn_anew(site, &mut found).await;
    site.kill();
    log(site, &mut found).await;
    found
}

/// Whatever was acked is kept: delivered once more, it is nothing new.
async fn known_again(site: &mut Site, requests: &[Request], found: &mut Findings) {
    const KEPT: &str = "SELECT CAST(count(*) AS TEXT) FROM inbox";
    let before = site.tables.number(KEPT).await;
    let to = site.nodes[0].to;
    let acked: Vec<&Request> = requests.iter().filter(|request| request.acked).collect();
    for some in acked.chunks(AT_ONCE) {
        let all = join_all(some.iter().map(|request| again(request, to))).await;
        found.wrong.extend(all.into_iter().flatten());
    }
    let after = site.tables.number(KEPT).await;
    if after != before {
        found.wrong.push(format!(
            "lost: {} requests were acked and not kept",
            after - before
        ));
        let open = site.come_to_rest().await;
        found
            .wrong
            .extend(open.into_iter().map(|what| format!("never done: {what}")));
    }
}

/// Delivers a request once more. Gives what is wrong.
async fn again(request: &Request, to: SocketAddr) -> Option<String> {
    let mut again = request.clone();
    for _ in 0..TRIES {
        if again.deliver(to).await {
            return None;
        }
        sleep(Duration::from_millis(100)).await;
    }
    Some(format!("not acked, though all is well: {request:?}"))
}

pub(super) async fn decided(site: &Site) -> Vec<Decided> {
    let rows = site
        .tables
        .rows("SELECT key, by_id, CAST(decision AS TEXT) FROM decisions ORDER BY key, version")
        .await;
    rows.into_iter()
        .map(|row| {
            let decision: Value = serde_json::from_str(&row[2]).expect("a decision is JSON");
            let action = &decision["action"];
            let verb = action.as_str().or(action["action"].as_str());
            Decided {
                key: row[0].clone(),
                by: row[1].trim_start_matches("slack:").to_owned(),
                verb: verb.unwrap_or_default().to_owned(),
            }
        })
        .collect()
}

/// What the log says that a person has to look at: a request whose processes died too often is among it.
pub(super) async fn alerts(site: &Site) -> String {
    let rows = site
        .tables
        .rows(
            "SELECT COALESCE(body, '') FROM ops_log_bodies JOIN ops_log ON ops_log.seq = ops_log_bodies.seq \
             WHERE kind = 'alert'",
        )
        .await;
    rows.concat().join("\n")
}

/// Each wish led to what it asked for, once; and the other side is as the decisions say.
async fn decisions(site: &Site, requests: &[Request], found: &mut Findings) {
    let all = decided(site).await;
    found.decisions = all.len();
    let mut by: BTreeMap<&str, Vec<&Decided>> = BTreeMap::new();
    let mut about: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for decision in &all {
        by.entry(&decision.by).or_default().push(decision);
        about.entry(&decision.key).or_default().push(&decision.verb);
    }
    let told = Vec::from(site.slack.world().replies.clone());
    let alerts = alerts(site).await;
    for request in requests {
        let own = by.get(request.user.as_str()).map_or(&[][..], Vec::as_slice);
        if own.len() > 1 {
            found
                .wrong
                .push(format!("done {} times: {request:?}", own.len()));
        }
        let Wish::Certain { key, verb } = &request.wish else {
            continue;
        };
        match own {
            [] if request.acked && alerts.contains(&request.user) => found.given_up += 1,
            [] if request.acked => {
                let told = request.answer_in(&told);
                found
                    .wrong
                    .push(format!("lost: {request:?}, who was told {told:?}"));
            }
            [one] if one.verb != *verb || one.key != *key => {
                found
                    .wrong
                    .push(format!("{} of {} for {request:?}", one.verb, one.key));
            }
            _ => {}
        }
    }
    let mut world = site.sentry.world();
    found.notes = world.notes.len();
    for id in OWN {
        let key = format!("errors:{id}");
        let wanted = match about.get(key.as_str()).map_or(&[][..], Vec::as_slice) {
            [] | ["resolve", "undo"] => "unresolved",
            ["resolve"] => "resolved",
            other => {
                found.wrong.push(format!("{key} has {other:?}"));
                continue;
            }
        };
        let status = world.issue(id).status;
        if status != wanted {
            let wrong = format!(
                "{key} is {status} in Sentry, and decided is {:?}",
                about.get(key.as_str())
            );
            found.wrong.push(wrong);
        }
    }
    let mut notes: BTreeMap<&(u64, String), usize> = BTreeMap::new();
    for note in &world.notes {
        *notes.entry(note).or_default() += 1;
    }
    for (note, times) in notes.into_iter().filter(|(_, times)| *times > 1) {
        found
            .wrong
            .push(format!("noted {times} times in Sentry: {note:?}"));
    }
}

async fn rounds(site: &Site, requests: &[Request], found: &mut Findings) {
    let rows = site
        .tables
        .rows("SELECT id, channel, CAST(asked AS TEXT), state FROM asked_rounds")
        .await;
    found.rounds = rows.len();
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    let mut filled: Vec<&str> = Vec::new();
    for row in &rows {
        let order: Value = serde_json::from_str(&row[2]).expect("an order is JSON");
        let user = order["by"].as_str().unwrap_or_default();
        *by.entry(user.trim_start_matches("slack:").to_owned())
            .or_default() += 1;
        filled.push(&row[1]);
    }
    for request in requests {
        let own = by.get(&request.user).copied().unwrap_or(0);
        if own > 1 {
            found.wrong.push(format!("{own} rounds for {request:?}"));
        }
        if let Wish::Round { channel } = &request.wish
            && request.acked
            && own == 0
            && !filled.contains(&channel.as_str())
        {
            found.wrong.push(format!("lost: {request:?}"));
        }
    }
    let effects = site
        .tables
        .rows("SELECT effect_key, state, COALESCE(last_error, '') FROM effects")
        .await;
    found.effects = effects.len();
    for effect in effects {
        // Every kill in the midst of it counts as a try; after the seventh a person is told.
        if effect[1] == "needs_human" {
            found.given_up += 1;
        } else if effect[1] != "done" && !is_declined(&effect) {
            found.wrong.push(format!("an effect is {effect:?}"));
        }
    }
}

/// Refused by somebody's bank, or by us because it was so today.
fn is_declined(effect: &[String]) -> bool {
    let why = ["declined: insufficient_funds", "once a day is the most"];
    effect[0].starts_with("pay:")
        && effect[1] == "failed"
        && why.iter().any(|why| effect[2].contains(why))
}

/// Each round has one message, and the database knows which.
async fn messages(site: &Site, once: bool, found: &mut Findings) {
    let shown = site.shown();
    let rows = site
        .tables
        .rows("SELECT id, COALESCE(ts, ''), state FROM messages")
        .await;
    let mut ids = Vec::new();
    for row in &rows {
        let postings = shown.get(&row[0]).map_or(&[][..], Vec::as_slice);
        let standing: Vec<&str> = postings
            .iter()
            .filter(|posting| !posting.deleted)
            .map(|posting| posting.ts.as_str())
            .collect();
        if standing != [row[1].as_str()] {
            found.wrong.push(format!(
                "the message {row:?} stands in Slack as {standing:?}"
            ));
        }
        if once && postings.len() > 1 {
            found.wrong.push(format!(
                "the message {row:?} was posted {} times",
                postings.len()
            ));
        }
        ids.push(row[0].as_str());
    }
    for id in shown.keys().filter(|id| !ids.contains(&id.as_str())) {
        found
            .wrong
            .push(format!("Slack shows {id}, which nobody asked for"));
    }
}

/// Drawn anew from the database, every living message is what it was. Those that a newer one has replaced no longer
/// follow what is decided, and have no buttons.
async fn drawn_anew(site: &mut Site, found: &mut Findings) {
    let before = site.shown();
    site.kill();
    site.tables
        .change("UPDATE messages SET digest = NULL, wanted = wanted + 1 WHERE state <> 'gone'")
        .await;
    let open = site.come_to_rest().await;
    found.wrong.extend(
        open.into_iter()
            .map(|what| format!("never drawn anew: {what}")),
    );
    let after = site.shown();
    let rows = site.tables.rows("SELECT id, state FROM messages").await;
    for row in rows {
        let (was, is) = (standing(&before, &row[0]), standing(&after, &row[0]));
        let (Some(was), Some(is)) = (was, is) else {
            continue;
        };
        if row[1] == "living" && (&was.text, own(&was.blocks)) != (&is.text, own(&is.blocks)) {
            let wrong =
                format!("the message {row:?} showed\n{was:?}\nand the database says\n{is:?}");
            found.wrong.push(wrong);
        }
        if let Some(buttons) = was.blocks.iter().find(|block| block["type"] == "actions")
            && row[1] == "old"
        {
            let wrong = format!("the old message {row:?} has {buttons}\n{was:?}\nand now {is:?}");
            found.wrong.push(wrong);
        }
    }
}

/// Blocks as we drew them: Slack gives each a name of its own, another at each edit.
fn own(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for block in blocks.iter_mut().filter_map(Value::as_object_mut) {
        block.remove("block_id");
    }
    blocks
}

fn standing<'a>(shown: &'a BTreeMap<String, Vec<Posting>>, id: &str) -> Option<&'a Version> {
    let posting = shown.get(id)?.iter().find(|posting| !posting.deleted)?;
    Some(posting.now())
}

/// The log holds, without a gap, in the database and in each process's file.
async fn log(site: &Site, found: &mut Findings) {
    let rows = site
        .tables
        .rows(
            "SELECT CAST(count(*) AS TEXT), CAST(min(seq) AS TEXT), CAST(max(seq) AS TEXT), \
             (SELECT CAST(count(*) AS TEXT) FROM decisions), (SELECT CAST(count(*) AS TEXT) FROM effects), \
             CAST(sum(CASE WHEN kind = 'decision' THEN 1 ELSE 0 END) AS TEXT), \
             CAST(sum(CASE WHEN kind = 'effect' THEN 1 ELSE 0 END) AS TEXT) FROM ops_log",
        )
        .await;
    let row = &rows[0];
    found.log = row[0].parse().unwrap_or(0);
    if row[1] != "1" || row[2] != row[0] || row[3] != row[5] || row[4] != row[6] {
        found.wrong.push(format!("the log has {row:?}"));
    }
    for node in &site.nodes {
        let output = node
            .command()
            .args(["log", "verify"])
            .output()
            .expect("it runs");
        if !output.status.success() {
            let (said, why) = (
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
            found.wrong.push(format!("log verify: {said}{why}"));
        }
    }
}
