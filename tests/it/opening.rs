//! How a database is opened, closed, and what happens when it fails.

use daily_ops::{
    ops_log::NewEntry,
    store::{Access, Store},
};

use sqlx::{Connection, SqliteConnection};

use crate::world::{
    database::{Database, on_each_engine, open},
    records::{decide, decision, effect, intact, key, note},
};

#[tokio::test]
async fn a_store_that_is_opened_again_holds_what_it_held() {
    on_each_engine(async |database| {
        decide(&database.store, "1", 1).await;
        database.store.close().await;
        assert!(database.store.append(note(1)).await.is_err());
        let again = open(&database.url).await;
        assert_eq!(intact(&again).await, 1);
        again.append(note(2)).await.unwrap();
        assert_eq!(again.decisions(&[key("1")]).await.unwrap().len(), 1);
        again.close().await;

        let reader = Store::open(&database.url, Access::ReadOnly).await.unwrap();
        assert_eq!(intact(&reader).await, 2);
        let error = reader.append(note(3)).await.unwrap_err();
        assert_eq!(error.to_string(), "the store was opened for reading only");
        reader.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_older_program_refuses_a_newer_schema() {
    on_each_engine(async |database| {
        database.store.close().await;
        database
            .raw("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) SELECT 9000, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1")
            .await
            .unwrap();
        for access in [Access::ReadWrite, Access::ReadOnly] {
            let error = Store::open(&database.url, access).await.err().expect("it refuses");
            assert!(format!("{error:#}").contains("newer (version 9000)"), "{error:#}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_guard_that_was_taken_away_or_emptied_is_back_at_the_next_opening() {
    on_each_engine(async |database| {
        database.store.append(note(1)).await.unwrap();
        database.store.close().await;
        let attacks: &[&'static str] = if database.postgres {
            &[
                "DROP TRIGGER ops_log_refuses_change ON ops_log",
                "ALTER TABLE ops_log DISABLE TRIGGER ops_log_refuses_change",
                "CREATE OR REPLACE FUNCTION ops_log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
                "CREATE OR REPLACE TRIGGER ops_log_refuses_change BEFORE UPDATE OR DELETE ON ops_log FOR EACH ROW WHEN (false) EXECUTE FUNCTION ops_log_refuses()",
                "DROP TRIGGER ops_log_refuses_change ON ops_log; CREATE TRIGGER intruder BEFORE TRUNCATE ON ops_log EXECUTE FUNCTION ops_log_refuses()",
            ]
        } else {
            &[
                "DROP TRIGGER ops_log_refuses_update",
                "DROP TRIGGER ops_log_refuses_update; CREATE TRIGGER ops_log_refuses_update BEFORE UPDATE ON ops_log BEGIN SELECT 1; END",
            ]
        };
        let intrusion = "UPDATE ops_log SET kind = kind";
        for attack in attacks {
            database.raw(attack).await.unwrap();
            database.raw(intrusion).await.expect("the guard is down");
            open(&database.url).await.close().await;
            assert!(database.raw(intrusion).await.is_err(), "{attack}");
        }
    })
    .await;
}

#[tokio::test]
async fn postgresql_confirms_what_is_on_disk_whatever_the_url_wants() {
    on_each_engine(async |database| {
        if !database.postgres {
            return;
        }
        let url = format!("{}&options[synchronous_commit]=off", database.url);
        let store = open(&url).await;
        store.append(note(1)).await.unwrap();
        store.close().await;
        assert_eq!(intact(&database.store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_second_process_is_refused_while_readers_are_welcome() {
    let database = Database::sqlite().await;
    database.store.append(note(0)).await.unwrap();
    let error = Store::open(&database.url, Access::ReadWrite)
        .await
        .err()
        .expect("it refuses");
    let pid = std::process::id();
    assert_eq!(
        error.to_string(),
        format!(
            "another daily-ops (pid {pid}) works on daily-ops.db: stop it first, or use PostgreSQL for several"
        )
    );
    let reader = Store::open(&database.url, Access::ReadOnly).await.unwrap();
    assert_eq!(intact(&reader).await, 1);
    reader.close().await;
    database.store.close().await;
    open(&database.url).await.close().await;
}

#[tokio::test]
async fn a_database_that_is_missing_or_misspelt_is_said_kindly() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("sqlite:{}", folder.path().join("ops.db").display());
    let nowhere = format!("sqlite:{}", folder.path().join("no/such/ops.db").display());
    let cases = [
        (
            missing.as_str(),
            Access::ReadOnly,
            "`daily-ops daily` makes it",
        ),
        (nowhere.as_str(), Access::ReadWrite, "can't be made"),
        (
            "mysql://root:hunter2@db/ops",
            Access::ReadWrite,
            "no database speaks `mysql`",
        ),
        ("sqlite:", Access::ReadWrite, "sqlite:daily-ops.db"),
        ("sqlite:ops.db?mode=ro", Access::ReadOnly, "no parameters"),
    ];
    for (url, access, expected) in cases {
        let error = format!(
            "{:#}",
            Store::open(url, access).await.err().expect("it refuses")
        );
        assert!(
            error.contains(expected) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    for table in ["_sqlx_migrations", "decisions", "memory", "sqlite_schema"] {
        let database = Database::sqlite().await;
        decide(&database.store, "1", 1).await;
        database.store.close().await;
        let mut raw = SqliteConnection::connect(&database.url).await.unwrap();
        let page: Option<i64> =
            sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = $1")
                .bind(table)
                .fetch_optional(&mut raw)
                .await
                .unwrap();
        raw.close().await.unwrap();
        let mut bytes = std::fs::read(database.file()).unwrap();
        let start = (page.unwrap_or(1) as usize - 1) * 4096;
        bytes[start..start + 4096].fill(0xAA);
        std::fs::write(database.file(), bytes).unwrap();

        let error = Store::open(&database.url, Access::ReadWrite)
            .await
            .err()
            .expect("it refuses");
        assert!(
            format!("{error:#}").contains("is damaged: restore it from a backup"),
            "{table}: {error:#}"
        );
    }
}

#[tokio::test]
async fn a_database_in_memory_leaves_nothing_behind() {
    let store = open("sqlite::memory:").await;
    store.append(note(0)).await.unwrap();
    assert_eq!(intact(&store).await, 1);
    store.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite().await;
    let mode = std::fs::metadata(database.file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_the_next_write_after_it_works() {
    let database = Database::sqlite().await;
    database.store.append(note(0)).await.unwrap();
    let big = |minute| NewEntry {
        subject: "x".repeat(400_000),
        ..note(minute)
    };
    // A trigger stands in for the disk: like a full one, it rolls the whole transaction back.
    database.raw("CREATE TRIGGER full BEFORE INSERT ON ops_log WHEN length(NEW.subject) > 1000 BEGIN SELECT RAISE(ROLLBACK, 'disk is full'); END").await.unwrap();
    let (fits, fails) = tokio::join!(
        database.store.append(note(1)),
        database.store.append(big(2))
    );
    assert!(format!("{:#}", fails.unwrap_err()).contains("disk is full"));
    let fits = fits.is_ok();
    database.store.append(note(3)).await.unwrap();
    assert_eq!(intact(&database.store).await, if fits { 3 } else { 2 });
}

#[tokio::test]
async fn a_write_that_fails_spoils_no_other_in_its_group() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let bad = || effect("1", 1, "anna");
        let (a, failed, b) = tokio::join!(
            store.append(note(1)),
            store.decide(decision("1", 2, "anna"), note(2), Some(bad()), None),
            store.append(note(3)),
        );
        failed.unwrap_err();
        let mut seqs = [a.unwrap().seq, b.unwrap().seq];
        seqs.sort_unstable();
        assert_eq!(seqs, [2, 3]);
        assert_eq!(intact(store).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_fails_writes_nothing_and_the_next_write_works() {
    let database = Database::sqlite().await;
    database.store.append(note(0)).await.unwrap();
    // A foreign key that is looked at only when the transaction ends.
    database
        .raw("CREATE TABLE late (id TEXT REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED)")
        .await
        .unwrap();
    database
        .raw("CREATE TRIGGER poison AFTER INSERT ON ops_log WHEN NEW.subject = 'poison' BEGIN INSERT INTO late VALUES ('nothing'); END")
        .await
        .unwrap();
    for round in 0..3 {
        let poison = NewEntry {
            subject: "poison".to_owned(),
            ..note(round)
        };
        let error = format!("{:#}", database.store.append(poison).await.unwrap_err());
        assert!(error.contains("did not confirm the write"), "{error}");
        assert_eq!(
            database.store.append(note(round)).await.unwrap().seq,
            round + 2
        );
    }
    assert_eq!(intact(&database.store).await, 4);
}
