//! Records in a real PostgreSQL and a real MySQL or MariaDB.

use daily_ops::{
    checks::{
        Secrets,
        payments::audit::{Audit, Compared, StripeInvoice},
    },
    report::Cause,
};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

use super::{NOW, at, causes, invoice, judged, looking, page, section, titles};
use crate::world::{database::random, skipped::needs};

fn postgres() -> Option<String> {
    needs("TEST_DATABASE_URL", "the audit of records in PostgreSQL")
}

fn mysql() -> Option<String> {
    needs("TEST_MYSQL_URL", "the audit of records in MySQL")
}

/// A table of its own with these rows, which is gone afterwards.
async fn in_postgres(server: &str, create: &[&str], test: impl AsyncFnOnce(&str)) {
    let table = format!("audit_{}", hex::encode(random()));
    let mut connection = PgConnection::connect(server)
        .await
        .expect("PostgreSQL answers");
    for sql in create {
        let sql = sql.replace("TABLE_NAME", &table);
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("it is created");
    }
    test(&table).await;
    for sql in [
        "DROP TABLE TABLE_NAME",
        "DROP TYPE IF EXISTS TABLE_NAME_status",
    ] {
        let sql = sql.replace("TABLE_NAME", &table);
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("it is dropped");
    }
}

async fn in_mysql(server: &str, create: &[&str], test: impl AsyncFnOnce(&str)) {
    let table = format!("audit_{}", hex::encode(random()));
    let mut connection = MySqlConnection::connect(server)
        .await
        .expect("MySQL answers");
    for sql in create {
        let sql = sql.replace("TABLE_NAME", &table);
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("it is created");
    }
    test(&table).await;
    for sql in [
        "DROP TABLE TABLE_NAME",
        "DROP FUNCTION IF EXISTS TABLE_NAME",
    ] {
        let sql = sql.replace("TABLE_NAME", &table);
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("it is dropped");
    }
}

async fn audited(
    url: &str,
    query: &str,
    more: &str,
    stripe: Vec<StripeInvoice>,
) -> (Audit, Compared) {
    let audit = section(&format!("query = '''{query}'''\ndays = 1\n{more}"));
    let secrets = [("AUDIT_DATABASE_URL".to_owned(), url.into())];
    let looking = looking(secrets.into_iter().collect());
    let seen = audit.observe(&looking, at(NOW), |_| page(stripe)).await;
    (audit, seen)
}

/// What Stripe has: the records agree but for `in_differs`, and for `in_missing`, which they lack.
fn at_stripe() -> Vec<StripeInvoice> {
    vec![
        invoice("in_same", 125_000, "eur", "paid"),
        invoice("in_differs", 125_000, "eur", "paid"),
        invoice("in_missing", 1, "eur", "paid"),
    ]
}

const EXPECTED: [&str; 2] = [
    "payments:audit/in_differs in_differs differs: -€0.05 in your records, €1,250.00 at Stripe",
    "payments:audit/in_missing in_missing is not in your records: €0.01, paid",
];

