//! Tables: the first row is their head.

use askama::Template;
use serde_json::Value;

use super::{
    html::Html,
    json::{list, string},
    layout::Surface,
    rich_text,
};

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "table")]
struct Table<'a> {
    caption: &'a str,
    row_headers: bool,
    rows: Vec<Vec<Cell>>,
}

struct Cell {
    html: Html,
    class: String,
    is_head: bool,
}

pub(super) fn html(surface: &Surface<'_>, block: &Value) -> Html {
    let settings = list(block, "column_settings");
    let row = |(at, row): (usize, &Value)| {
        let cells = row.as_array().map_or(&[][..], Vec::as_slice);
        let cells = cells.iter().enumerate();
        cells
            .map(|(column, cell)| Cell {
                html: contents(surface, cell),
                class: class(settings.get(column).unwrap_or(&Value::Null), cell),
                is_head: at == 0,
            })
            .collect()
    };
    Html::of(&Table {
        caption: string(block, "caption"),
        row_headers: block["row_header_column_index"] == 0,
        rows: list(block, "rows").iter().enumerate().map(row).collect(),
    })
}

fn contents(surface: &Surface<'_>, cell: &Value) -> Html {
    match string(cell, "type") {
        "rich_text" => rich_text::html(surface.scene, cell),
        "raw_number" if string(cell, "text").is_empty() => Html::text(
            &cell["value"]
                .as_number()
                .map_or_else(String::new, ToString::to_string),
        ),
        _ => Html::text(string(cell, "text")),
    }
}

fn class(settings: &Value, cell: &Value) -> String {
    let align = match string(settings, "align") {
        "right" => "b-right",
        "center" => "b-center",
        "" if string(cell, "type") == "raw_number" => "b-right",
        _ => "b-left",
    };
    let wraps = settings["is_wrapped"].as_bool().unwrap_or(false);
    format!("{align}{}", if wraps { " b-wrap" } else { "" })
}
