//! Who may do what from a chat: nobody, unless the configuration and the directory both say so.

use daily_ops::permissions::{Asker, Denied, Home, Member, Permissions, Right, Verdict};

use crate::world::chat::{TEAM, Workspace, a_member, home};

fn permissions() -> Permissions {
    Permissions {
        look: None,
        triage: vec!["U0ANNA".to_owned(), "S0OPS".to_owned()],
        money: vec!["U0MAX".to_owned()],
        admin: Vec::new(),
    }
}

fn workspace() -> Workspace {
    let workspace = Workspace::with([
        ("U0ANNA", a_member()),
        ("U0GINA", a_member()),
        ("U0OTTO", a_member()),
        ("U0MAX", a_member()),
        (
            "U0GUEST",
            Member {
                is_guest: true,
                ..a_member()
            },
        ),
        (
            "U0BOT",
            Member {
                is_bot: true,
                ..a_member()
            },
        ),
        (
            "U0GONE",
            Member {
                is_deactivated: true,
                ..a_member()
            },
        ),
        (
            "U0SHARED",
            Member {
                is_stranger: true,
                ..a_member()
            },
        ),
        (
            "U0OTHER",
            Member {
                team: "T0OTHER".to_owned(),
                ..a_member()
            },
        ),
    ]);
    let ops = [
        "U0GINA", "U0GUEST", "U0BOT", "U0GONE", "U0SHARED", "U0OTHER",
    ];
    let ops = ops.map(ToOwned::to_owned).into();
    workspace.look().groups.insert("S0OPS".to_owned(), ops);
    workspace
}

fn asker(user: &str) -> Asker {
    Asker {
        user: user.to_owned(),
        team: Some(TEAM.to_owned()),
        enterprise: None,
    }
}

async fn check(permissions: &Permissions, asker: &Asker, right: Right, at: &Workspace) -> String {
    match permissions.check(asker, right, &home(), at).await {
        Verdict::Permitted(permit) => {
            assert_eq!((permit.by(), permit.right()), (&asker.person(), right));
            "permitted".to_owned()
        }
        Verdict::Denied(denied) => format!("denied: {}", denied.as_str()),
        Verdict::Unknown(unknown) => format!("unknown: {}", unknown.reason.as_str()),
    }
}

#[tokio::test]
async fn only_who_is_listed_or_in_a_listed_group_may_and_only_what_the_list_is_for() {
    let (permissions, workspace) = (permissions(), workspace());
    let may = async |user: &str, right| check(&permissions, &asker(user), right, &workspace).await;
    for user in ["U0ANNA", "U0GINA"] {
        assert_eq!(may(user, Right::Triage).await, "permitted", "{user}");
    }
    for (user, right) in [
        ("U0OTTO", Right::Triage),
        ("U0MAX", Right::Triage),
        ("U0ANNA", Right::Money),
        ("U0GINA", Right::Money),
        ("U0ANNA", Right::Admin),
        ("U0MAX", Right::Admin),
    ] {
        let denied = format!("denied: {}", Denied::NotListed(right).as_str());
        assert_eq!(may(user, right).await, denied, "{user}");
    }
    assert_eq!(may("U0MAX", Right::Money).await, "permitted");
    assert_eq!(
        may("U0OTTO", Right::Look).await,
        "permitted",
        "`look` is left out"
    );
}

#[tokio::test]
async fn a_list_of_who_may_look_keeps_others_out_but_nobody_who_may_decide() {
    let permissions = Permissions {
        look: Some(vec!["U0OTTO".to_owned()]),
        ..permissions()
    };
    let workspace = workspace();
    for (user, said) in [
        ("U0OTTO", "permitted"),
        ("U0ANNA", "permitted"),
        ("U0GINA", "permitted"),
        ("U0MAX", "denied: not in `look` of [permissions]"),
    ] {
        assert_eq!(
            check(&permissions, &asker(user), Right::Look, &workspace).await,
            said,
            "{user}"
        );
    }
}

