//! People who use the bot while it is killed: they ask, and ask again where they got no answer.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    dealings::Dealings,
    options::Dice,
    requests::{Request, Wish},
    site::{CHANNELS, CONTESTED, OWN, Site, channel_id},
};

/// What several people have done so far.
#[derive(Default)]
pub(super) struct Memory {
    /// The next issue that nobody has decided about.
    next: u64,
    /// Issues that somebody has resolved.
    resolved: Vec<u64>,
}

/// Goes on until it is to stop, or everybody has asked for something.
pub(super) async fn use_it(
    site: &Site,
    nodes: &[SocketAddr],
    mut dice: Dice,
    memory: &std::sync::Mutex<Memory>,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::SeqCst) {
        let Some(user) = site.somebody() else {
            return;
        };
        let mut request = think(site, user, &mut dice, memory);
        // Slack repeats some requests; with others the person gives up, and somebody asks for something else.
        let is_stubborn = matches!(
            &request.wish,
            Wish::Certain {
                verb: "resolve",
                ..
            }
        ) || dice.below(2) == 0;
        while !request.deliver(*dice.one_of(nodes)).await
            && is_stubborn
            && !stop.load(Ordering::SeqCst)
        {
            sleep(Duration::from_millis(dice.between(20, 150))).await;
        }
        if request.acked && dice.below(8) == 0 {
            request.deliver(*dice.one_of(nodes)).await;
        }
        site.asked.lock().expect("no test panicked").push(request);
        sleep(Duration::from_millis(dice.between(10, 120))).await;
    }
}

fn think(site: &Site, user: String, dice: &mut Dice, memory: &std::sync::Mutex<Memory>) -> Request {
    let reply = site.reply_to();
    let somewhere = channel_id(usize::try_from(dice.below(CHANNELS as u64)).unwrap_or(0));
    let command = |wish, text: &str| Request::command(user.clone(), wish, &somewhere, text, &reply);
    if site.dealings.is_some() && dice.below(3) == 0 {
        return Dealings::think(dice, command);
    }
    match dice.below(100) {
        0..12 => {
            let text = *dice.one_of(&["daily", "check errors"]);
            let channel = somewhere.clone();
            command(Wish::Round { channel }, text)
        }
        12..17 => {
            let text = *dice.one_of(&["help", "status", "log", "log verify"]);
            command(Wish::Look, text)
        }
        17..35 => note(&command, dice, &user),
        35..47 => resolve(&command, memory, &user),
        47..52 => take_back(&command, dice, memory),
        _ => on_a_message(site, dice, &user, &reply).unwrap_or_else(|| note(&command, dice, &user)),
    }
}

fn note(command: &impl Fn(Wish, &str) -> Request, dice: &mut Dice, user: &str) -> Request {
    let key = format!(
        "errors:{}",
        dice.between(CONTESTED.start, CONTESTED.end - 1)
    );
    let text = format!("triage note {key} by {user}");
    command(Wish::Certain { key, verb: "note" }, &text)
}

fn resolve(
    command: &impl Fn(Wish, &str) -> Request,
    memory: &std::sync::Mutex<Memory>,
    user: &str,
) -> Request {
    let mut memory = memory.lock().expect("no test panicked");
    let issue = OWN.start + memory.next;
    if !OWN.contains(&issue) {
        return command(Wish::Look, "status");
    }
    memory.next += 1;
    memory.resolved.push(issue);
    let key = format!("errors:{issue}");
    let text = format!("triage resolve {key} --reason mended-by-{user}");
    command(
        Wish::Certain {
            key,
            verb: "resolve",
        },
        &text,
    )
}

fn take_back(
    command: &impl Fn(Wish, &str) -> Request,
    dice: &mut Dice,
    memory: &std::sync::Mutex<Memory>,
) -> Request {
    let mut memory = memory.lock().expect("no test panicked");
    if memory.resolved.is_empty() {
        return command(Wish::Look, "help");
    }
    let place = usize::try_from(dice.below(memory.resolved.len() as u64)).unwrap_or(0);
    let issue = memory.resolved.swap_remove(place);
    command(Wish::Contested, &format!("triage undo errors:{issue}"))
}

/// A click on what a message shows, or a form that is opened from there.
fn on_a_message(site: &Site, dice: &mut Dice, user: &str, reply: &str) -> Option<Request> {
    let (place, element, key) = site.button(dice)?;
    let (press, item) = meaning(&element, dice)?;
    if press != "resolve" && !press.starts_with("open.") {
        let mut button = element;
        button["block_id"] = "row".into();
        button["action_ts"] = user.into();
        if button["type"] == "overflow" {
            button["selected_option"] = json!({ "value": format!("{press}|{item}") });
        }
        let wish = Wish::Contested;
        return Some(Request::click(
            user.to_owned(),
            wish,
            &place,
            &button,
            reply,
        ));
    }
    let (form, wish, answer) = match dice.below(5) {
        0 => (
            "open.assign",
            Wish::Contested,
            json!({ "selected_user": "U0ANNA" }),
        ),
        1 => (
            "open.acknowledge",
            Wish::Contested,
            json!({ "value": format!("seen by {user}") }),
        ),
        _ => (
            "open.note",
            Wish::Certain { key, verb: "note" },
            json!({ "value": format!("by {user}") }),
        ),
    };
    let user = user.to_owned();
    Some(Request::form(user, wish, &place, form, &item, answer))
}

/// What the element, or one entry of it, does to which finding.
fn meaning(element: &Value, dice: &mut Dice) -> Option<(String, String)> {
    let (press, item) = match element["options"].as_array() {
        Some(entries) if !entries.is_empty() => {
            let value = dice.one_of(entries)["value"].as_str()?;
            let (press, item) = value.split_once('|')?;
            (press.to_owned(), item.to_owned())
        }
        _ => (
            element["action_id"].as_str()?.to_owned(),
            element["value"].as_str()?.to_owned(),
        ),
    };
    item.contains('.').then_some((press, item))
}
