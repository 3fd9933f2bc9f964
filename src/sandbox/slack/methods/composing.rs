//! From the arguments of a call to what a message says.

use serde_json::{Value, json};

use super::{
    super::{
        Version, Workspace,
        limits::{self, Surface, Wrong},
    },
    Answer,
    echo::escaped,
    refuse, text,
};

/// Longer texts are cut. <https://docs.slack.dev/reference/methods/chat.postMessage>
const TEXT: usize = 40_000;
const MARKDOWN: usize = 12_000;
const ATTACHMENTS: usize = 100;

/// A refusal of blocks, with what is wrong where.
pub(super) fn invalid_blocks(wrong: &[Wrong]) -> Value {
    let messages: Vec<String> = wrong
        .iter()
        .map(|wrong| format!("[ERROR] {wrong}"))
        .collect();
    let errors: Vec<String> = wrong.iter().map(Wrong::to_string).collect();
    json!({
        "ok": false, "error": "invalid_blocks", "errors": errors,
        "response_metadata": { "messages": messages },
    })
}

impl Workspace {
    /// The new state of a message, or why it is refused. `has_more`: it shows something besides, such as a file.
    pub(super) fn version(&mut self, args: &Value, has_more: bool) -> Result<Version, Value> {
        let mut blocks = list(args, "blocks", "invalid_blocks_format")?;
        let attachments = list(args, "attachments", "invalid_attachments")?;
        let mut said = said(args);
        if let Some(markdown) = args["markdown_text"].as_str() {
            if !blocks.is_empty() || !said.is_empty() {
                return refuse("markdown_text_conflict");
            }
            if markdown.chars().count() > MARKDOWN {
                return refuse("msg_too_long");
            }
            said = markdown.to_owned();
            blocks = vec![json!({ "type": "markdown", "text": markdown })];
        }
        if blocks.is_empty() && attachments.is_empty() && said.trim().is_empty() && !has_more {
            return refuse("no_text");
        }
        self.check_blocks(&blocks)?;
        if attachments.len() > ATTACHMENTS {
            return refuse("too_many_attachments");
        }
        let attachments = self.attachments(attachments)?;
        Ok(Version {
            text: escaped(&said.chars().take(TEXT).collect::<String>()),
            blocks: self.settled(blocks),
            attachments,
            metadata: metadata(&args["metadata"])?,
            edited: None,
        })
    }

    fn check_blocks(&self, blocks: &[Value]) -> Result<(), Value> {
        if self.refuses_blocks && !blocks.is_empty() {
            return Err(invalid_blocks(&[Wrong::new(
                "unsupported_type",
                "no longer understood",
                "/blocks/0",
            )]));
        }
        let wrong = limits::blocks(blocks, Surface::Message);
        if !wrong.is_empty() {
            return Err(invalid_blocks(&wrong));
        }
        if limits::is_too_long(blocks) {
            return refuse("msg_blocks_too_long");
        }
        Ok(())
    }

    fn attachments(&mut self, mut attachments: Vec<Value>) -> Result<Vec<Value>, Value> {
        for (place, attachment) in attachments.iter_mut().enumerate() {
            let Value::Object(fields) = attachment else {
                return refuse("invalid_attachments");
            };
            let blocks = fields.get("blocks").and_then(Value::as_array).cloned();
            if let Some(blocks) = blocks {
                self.check_blocks(&blocks)?;
                fields.insert("blocks".to_owned(), self.settled(blocks).into());
            }
            fields.insert("id".to_owned(), (place + 1).into());
            let fallback = fields.get("text").cloned();
            let fallback = fallback.unwrap_or_else(|| "[no preview available]".into());
            fields.entry("fallback").or_insert(fallback);
        }
        Ok(attachments)
    }
}

/// Text, or a number that stands for one.
fn said(args: &Value) -> String {
    match &args["text"] {
        number @ Value::Number(_) => number.to_string(),
        _ => text(args, "text").to_owned(),
    }
}

fn list(args: &Value, name: &str, refusal: &str) -> Result<Vec<Value>, Value> {
    match &args[name] {
        Value::Null => Ok(Vec::new()),
        Value::String(nothing) if nothing.is_empty() => Ok(Vec::new()),
        Value::Array(all) => Ok(all.clone()),
        _ => refuse(refusal),
    }
}

fn metadata(given: &Value) -> Answer {
    match given {
        Value::Null => Ok(Value::Null),
        Value::Object(fields) if fields.is_empty() => Ok(Value::Null),
        given => {
            let is_named = given["event_type"]
                .as_str()
                .is_some_and(|it| !it.is_empty());
            if is_named && given["event_payload"].is_object() {
                Ok(given.clone())
            } else {
                refuse("invalid_metadata_format")
            }
        }
    }
}