#[tokio::test]
async fn no_list_lets_in_a_guest_a_bot_a_stranger_or_a_deactivated_account() {
    let workspace = workspace();
    let all: Vec<String> = workspace.look().members.keys().cloned().collect();
    let permissions = Permissions {
        look: Some(all.clone()),
        triage: all.clone(),
        money: all.clone(),
        admin: all,
    };
    for right in Right::ALL {
        for (user, said) in [
            ("U0GUEST", "denied: a guest"),
            ("U0BOT", "denied: a bot"),
            ("U0GONE", "denied: a deactivated account"),
            ("U0SHARED", "denied: of another workspace"),
            ("U0OTHER", "denied: of another workspace"),
        ] {
            assert_eq!(
                check(&permissions, &asker(user), right, &workspace).await,
                said,
                "{user}"
            );
            // The request doesn't say where the account is from.
            let unsaid = Asker {
                team: None,
                ..asker(user)
            };
            assert_eq!(
                check(&permissions, &unsaid, right, &workspace).await,
                said,
                "{user}"
            );
        }
    }
}

#[tokio::test]
async fn a_stranger_by_the_request_itself_is_not_even_looked_up() {
    let (permissions, workspace) = (permissions(), workspace());
    let stranger = Asker {
        team: Some("T0OTHER".to_owned()),
        enterprise: Some("E0OTHER".to_owned()),
        ..asker("U0ANNA")
    };
    for right in Right::ALL {
        let said = check(&permissions, &stranger, right, &workspace).await;
        assert_eq!(said, "denied: of another workspace");
    }
    assert_eq!(workspace.look().asked, [""; 0]);
}

#[tokio::test]
async fn what_the_directory_does_not_tell_lets_nobody_through() {
    let (permissions, workspace) = (permissions(), workspace());
    let unheard = check(&permissions, &asker("U0NOBODY"), Right::Look, &workspace).await;
    assert_eq!(unheard, "unknown: the directory knows no such user");
    workspace.look().down = true;
    for right in Right::ALL {
        for user in ["U0ANNA", "U0GINA", "U0OTTO", "U0GUEST"] {
            let said = check(&permissions, &asker(user), right, &workspace).await;
            assert_eq!(said, "unknown: the directory does not answer", "{user}");
        }
    }
}

#[tokio::test]
async fn in_an_organisation_all_of_its_workspaces_are_home() {
    let (permissions, workspace) = (permissions(), workspace());
    let organisation = Home {
        team: TEAM.to_owned(),
        enterprise: Some("E0HOME".to_owned()),
    };
    for (enterprise, let_in) in [("E0HOME", true), ("E0OTHER", false)] {
        let member = Member {
            team: "T0SISTER".to_owned(),
            enterprise: Some(enterprise.to_owned()),
            ..a_member()
        };
        workspace.look().members.insert("U0ANNA".to_owned(), member);
        let anna = Asker {
            user: "U0ANNA".to_owned(),
            team: Some("T0SISTER".to_owned()),
            enterprise: Some(enterprise.to_owned()),
        };
        let verdict = permissions
            .check(&anna, Right::Triage, &organisation, &workspace)
            .await;
        assert_eq!(
            matches!(verdict, Verdict::Permitted(_)),
            let_in,
            "{enterprise}"
        );
    }
}

#[test]
fn without_anybody_who_may_decide_nothing_is_served_and_it_says_what_to_write() {
    let error = Permissions::default().validate().expect_err("nobody may");
    assert!(
        error.to_string().contains("triage = [\"U012ABCDEF\"]"),
        "{error}"
    );
    permissions().validate().expect("it is right");
    for id in [
        "anna",
        "@anna",
        "C012ABCDEF",
        "U",
        "U0 1",
        "u012abcdef",
        "U0ÄÖÜ",
    ] {
        let wrong = Permissions {
            admin: vec![id.to_owned()],
            ..permissions()
        };
        let error = wrong.validate().expect_err("it is no id");
        assert!(
            error
                .to_string()
                .starts_with("`admin` in [permissions] has"),
            "{error}"
        );
    }
}
