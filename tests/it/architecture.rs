//! The invariants of the crate's doc that can be read off the source.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

fn modules() -> Vec<String> {
    let lib = fs::read_to_string(format!("{SRC}/lib.rs")).expect("lib.rs is readable");
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("the folder is readable");
    entries
        .flat_map(|entry| files(&entry.expect("the entry is readable").path()))
        .collect()
}

fn files_of(module: &str) -> Vec<PathBuf> {
    let file = PathBuf::from(format!("{SRC}/{module}.rs"));
    if file.exists() {
        vec![file]
    } else {
        files(Path::new(&format!("{SRC}/{module}")))
    }
}

/// The modules that a source names by `crate::a` or `use crate::{a::.., b}`.
fn named(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.extend(first_word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            start = false;
                            names.extend(first_word(&group[i..]));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

fn first_word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (end > 0).then(|| text[..end].to_owned())
}

/// Where a later module is used, as `module (file) must not use later`.
fn violations(modules: &[String], sources: impl Fn(&str) -> Vec<(PathBuf, String)>) -> Vec<String> {
    let mut found = Vec::new();
    for (place, module) in modules.iter().enumerate() {
        for (path, source) in sources(module) {
            let used = named(&source);
            let later = modules[place + 1..]
                .iter()
                .filter(|later| used.contains(*later));
            found
                .extend(later.map(|later| {
                    format!("`{module}` ({}) must not use `{later}`", path.display())
                }));
        }
    }
    found
}

#[test]
fn a_module_uses_only_those_above_it() {
    let read = |module: &str| {
        files_of(module)
            .into_iter()
            .map(|path| {
                (
                    path.clone(),
                    fs::read_to_string(&path).expect("it is readable"),
                )
            })
            .collect()
    };
    assert_eq!(violations(&modules(), read), Vec::<String>::new());
}

#[test]
fn a_module_that_uses_a_later_one_is_noticed() {
    let modules = ["report".to_owned(), "store".to_owned()];
    for source in [
        "use crate::store::Store;",
        "use crate::{\n    text::{Untrusted, count},\n    store,\n};",
        "fn f() { crate::store::open() }",
    ] {
        let sources = |module: &str| {
            if module == "report" {
                vec![(PathBuf::from("report.rs"), source.to_owned())]
            } else {
                Vec::new()
            }
        };
        assert_eq!(
            violations(&modules, sources),
            ["`report` (report.rs) must not use `store`"]
        );
    }
}

#[test]
fn every_module_is_listed_in_lib() {
    let listed: BTreeSet<String> = modules().into_iter().collect();
    let there: BTreeSet<String> = fs::read_dir(SRC)
        .expect("src is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .map(|path| {
            path.file_stem()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(listed, there);
}

/// Files outside `allowed` in which one of the words stands.
fn outside(allowed: &[&str], words: &[&str]) -> Vec<String> {
    files(Path::new(SRC))
        .into_iter()
        .filter(|path| {
            !allowed
                .iter()
                .any(|prefix| path.starts_with(format!("{SRC}/{prefix}")))
        })
        .filter(|path| {
            let source = fs::read_to_string(path).expect("it is readable");
            words.iter().any(|word| source.contains(word))
        })
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn all_sql_is_in_the_store_but_for_the_users_own_query() {
    let allowed = ["store", "checks/payments/audit/sql"];
    assert_eq!(outside(&allowed, &["sqlx::"]), Vec::<String>::new());
}

#[test]
fn only_clients_touch_the_network() {
    assert_eq!(
        outside(
            &[
                "upstream", "trackers", "checks", "slack", "serve", "sandbox"
            ],
            &["reqwest::", "hyper::", "TcpStream"]
        ),
        Vec::<String>::new()
    );
}

#[test]
fn only_the_wire_and_its_renderer_know_slacks_formats() {
    assert_eq!(
        outside(&["slack", "render/slack"], &["slack_morphism"]),
        Vec::<String>::new()
    );
}

#[test]
fn every_check_has_its_line_in_the_registry() {
    let folders = fs::read_dir(format!("{SRC}/checks")).expect("checks is readable");
    let mut folders: Vec<String> = folders
        .map(|entry| entry.expect("the entry is readable").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            path.file_name()
                .expect("it has a name")
                .to_string_lossy()
                .replace('_', "-")
        })
        .collect();
    let mut registered: Vec<String> = daily_ops::checks::registry()
        .names()
        .map(str::to_owned)
        .collect();
    folders.sort();
    registered.sort();
    assert_eq!(registered, folders);
}
