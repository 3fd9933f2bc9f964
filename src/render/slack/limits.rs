//! What Slack refuses, known before it is asked: every limit of the blocks that we build.

use serde_json::Value;
use slack_morphism::prelude::{SlackBlock, SlackView};

use super::{
    Message,
    inspection::{ID, Inspection},
};

pub use super::inspection::Violation;

/// Bytes of all texts and addresses of a message.
///
/// Slack refuses more with `msg_blocks_too_long`, documents no number, and was reported to do so at 11,341.
/// <https://github.com/slackapi/bolt-js/issues/2867>
pub const MESSAGE_SIZE: usize = 10_000;

/// Of the text beside the blocks: `chat.update` refuses more.
pub const TEXT: usize = 4_000;

const MESSAGE_BLOCKS: usize = 50;
const VIEW_BLOCKS: usize = 100;
const VIEW_SIZE: usize = 250_000;

/// Bytes of all texts and addresses.
pub(super) fn size(blocks: &[SlackBlock]) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match value {
                    Value::String(text) if matches!(name.as_str(), "text" | "url" | "fallback") => {
                        text.len()
                    }
                    other => of(other),
                })
                .sum(),
            Value::Array(values) => values.iter().map(of).sum(),
            _ => 0,
        }
    }
    serde_json::to_value(blocks).map_or(usize::MAX, |blocks| of(&blocks))
}

/// Whether Slack would take the message.
///
/// Lengths are in bytes: Slack's documents say "characters", some report that it counts bytes, and no other count is
/// greater. <https://github.com/BuilderIO/agent-native/pull/453>
pub fn validate(message: &Message) -> Result<(), Vec<Violation>> {
    let mut inspection = Inspection::default();
    inspection.length("/text", &message.text, 1, TEXT);
    inspection.blocks("", &message.blocks, MESSAGE_BLOCKS, false);
    let size = size(&message.blocks);
    if size > MESSAGE_SIZE {
        inspection.refuse(
            "/blocks",
            format!("{size} bytes of text, {MESSAGE_SIZE} at most"),
        );
    }
    inspection.finish()
}

/// As [`validate`], for a view.
pub fn validate_view(view: &SlackView) -> Result<(), Vec<Violation>> {
    let mut inspection = Inspection::default();
    let SlackView::Modal(modal) = view else {
        inspection.refuse("/type", "only modals are opened");
        return inspection.finish();
    };
    let json = serde_json::to_value(view).unwrap_or_default();
    inspection.text_object("/title", &json["title"], 24, true);
    for name in ["submit", "close"] {
        if !json[name].is_null() {
            inspection.text_object(&format!("/{name}"), &json[name], 24, true);
        }
    }
    let id = modal.callback_id.as_ref().map_or("", |id| id.0.as_str());
    inspection.length("/callback_id", id, 1, ID);
    let metadata = modal.private_metadata.as_deref().unwrap_or_default();
    inspection.length("/private_metadata", metadata, 0, 3_000);
    inspection.blocks("", &modal.blocks, VIEW_BLOCKS, true);
    let asks = modal
        .blocks
        .iter()
        .any(|block| matches!(block, SlackBlock::Input(_)));
    let reads_only = id == super::view::READ_ONLY;
    if asks && modal.submit.is_none() || reads_only && modal.submit.is_some() {
        inspection.refuse(
            "/submit",
            "what asks wants a submit button, and what only wants to be read has none",
        );
    }
    let size = json.to_string().len();
    if size > VIEW_SIZE {
        inspection.refuse("", format!("{size} bytes, {VIEW_SIZE} at most"));
    }
    inspection.finish()
}