#[tokio::test]
async fn postgresql_gives_its_records_whatever_the_types_of_their_columns() {
    let Some(server) = postgres() else { return };
    for (amount, unit, created) in [
        ("bigint", "amount", "timestamptz"),
        ("integer", "amount", "timestamp"),
        ("numeric", "amount", "date"),
        ("numeric(20,2)", "amount", "text"),
        ("text", "amount", "bigint"),
        ("varchar(40)", "amount", "timestamptz"),
    ] {
        let create = format!(
            "CREATE TABLE TABLE_NAME (invoice varchar(80), amount {amount}, currency char(3), status TABLE_NAME_status, created {created})"
        );
        let time = if created == "bigint" {
            "1795348800"
        } else {
            "'2026-11-22 12:00:00'"
        };
        let insert = format!(
            "INSERT INTO TABLE_NAME VALUES ('in_same', '125000', 'EUR', 'paid', {time}), ('in_differs', '-5', 'EUR', 'paid', {time})"
        );
        let create = [
            "CREATE TYPE TABLE_NAME_status AS ENUM ('open', 'paid')",
            &create,
            &insert,
        ];
        in_postgres(&server, &create, async |table| {
            let query =
                format!("SELECT invoice AS id, {unit}, currency, status, created FROM {table}");
            let (audit, seen) = audited(&server, &query, "", at_stripe()).await;
            let (findings, unknown) = judged(&audit, &seen);
            assert_eq!(unknown, [], "{amount} {created}");
            assert_eq!(
                titles(&findings).into_iter().collect::<Vec<_>>(),
                EXPECTED,
                "{amount} {created}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn mysql_gives_its_records_whatever_the_types_of_their_columns() {
    let Some(server) = mysql() else { return };
    for (amount, created) in [
        ("BIGINT", "TIMESTAMP NULL"),
        ("INT", "DATETIME"),
        ("DECIMAL(20,2)", "DATE"),
        ("DECIMAL(20,0)", "VARCHAR(40)"),
        ("TEXT", "BIGINT"),
        ("MEDIUMINT", "DATETIME(6)"),
    ] {
        let create = format!(
            "CREATE TABLE TABLE_NAME (invoice VARCHAR(80), amount {amount}, currency CHAR(3), status ENUM('open', 'paid'), created {created})"
        );
        let time = if created == "BIGINT" {
            "1795348800"
        } else {
            "'2026-11-22 12:00:00'"
        };
        let insert = format!(
            "INSERT INTO TABLE_NAME VALUES ('in_same', '125000', 'EUR', 'paid', {time}), ('in_differs', '-5', 'EUR', 'paid', {time})"
        );
        in_mysql(
            &server,
            &["SET time_zone = '+00:00'", &create, &insert],
            async |table| {
                let query =
                    format!("SELECT invoice AS id, amount, currency, status, created FROM {table}");
                let (audit, seen) = audited(&server, &query, "", at_stripe()).await;
                let (findings, unknown) = judged(&audit, &seen);
                assert_eq!(unknown, [], "{amount} {created}");
                assert_eq!(
                    titles(&findings).into_iter().collect::<Vec<_>>(),
                    EXPECTED,
                    "{amount} {created}"
                );
            },
        )
        .await;
    }
}

const ROWS: &str = "INSERT INTO TABLE_NAME VALUES ('in_before', 12.50, '2026-11-21 22:59:59'), ('in_early', 12.50, '2026-11-21 23:00:00'), ('in_late', 12.50, '2026-11-23 00:59:59'), ('in_after', 12.50, '2026-11-23 01:00:00')";

#[tokio::test]
async fn a_query_is_given_the_day_and_its_margins() {
    let columns = "SELECT id, total AS amount_decimal, 'EUR' AS currency, 'paid' AS status";
    let create = "CREATE TABLE TABLE_NAME (id varchar(80), total decimal(10,2), at TIMESTAMP_TYPE)";
    if let Some(server) = postgres() {
        let create = create.replace("TIMESTAMP_TYPE", "timestamp");
        in_postgres(&server, &[&create, ROWS], async |table| {
            let query = format!("{columns} FROM {table} WHERE at >= $1 AND at < $2");
            let (_, seen) = audited(&server, &query, "", Vec::new()).await;
            assert_eq!((seen.differences.own, seen.gaps), (2, Vec::new()));
        })
        .await;
    }
    if let Some(server) = mysql() {
        let create = create.replace("TIMESTAMP_TYPE", "DATETIME");
        in_mysql(&server, &[&create, ROWS], async |table| {
            let query = format!("{columns} FROM {table} WHERE at >= ? AND at < ?");
            let (_, seen) = audited(&server, &query, "", Vec::new()).await;
            assert_eq!((seen.differences.own, seen.gaps), (2, Vec::new()));
            let twice = format!("{query} UNION ALL {query}");
            let (_, seen) = audited(&server, &twice, "", Vec::new()).await;
            assert_eq!((seen.differences.own, seen.gaps), (4, Vec::new()));
            let odd = format!("{columns} FROM {table} WHERE at >= ?");
            let (_, seen) = audited(&server, &odd, "", Vec::new()).await;
            assert_eq!(causes(&seen.gaps), [Cause::NotConfigured]);
        })
        .await;
    }
}

#[tokio::test]
async fn an_amount_that_is_not_exact_is_not_compared() {
    if let Some(server) = postgres() {
        let query =
            "SELECT 'in_same' AS id, 125000::float8 AS amount, 'eur' AS currency, 'paid' AS status";
        let (audit, seen) = audited(&server, query, "", at_stripe()).await;
        let said = &judged(&audit, &seen).1[0];
        assert!(
            said.reason.as_str().contains("`amount` is of type FLOAT8"),
            "{said}"
        );
    }
    if let Some(server) = mysql() {
        let query =
            "SELECT 'in_same' AS id, 125000e0 AS amount, 'eur' AS currency, 'paid' AS status";
        let (audit, seen) = audited(&server, query, "", at_stripe()).await;
        let said = &judged(&audit, &seen).1[0];
        assert!(
            said.reason.as_str().contains("`amount` is of type DOUBLE"),
            "{said}"
        );
    }
}

/// What a wrong query or a wrong address gives.
async fn refused(url: &str, query: &str, more: &str) -> (Cause, String) {
    let (audit, seen) = audited(url, query, more, at_stripe()).await;
    let (findings, unknown) = judged(&audit, &seen);
    assert_eq!(findings, [], "{query}");
    (unknown[0].cause, unknown[0].reason.as_str().to_owned())
}

#[tokio::test]
async fn the_session_can_not_write_and_its_time_is_limited() {
    if let Some(server) = postgres() {
        in_postgres(&server, &["CREATE TABLE TABLE_NAME (id text)"], async |table| {
            let write = format!("WITH gone AS (INSERT INTO {table} VALUES ('x') RETURNING id) SELECT id, 1 AS amount, 'eur' AS currency, 'paid' AS status FROM gone");
            let (cause, said) = refused(&server, &write, "").await;
            assert_eq!((cause, said.contains("may only read")), (Cause::Refused, true), "{said}");
        }).await;
        let (cause, said) = refused(&server, "SELECT pg_sleep(30)", "query_timeout = '1s'").await;
        assert_eq!(
            (cause, said.contains("`query_timeout`")),
            (Cause::Timeout, true),
            "{said}"
        );
    }
    if let Some(server) = mysql() {
        let writes = "CREATE FUNCTION TABLE_NAME() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO TABLE_NAME VALUES ('y'); RETURN 1; END";
        in_mysql(
            &server,
            &["CREATE TABLE TABLE_NAME (id TEXT)", writes],
            async |table| {
                let write = format!(
                    "SELECT 'x' AS id, {table}() AS amount, 'eur' AS currency, 'paid' AS status"
                );
                let (cause, said) = refused(&server, &write, "").await;
                assert_eq!(
                    (cause, said.contains("may only read")),
                    (Cause::Refused, true),
                    "{said}"
                );
            },
        )
        .await;
        // SLEEP alone would only be cut short.
        let slow = "SELECT COUNT(*) AS id, SLEEP(30) AS amount, BENCHMARK(1000000000, SHA2('x', 512)) AS currency, 'paid' AS status";
        let (cause, said) = refused(&server, slow, "query_timeout = '1s'").await;
        assert_eq!(
            (cause, said.contains("`query_timeout`")),
            (Cause::Timeout, true),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_a_person_got_wrong_is_said_with_what_to_do() {
    let audit = section("query = 'SELECT 1'");
    let seen = audit
        .observe(&looking(Secrets::default()), at(NOW), |_| page(Vec::new()))
        .await;
    assert_eq!(
        seen.gaps[0].reason.as_str(),
        "AUDIT_DATABASE_URL is not set; it reads your own records of invoices, for `query` in [checks.payments.audit]. Set AUDIT_DATABASE_URL, or AUDIT_DATABASE_URL_FILE to a file that holds it"
    );
    for (url, cause, advice) in [
        ("sqlite:x", Cause::NotConfigured, "write postgres://"),
        (
            "postgres://ops:hunter2@[",
            Cause::NotConfigured,
            "write postgres://",
        ),
        (
            "postgres://ops:hunter2@127.0.0.1:1/x",
            Cause::Network,
            "is up, and reachable",
        ),
        (
            "mysql://ops:hunter2@127.0.0.1:1/x",
            Cause::Network,
            "is up, and reachable",
        ),
    ] {
        let (found, said) = refused(url, "SELECT 1", "").await;
        assert_eq!(
            (found, said.contains(advice), said.contains("hunter2")),
            (cause, true, false),
            "{said}"
        );
    }
    for (server, missing, columns) in [
        (postgres(), Cause::NotFound, "SELECT 1 AS id, 2 AS total"),
        (mysql(), Cause::NotFound, "SELECT 1 AS id, 2 AS total"),
    ] {
        let Some(server) = server else { continue };
        let (cause, said) = refused(&server, "SELECT x FROM there_is_no_such_table", "").await;
        assert_eq!(
            (cause, said.contains("mend `query`")),
            (missing, true),
            "{said}"
        );
        let (cause, said) = refused(&server, columns, "").await;
        assert_eq!(
            (
                cause,
                said.contains("no column `amount`, only `id`, `total`")
            ),
            (Cause::NotConfigured, true),
            "{said}"
        );
        let (cause, said) = refused(&server, "SELECT FROM WHERE", "").await;
        assert_eq!(
            (cause, said.contains("the database's own client")),
            (Cause::Upstream, true),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_query_that_finds_nothing_reads_to_its_end() {
    let nothing = "SELECT 'x' AS id, 1 AS amount, 'eur' AS currency, 'paid' AS status WHERE 1 = 0";
    for server in [postgres(), mysql()].into_iter().flatten() {
        let nothing = if server.starts_with("mysql") {
            nothing.replace(" WHERE", " FROM DUAL WHERE")
        } else {
            nothing.to_owned()
        };
        let (_, seen) = audited(&server, &nothing, "", at_stripe()).await;
        assert_eq!(
            (causes(&seen.gaps), seen.differences.number()),
            (Vec::new(), 3)
        );
    }
}
