//! What was said in a channel and in a thread.

use serde_json::{Value, json};

use super::{
    super::{Channel, Posting, Workspace, refusal},
    Answer, is_set, page, refuse, text,
};

/// The span of time that is asked for, in seconds; its ends belong to it if that is said.
struct Span {
    oldest: f64,
    latest: f64,
    is_closed: bool,
}

impl Span {
    fn of(args: &Value) -> Result<Self, Value> {
        let end = |name: &str, open: f64, refused: &str| match &args[name] {
            Value::Null => Ok(open),
            Value::String(text) if text.is_empty() => Ok(open),
            given => {
                let text = given.as_str().map(str::parse);
                let seconds = text.map_or(given.as_f64(), Result::ok);
                seconds.ok_or_else(|| refusal(refused))
            }
        };
        Ok(Self {
            oldest: end("oldest", 0.0, "invalid_ts_oldest")?,
            latest: end("latest", f64::MAX, "invalid_ts_latest")?,
            is_closed: is_set(args, "inclusive"),
        })
    }

    fn holds(&self, message: &Posting) -> bool {
        message.ts.parse::<f64>().is_ok_and(|at| {
            if self.is_closed {
                (self.oldest..=self.latest).contains(&at)
            } else {
                at > self.oldest && at < self.latest
            }
        })
    }
}

/// The channel whose messages the app may read, being in it.
fn open<'a>(world: &'a mut Workspace, args: &Value) -> Result<&'a mut Channel, Value> {
    let channel = world.readable(args, "history")?;
    if !channel.has_bot {
        return refuse("not_in_channel");
    }
    Ok(channel)
}

/// Newest first, without what only a thread shows.
pub(super) fn history(world: &mut Workspace, args: &Value) -> Answer {
    open(world, args)?;
    let span = Span::of(args)?;
    let channel = &world.channels[text(args, "channel")];
    let matching: Vec<&Posting> = channel
        .messages
        .iter()
        .rev()
        .filter(|message| !message.deleted && message.only_for.is_none())
        .filter(|message| message.thread.is_none() || message.is_broadcast)
        .filter(|message| span.holds(message))
        .collect();
    let (shown, next) = page(matching, args, world.page)?;
    let with_metadata = is_set(args, "include_all_metadata");
    let messages = world.messages_json(channel, shown.into_iter(), with_metadata);
    Ok(json!({
        "ok": true, "messages": messages, "has_more": !next.is_empty(),
        "pin_count": channel.pins.len(), "channel_actions_ts": null, "channel_actions_count": 0,
        "response_metadata": { "next_cursor": next },
    }))
}

/// Oldest first, beginning with the message that it is about.
pub(super) fn replies(world: &mut Workspace, args: &Value) -> Answer {
    open(world, args)?;
    let span = Span::of(args)?;
    let ts = text(args, "ts");
    let channel = &world.channels[text(args, "channel")];
    let asked = channel
        .message(ts)
        .filter(|message| message.only_for.is_none())
        .ok_or_else(|| refusal("thread_not_found"))?;
    let root = asked.thread.as_deref().unwrap_or(ts);
    let parent = channel.message(root).into_iter();
    let below = channel.replies(root).filter(|reply| span.holds(reply));
    let (shown, next) = page(parent.chain(below).collect(), args, world.page)?;
    let with_metadata = is_set(args, "include_all_metadata");
    let messages = world.messages_json(channel, shown.into_iter(), with_metadata);
    Ok(json!({
        "ok": true, "messages": messages, "has_more": !next.is_empty(),
        "response_metadata": { "next_cursor": next },
    }))
}
