//! Sentry's pages: a list ends where its `Link` header says so, and nowhere else. Pure.

use reqwest::header::{HeaderMap, LINK};

use crate::text::thousands;

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    End,
    /// The next page's cursor. Its address is not used: it could lead anywhere.
    Cursor(String),
    /// The answer doesn't say; there may be more.
    Unsaid,
}

/// Reads `<url>; rel="next"; results="true"; cursor="0:100:0"`.
pub(super) fn next(headers: &HeaderMap) -> Next {
    headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(links)
        .find(|parameters| parameter(parameters, "rel") == Some("next"))
        .map_or(Next::Unsaid, |parameters| {
            match (
                parameter(parameters, "results"),
                parameter(parameters, "cursor"),
            ) {
                (Some("false"), _) => Next::End,
                (Some("true"), Some(cursor)) if (1..=500).contains(&cursor.len()) => {
                    Next::Cursor(cursor.to_owned())
                }
                _ => Next::Unsaid,
            }
        })
}

/// The parameters of each link of a header.
fn links(header: &str) -> impl Iterator<Item = &str> {
    header
        .split('<')
        .filter_map(|link| link.split_once('>'))
        .map(|(_, parameters)| parameters.trim_end_matches([',', ' ']))
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"'))
    })
}

/// How many items a list has in all; Sentry stops counting at a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hits {
    pub number: u64,
    pub capped: bool,
}

impl Hits {
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let hits = number("x-hits")?;
        Some(Self {
            number: hits,
            capped: number("x-max-hits").is_some_and(|most| hits >= most),
        })
    }
}

/// "3,200 of 1,000+ issues", "300 issues".
pub(super) fn progress(read: usize, hits: Option<Hits>, noun: &str) -> String {
    let read = thousands(read as u64);
    match hits {
        None => format!("{read} {noun}"),
        Some(hits) => format!(
            "{read} of {}{} {noun}",
            thousands(hits.number),
            if hits.capped { "+" } else { "" }
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(link: &str) -> Next {
        next(&HeaderMap::from_iter([(LINK, link.parse().unwrap())]))
    }

    #[test]
    fn only_results_false_ends_a_list() {
        let link = |results: &str| {
            format!(
                r#"<https://sentry.io/api/0/x/?a=1,2&cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", <https://sentry.io/api/0/x/?cursor=0:100:0>; rel="next"; results="{results}"; cursor="0:100:0""#
            )
        };
        assert_eq!(following(&link("true")), Next::Cursor("0:100:0".to_owned()));
        assert_eq!(following(&link("false")), Next::End);
        assert_eq!(following(&link("perhaps")), Next::Unsaid);
        assert_eq!(
            following(r#"<https://x/>; rel="previous"; results="false"; cursor="0""#),
            Next::Unsaid
        );
        assert_eq!(
            following(r#"<https://x/>; rel="next"; results="true""#),
            Next::Unsaid
        );
        assert_eq!(following("nonsense"), Next::Unsaid);
        assert_eq!(next(&HeaderMap::new()), Next::Unsaid);
    }

    #[test]
    fn a_capped_count_is_said_as_such() {
        let hits = |pairs: &[(&'static str, &'static str)]| {
            Hits::read(
                &pairs
                    .iter()
                    .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                    .collect::<HeaderMap>(),
            )
        };
        let capped = hits(&[("x-hits", "1000"), ("x-max-hits", "1000")]);
        assert_eq!(progress(3200, capped, "issues"), "3,200 of 1,000+ issues");
        assert_eq!(
            progress(
                2,
                hits(&[("x-hits", "7"), ("x-max-hits", "1000")]),
                "issues"
            ),
            "2 of 7 issues"
        );
        assert_eq!(progress(2, hits(&[]), "issues"), "2 issues");
    }
}
