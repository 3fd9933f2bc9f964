//! What can be broken: the parts of the world, and Slack itself.

use std::time::Duration;

use anyhow::{Context, ensure};
use askama::Template;

use super::{piece::Piece, sight::Sight};
use crate::sandbox::slack::{Fault, TransportFaults, Workspace};

#[derive(Template)]
#[template(path = "sandbox/switches.html")]
struct Switches {
    at: String,
    groups: Vec<Group>,
}

struct Group {
    title: String,
    is_open: bool,
    broken: usize,
    switches: Vec<Switch>,
}

struct Switch {
    name: String,
    label: String,
    is_broken: bool,
    choices: Vec<Choice>,
}

struct Choice {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

pub(super) fn piece(sight: &Sight<'_>) -> askama::Result<Piece> {
    let mut groups: Vec<Group> = Vec::new();
    let office = &sight.front.office;
    let of_world = if office.is_slack_only {
        Vec::new()
    } else {
        office.world.switches()
    };
    for switch in of_world {
        let chosen = switch.chosen;
        let choices = switch
            .choices
            .iter()
            .map(|it| (it.value, it.label))
            .collect::<Vec<_>>();
        add(
            &mut groups,
            switch.part,
            drawn(switch.name, switch.label, &choices, chosen),
        );
    }
    for (name, label, choices) in SLACK {
        let chosen = chosen_of(sight.world, name);
        add(
            &mut groups,
            "Slack",
            drawn((*name).to_owned(), (*label).to_owned(), choices, chosen),
        );
    }
    let html = Switches {
        at: sight.look.at("/switch"),
        groups,
    };
    Ok(Piece {
        region: "panel",
        id: "switches".to_owned(),
        html: html.render()?,
    })
}

fn drawn(
    name: String,
    label: String,
    choices: &[(&'static str, &'static str)],
    chosen: &str,
) -> Switch {
    Switch {
        name,
        label,
        is_broken: choices.first().is_some_and(|(value, _)| *value != chosen),
        choices: choices
            .iter()
            .map(|&(value, label)| Choice {
                value,
                label,
                is_chosen: value == chosen,
            })
            .collect(),
    }
}

fn add(groups: &mut Vec<Group>, part: &str, switch: Switch) {
    let at = groups.iter().position(|group| group.title == part);
    let at = at.unwrap_or_else(|| {
        let is_open = part != "Slack" || groups.is_empty();
        groups.push(Group {
            title: part.to_owned(),
            is_open,
            broken: 0,
            switches: Vec::new(),
        });
        groups.len() - 1
    });
    groups[at].broken += usize::from(switch.is_broken);
    groups[at].switches.push(switch);
}

type Choices = &'static [(&'static str, &'static str)];

/// What can go wrong between the bot and its Slack. The first choice is how it is when nothing does.
const SLACK: &[(&str, &str, Choices)] = &[
    (
        "slack/answers",
        "what the bot asks",
        &[
            ("well", "is answered"),
            ("slow", "is answered after 2 s"),
            ("limited", "is too much (429)"),
            ("error", "fails (503)"),
            ("lost", "is done, the answer is lost"),
        ],
    ),
    (
        "slack/requests",
        "clicks and commands",
        &[
            ("once", "arrive"),
            ("twice", "arrive twice"),
            ("late", "arrive 2 s later"),
            ("never", "don't arrive"),
        ],
    ),
    (
        "slack/sockets",
        "sockets",
        &[
            ("open", "stay open"),
            ("dropped", "break"),
            ("stalled", "say nothing more"),
        ],
    ),
];

const LATER: Duration = Duration::from_secs(2);

fn chosen_of(world: &Workspace, switch: &str) -> &'static str {
    let way = &world.transport;
    let spoilt = world.spoilt().iter().find(|spoilt| spoilt.method == "*");
    match switch {
        "slack/answers" => match spoilt.map(|spoilt| spoilt.fault) {
            None => "well",
            Some(Fault::Slow(_)) => "slow",
            Some(Fault::RateLimited(_)) => "limited",
            Some(Fault::ResetAfter) => "lost",
            Some(_) => "error",
        },
        "slack/requests" if way.refuse => "never",
        "slack/requests" if way.duplicate => "twice",
        "slack/requests" if !way.delay.is_zero() => "late",
        "slack/requests" => "once",
        _ if way.drop_sockets => "dropped",
        _ if way.stall_sockets => "stalled",
        _ => "open",
    }
}

pub(super) fn is_of_slack(switch: &str) -> bool {
    SLACK.iter().any(|(name, ..)| *name == switch)
}

/// Turns a switch of Slack.
pub(super) fn turn(world: &mut Workspace, switch: &str, value: &str) -> anyhow::Result<()> {
    let known = SLACK.iter().find(|(name, ..)| *name == switch);
    let (_, _, choices) = known.with_context(|| format!("Slack has no switch `{switch}`"))?;
    ensure!(
        choices.iter().any(|(choice, _)| *choice == value),
        "the switch `{switch}` has no `{value}`"
    );
    let old = world.transport.clone();
    match switch {
        "slack/answers" => {
            world.heal(Some("*"));
            let fault = match value {
                "slow" => Fault::Slow(LATER),
                "limited" => Fault::RateLimited(2),
                "error" => Fault::ServerError,
                "lost" => Fault::ResetAfter,
                _ => return Ok(()),
            };
            world.spoil("*", fault, usize::MAX);
        }
        "slack/requests" => {
            world.transport = TransportFaults {
                refuse: value == "never",
                duplicate: value == "twice",
                delay: if value == "late" {
                    LATER
                } else {
                    Duration::ZERO
                },
                ..old
            };
        }
        _ => {
            world.transport = TransportFaults {
                drop_sockets: value == "dropped",
                stall_sockets: value == "stalled",
                ..old
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::time::Time;

    #[test]
    fn every_choice_is_shown_once_it_was_made() {
        let mut world = Workspace::new(Time::real());
        for (name, _, choices) in SLACK {
            for (value, _) in choices.iter().rev() {
                turn(&mut world, name, value).expect("it has the choice");
                assert_eq!(chosen_of(&world, name), *value, "{name}");
            }
        }
        assert_eq!(world.transport, TransportFaults::default());
        assert!(world.spoilt().is_empty());
    }

    #[test]
    fn what_no_switch_knows_leaves_all_as_it_is() {
        let mut world = Workspace::new(Time::real());
        turn(&mut world, "slack/answers", "error").expect("it has the choice");
        turn(&mut world, "slack/requests", "never").expect("it has the choice");
        assert!(turn(&mut world, "slack/answers", "errors").is_err());
        assert!(turn(&mut world, "slack/requests", "").is_err());
        assert!(turn(&mut world, "slack/nothing", "well").is_err());
        assert_eq!(chosen_of(&world, "slack/answers"), "error");
        assert_eq!(chosen_of(&world, "slack/requests"), "never");
    }
}
