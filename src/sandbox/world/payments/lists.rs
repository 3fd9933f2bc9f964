//! Pages of a list: newest first, at most a hundred rows, from the row after or before a known one.

use serde_json::{Value, json};

use super::{
    refusal::{Answered, Refusal},
    request::Request,
};

/// What every list can be asked.
pub(super) const PAGING: [&str; 4] = ["limit", "starting_after", "ending_before", "expand"];

/// Cuts a page from the rows that pass.
///
/// A row that was named is looked for among all rows: it may have left the filter since it was read.
pub(super) fn page<T>(
    request: &Request,
    what: &str,
    rows: &[T],
    id: impl Fn(&T) -> &str,
    passes: impl Fn(&T) -> bool,
    show: impl Fn(&T) -> Value,
) -> Answered {
    let limit = limit(request)?;
    let place = |param: &str| {
        let Some(named) = request.param(param) else {
            return Ok(None);
        };
        let found = rows.iter().position(|row| id(row) == named);
        let missing = || Refusal::missing(400, what, named, param);
        found.map(Some).ok_or_else(missing)
    };
    let (after, before) = (place("starting_after")?, place("ending_before")?);
    if after.is_some() && before.is_some() {
        let message =
            "You may only specify one of these parameters: ending_before, starting_after.";
        return Err(Refusal::invalid(message).of_param("ending_before"));
    }
    let (page, has_more) = match before {
        Some(before) => {
            let earlier = rows[..before].iter().rev().filter(|row| passes(row));
            let (mut page, more) = cut(earlier, limit);
            page.reverse();
            (page, more)
        }
        None => {
            let begin = after.map_or(0, |place| place + 1);
            cut(rows[begin..].iter().filter(|row| passes(row)), limit)
        }
    };
    let data: Vec<Value> = page.into_iter().map(show).collect();
    Ok(json!({"object": "list", "data": data, "has_more": has_more, "url": request.path}))
}

/// The first of them, and whether there are more.
fn cut<'a, T>(mut rows: impl Iterator<Item = &'a T>, limit: usize) -> (Vec<&'a T>, bool) {
    let page: Vec<&T> = rows.by_ref().take(limit).collect();
    (page, rows.next().is_some())
}

fn limit(request: &Request) -> Result<usize, Refusal> {
    let Some(limit) = request.param("limit") else {
        return Ok(10);
    };
    let refuse = |message: String| {
        Refusal::invalid(&message)
            .coded("parameter_invalid_integer")
            .of_param("limit")
    };
    match limit.parse::<i64>() {
        Err(_) => Err(refuse(format!("Invalid integer: {limit}"))),
        Ok(number @ 1..=100) => Ok(usize::try_from(number).unwrap_or(10)),
        Ok(number) if number > 100 => Err(refuse(format!(
            "This value must be less than or equal to 100 (it currently is '{number}')."
        ))),
        Ok(_) => Err(refuse(
            "This value must be greater than or equal to 1.".to_owned(),
        )),
    }
}
