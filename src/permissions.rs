//! Who may do what from a chat. Nobody may, unless the configuration says so.

use std::{future::Future, pin::Pin};

use anyhow::{bail, ensure};
use serde::Deserialize;

use crate::{report::Unknown, triage::Person};

/// `[permissions]`: Slack user ids (`U...`, `W...`) and user group ids (`S...`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Who may run rounds and read the log; every full member of the workspace, if left out.
    pub look: Option<Vec<String>>,
    pub triage: Vec<String>,
    pub money: Vec<String>,
    /// Nothing that a chat can ask for needs it; it is read so that configurations that have it go on.
    pub admin: Vec<String>,
}

/// What a permission is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Run rounds, read findings and the log.
    Look,
    /// Decide about findings.
    Triage,
    /// Make somebody pay, or be paid.
    Money,
    Admin,
}

impl Right {
    pub const ALL: [Self; 4] = [Self::Look, Self::Triage, Self::Money, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Triage => "triage",
            Self::Money => "money",
            Self::Admin => "admin",
        }
    }
}

/// Proof that a person may do what they ask for. Only a check of permissions makes one, and no effect is recorded
/// without:
///
/// ```compile_fail
/// let permit = daily_ops::permissions::Permit { by: todo!(), right: todo!() };
/// ```
#[derive(Clone, Debug)]
pub struct Permit {
    by: Person,
    right: Right,
}

impl Permit {
    /// Whoever can read the configuration's secrets and open the database may do all that this program does.
    pub fn at_terminal(name: &str) -> Self {
        Self {
            by: Person::at_terminal(name),
            right: Right::Admin,
        }
    }

    /// For what the configuration asks to be done by itself; never for money.
    pub fn of_configuration() -> Self {
        Self {
            by: Person::program(),
            right: Right::Triage,
        }
    }

    pub fn by(&self) -> &Person {
        &self.by
    }

    pub fn right(&self) -> Right {
        self.right
    }

    pub fn may_move_money(&self) -> bool {
        matches!(self.right, Right::Money | Right::Admin)
    }
}

/// What the workspace's directory knows of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The workspace, or in an organisation the enterprise, that the account belongs to.
    pub team: String,
    pub enterprise: Option<String>,
    pub is_bot: bool,
    /// Single-channel and multi-channel guests.
    pub is_guest: bool,
    /// Of another workspace, in a shared channel.
    pub is_stranger: bool,
    pub is_deactivated: bool,
    /// Where the directory tells it.
    pub email: Option<String>,
}

/// What a look-up comes to.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unknown>> + Send + 'a>>;

/// Where users and user groups are looked up.
pub trait Directory: Send + Sync {
    fn member<'a>(&'a self, user: &'a str) -> Answer<'a, Member>;
    /// The users of a user group.
    fn group<'a>(&'a self, group: &'a str) -> Answer<'a, Vec<String>>;
}

/// Who asks, as the signed request says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Asker {
    pub user: String,
    /// The workspace of the user's account. None where the request doesn't say.
    pub team: Option<String>,
    pub enterprise: Option<String>,
}

impl Asker {
    pub fn person(&self) -> Person {
        Person::from(format!("slack:{}", self.user))
    }
}

/// The workspace, or organisation, that the bot is installed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub team: String,
    pub enterprise: Option<String>,
}

impl Home {
    fn is_of(&self, team: &str, enterprise: Option<&str>) -> bool {
        self.team == team || (self.enterprise.is_some() && self.enterprise.as_deref() == enterprise)
    }
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A member of the workspace without the permission.
    NotListed(Right),
    Stranger,
    Guest,
    Bot,
    Deactivated,
}

impl Denied {
    /// Why an account can do nothing here, whoever is listed.
    pub fn of(member: &Member, home: &Home) -> Option<Self> {
        if member.is_deactivated {
            Some(Self::Deactivated)
        } else if member.is_stranger || !home.is_of(&member.team, member.enterprise.as_deref()) {
            Some(Self::Stranger)
        } else if member.is_bot {
            Some(Self::Bot)
        } else if member.is_guest {
            Some(Self::Guest)
        } else {
            None
        }
    }

