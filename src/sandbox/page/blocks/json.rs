//! Lenient looks into JSON that an app sent.

use serde_json::Value;

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A text object's text, or a bare string.
pub(super) fn text(value: &Value) -> &str {
    value
        .as_str()
        .or_else(|| value["text"].as_str())
        .unwrap_or_default()
}
