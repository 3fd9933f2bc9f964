//! Resolves, assigns and archives in Sentry. The issue is read again before anything is changed, and after.

use serde_json::Value;

use super::{
    Errors,
    client::Sentry,
    goal::Goal,
    issue::{self, Issue},
    walk::List,
};
use crate::{
    checks::{Applied, Hindrance, Looking, NotApplied, Order},
    report::{Cause, Unknown},
    text::Untrusted,
    upstream::Unwritten,
};

const GONE: &str = "gone from Sentry: deleted or merged; nothing was changed";

/// Who has the issue, before an order gives it to somebody else. It is read for every order: while Sentry can't be
/// asked, nothing counts as sent.
pub(super) async fn before(
    section: &Errors,
    order: &Order,
    looking: &Looking,
) -> Result<Option<Untrusted>, NotApplied> {
    if !issue::is_identifier(order.key.subject()) {
        return Ok(None);
    }
    let sentry =
        Sentry::connect(section, looking).map_err(|why| NotApplied::NotSent(why.into()))?;
    let now = current(&sentry, order.key.subject()).await?;
    let owner = now
        .and_then(|now| now.assignee)
        .map(|owner| Untrusted::from(owner.actor));
    Ok(owner.filter(|_| order.verb == "assign"))
}

pub(super) async fn apply(
    section: &Errors,
    order: &Order,
    looking: &Looking,
) -> Result<Applied, NotApplied> {
    let id = order.key.subject();
    if !issue::is_identifier(id) {
        return Err(refused(format!(
            "{} is no issue in Sentry; nothing can be done about it there",
            order.key
        )));
    }
    let sentry =
        Sentry::connect(section, looking).map_err(|why| NotApplied::NotSent(why.into()))?;
    let Some(now) = current(&sentry, id).await? else {
        return Ok(overtaken(GONE));
    };
    if now.id != id {
        return Ok(overtaken(&format!(
            "merged into issue {} in Sentry; nothing was changed",
            now.id
        )));
    }
    if !section
        .projects
        .iter()
        .any(|project| project == now.project.as_str())
    {
        return Err(refused(format!(
            "the issue is in the project `{}`, which is not in `projects` of [checks.errors]",
            now.project.as_str()
        )));
    }
    let goal = goal(&sentry, order).await?;
    if goal.is_reached(&now) {
        return Ok(Applied::Done {
            said: format!("was already {} in Sentry", goal.participle()).into(),
            changed: false,
            after: goal.actor(),
        });
    }
    if let Some(said) = goal.overtaken_by(&now) {
        return Ok(overtaken(said));
    }
    match change(&sentry, id, &goal).await? {
        Changed::Gone => Ok(overtaken(GONE)),
        Changed::Yes => {
            let mut said = format!("{} in Sentry", goal.participle());
            if section.notes
                && let Err(failure) = sentry.note(id, &note(&goal, order)).await
            {
                said.push_str(&format!("; the note could not be left: {failure}"));
            }
            Ok(Applied::Done {
                said: said.into(),
                changed: true,
                after: goal.actor(),
            })
        }
    }
}

/// The issue as it is now, or none if it is gone.
async fn current(sentry: &Sentry<'_>, id: &str) -> Result<Option<Issue>, NotApplied> {
    match sentry.issue(id).await {
        Ok(Some(issue)) => Ok(Some(issue)),
        Ok(None) => {
            let reason = "Sentry's answer is no issue; see whether `url` leads to Sentry itself";
            let why = Unknown::new(Cause::Decode, reason);
            Err(NotApplied::NotSent(why.into()))
        }
        Err(failure) if failure.cause == Cause::NotFound => Ok(None),
        Err(failure) => Err(NotApplied::NotSent(failure.into())),
    }
}

async fn goal(sentry: &Sentry<'_>, order: &Order) -> Result<Goal, NotApplied> {
    let argument = order.argument.as_deref().unwrap_or_default().trim();
    match (order.verb.as_str(), argument) {
        ("resolve", _) => Ok(Goal::Resolved),
        ("archive", _) => Ok(Goal::Archived),
        ("undo", "resolve") => Ok(Goal::Reopened { from: "resolved" }),
        ("undo", "archive") => Ok(Goal::Reopened { from: "ignored" }),
        ("undo", "assign") => former_owner(order),
        ("assign", who) => match who.strip_prefix('#') {
            Some(slug) => team(sentry, slug).await,
            None if who.contains('@') => member(sentry, who).await,
            None => Err(refused("to assign in Sentry, give the e-mail address of a member of the organization, or #team".to_owned())),
        },
        (verb, _) => Err(refused(format!("Sentry can't {} an issue; it can resolve, assign, archive and undo these", Untrusted::from(verb).as_str()))),
    }
}