    /// For the ops log: "anna may not acknowledge errors:4501: ...".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotListed(Right::Look) => "not in `look` of [permissions]",
            Self::NotListed(Right::Triage) => "not in `triage` of [permissions]",
            Self::NotListed(Right::Money) => "not in `money` of [permissions]",
            Self::NotListed(Right::Admin) => "not in `admin` of [permissions]",
            Self::Stranger => "of another workspace",
            Self::Guest => "a guest",
            Self::Bot => "a bot",
            Self::Deactivated => "a deactivated account",
        }
    }

    /// For the person: what that means, and what to do.
    pub fn advice(self) -> String {
        match self {
            Self::NotListed(right) => format!(
                "you are not permitted to do that: ask whoever runs Daily Ops to add your user id to `{}` of \
                 [permissions]",
                right.as_str()
            ),
            Self::Stranger => {
                "only members of the workspace that Daily Ops is installed in may do that"
                    .to_owned()
            }
            Self::Guest => "guests may not do that: ask a full member of the workspace".to_owned(),
            Self::Bot => "bots may not do that: a person has to".to_owned(),
            Self::Deactivated => "this account is deactivated".to_owned(),
        }
    }
}

/// What came of a check of permissions.
#[derive(Debug)]
pub enum Verdict {
    Permitted(Permit),
    Denied(Denied),
    /// The directory could not be asked; nobody is let through on that.
    Unknown(Unknown),
}

impl Permissions {
    /// What serving a chat needs: somebody who may triage.
    pub fn validate(&self) -> anyhow::Result<()> {
        let lists = [
            ("look", self.look.as_deref().unwrap_or_default()),
            ("triage", &self.triage),
            ("money", &self.money),
            ("admin", &self.admin),
        ];
        for (name, ids) in lists {
            for id in ids {
                let is_id = id.len() > 1
                    && id.starts_with(['U', 'W', 'S'])
                    && id
                        .bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
                ensure!(
                    is_id,
                    "`{name}` in [permissions] has `{}`: write a user id (U012ABCDEF, in Slack under a profile's \
                     \"Copy member ID\") or a user group's id (S012ABCDEF)",
                    crate::text::Untrusted::from(id.as_str()).as_str()
                );
            }
        }
        if self.triage.is_empty() {
            bail!(
                "nobody may triage: write [permissions] with `triage = [\"U012ABCDEF\"]`, the ids of those who may \
                 decide (in Slack under a profile's \"Copy member ID\"; a user group's id, S..., serves as well)"
            );
        }
        Ok(())
    }

    /// Whether any list names a user group.
    pub fn name_groups(&self) -> bool {
        Right::ALL
            .into_iter()
            .flat_map(|right| self.list(right).unwrap_or_default())
            .any(|id| is_group(id))
    }

    /// The ids that have that right; none where every full member has it.
    pub fn list(&self, right: Right) -> Option<&[String]> {
        match right {
            Right::Look => self.look.as_deref(),
            Right::Triage => Some(&self.triage),
            Right::Money => Some(&self.money),
            Right::Admin => Some(&self.admin),
        }
    }

    /// The one place where a chat's user gets a permit.
    pub async fn check(
        &self,
        asker: &Asker,
        right: Right,
        home: &Home,
        directory: &dyn Directory,
    ) -> Verdict {
        if let Some(team) = &asker.team
            && !home.is_of(team, asker.enterprise.as_deref())
        {
            return Verdict::Denied(Denied::Stranger);
        }
        let member = match directory.member(&asker.user).await {
            Ok(member) => member,
            Err(unknown) => return Verdict::Unknown(unknown),
        };
        if let Some(denied) = Denied::of(&member, home) {
            return Verdict::Denied(denied);
        }
        match self.names(&asker.user, right, directory).await {
            Ok(true) => Verdict::Permitted(Permit {
                by: asker.person(),
                right,
            }),
            Ok(false) => Verdict::Denied(Denied::NotListed(right)),
            Err(unknown) => Verdict::Unknown(unknown),
        }
    }

    async fn names(
        &self,
        user: &str,
        right: Right,
        directory: &dyn Directory,
    ) -> Result<bool, Unknown> {
        let Some(listed) = self.list(right) else {
            return Ok(true);
        };
        // Whoever may decide may look as well.
        let beside: &[String] = if right == Right::Look {
            &self.triage
        } else {
            &[]
        };
        let ids = || listed.iter().chain(beside);
        if ids().any(|id| id == user) {
            return Ok(true);
        }
        for group in ids().filter(|id| is_group(id)) {
            if directory.group(group).await?.iter().any(|id| id == user) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn is_group(id: &str) -> bool {
    id.starts_with('S')
}