/// Whoever had it before, but only in place of the one to whom we gave it.
fn former_owner(order: &Order) -> Result<Goal, NotApplied> {
    let Some(ours) = &order.after else {
        return Err(refused(
            "it is not known to whom it was assigned from here; look at the issue in Sentry"
                .to_owned(),
        ));
    };
    let instead_of = Some(ours.as_str().to_owned());
    let Some(before) = &order.before else {
        return Ok(Goal::Owned {
            actor: None,
            name: "nobody".to_owned(),
            instead_of,
        });
    };
    match before.as_str().split_once(':') {
        Some(("user" | "team", id)) if issue::is_identifier(id) => Ok(Goal::Owned {
            actor: Some(before.as_str().to_owned()),
            name: "who had it before".to_owned(),
            instead_of,
        }),
        _ => Err(refused(format!(
            "`{}` is no owner that Sentry knows",
            before.as_str()
        ))),
    }
}

async fn team(sentry: &Sentry<'_>, slug: &str) -> Result<Goal, NotApplied> {
    let list = List {
        route: "teams",
        query: &[],
        needs: "the scope `team:read`",
        noun: "teams",
        most: 100_000,
    };
    let found = look_up(sentry, &list, |item| {
        let fits = item["slug"].as_str() == Some(slug);
        Some((fits, issue::identifier(&item["id"])))
    });
    match found.await? {
        Some(Some(id)) => Ok(Goal::Owned {
            actor: Some(format!("team:{id}")),
            name: format!("#{slug}"),
            instead_of: None,
        }),
        _ => Err(refused(format!(
            "there is no team #{} that the token may see; give a team's slug, or a member's e-mail address",
            Untrusted::from(slug).as_str()
        ))),
    }
}

async fn member(sentry: &Sentry<'_>, email: &str) -> Result<Goal, NotApplied> {
    let list = List {
        route: "members",
        query: &[],
        needs: "the scope `member:read`",
        noun: "members",
        most: 100_000,
    };
    let found = look_up(sentry, &list, |item| {
        let is = |value: &Value| {
            value
                .as_str()
                .is_some_and(|own| own.eq_ignore_ascii_case(email))
        };
        let fits = is(&item["email"]) || is(&item["user"]["email"]);
        let name = item["user"]["name"]
            .as_str()
            .or(item["name"].as_str())
            .unwrap_or("a member")
            .to_owned();
        Some((fits, (issue::identifier(&item["user"]["id"]), name)))
    });
    match found.await? {
        Some((Some(id), name)) => Ok(Goal::Owned { actor: Some(format!("user:{id}")), name, instead_of: None }),
        Some((None, _)) => Err(refused("this person was invited to the organization in Sentry, but has not joined yet".to_owned())),
        None => Err(refused("no member of the organization in Sentry has this e-mail address; give the one that they use there".to_owned())),
    }
}

/// The item that fits. Only a list that was read to its end can say that there is none.
async fn look_up<T>(
    sentry: &Sentry<'_>,
    list: &List<'_>,
    read: impl Fn(&Value) -> Option<(bool, T)>,
) -> Result<Option<T>, NotApplied> {
    let walk = sentry.walk(list, read).await;
    match (
        walk.items.into_iter().find(|(fits, _)| *fits),
        walk.gaps.into_iter().next(),
    ) {
        (Some((_, found)), _) => Ok(Some(found)),
        (None, None) => Ok(None),
        (None, Some(why)) => Err(NotApplied::NotSent(Hindrance {
            why,
            asked_wait: walk.asked_wait,
        })),
    }
}

enum Changed {
    Yes,
    Gone,
}

/// Writes, and believes only what can be seen afterwards.
async fn change(sentry: &Sentry<'_>, id: &str, goal: &Goal) -> Result<Changed, NotApplied> {
    let doubt = match sentry.update(id, &goal.body()).await {
        Ok(Some(issue)) if goal.is_reached(&issue) => return Ok(Changed::Yes),
        Ok(_) => Hindrance::from(Unknown::new(
            Cause::Decode,
            format!(
                "Sentry accepted the change, but does not show the issue as {}; look at it there",
                goal.participle()
            ),
        )),
        Err(Unwritten::Refused(failure)) if failure.cause == Cause::NotFound => {
            return Ok(Changed::Gone);
        }
        // A token can be mended, and then the order can be carried out.
        Err(Unwritten::Refused(failure))
            if matches!(failure.cause, Cause::Auth | Cause::Forbidden) =>
        {
            return Err(NotApplied::NotSent(failure.into()));
        }
        Err(Unwritten::Refused(failure)) => return Err(refused(failure.to_string())),
        Err(Unwritten::NotSent(failure)) => return Err(NotApplied::NotSent(failure.into())),
        Err(Unwritten::OutcomeUnknown(failure)) => failure.into(),
    };
    match sentry.issue(id).await {
        Ok(Some(issue)) if issue.id == id && goal.is_reached(&issue) => Ok(Changed::Yes),
        _ => Err(NotApplied::OutcomeUnknown(doubt)),
    }
}

fn note(goal: &Goal, order: &Order) -> String {
    let mut what = goal.participle();
    what[..1].make_ascii_uppercase();
    let text = format!("{what} by {} through Daily Ops", order.by.name());
    match &order.reason {
        Some(reason) if !reason.is_empty() => format!("{text}: {}", reason.as_str()),
        _ => text,
    }
}

fn refused(why: String) -> NotApplied {
    NotApplied::Refused(why.into())
}

fn overtaken(said: &str) -> Applied {
    Applied::Overtaken { said: said.into() }
}
