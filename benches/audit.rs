//! How long the check `payments` takes to audit a million invoices, and how much memory: a CSV file against a stand-in
//! for Stripe over HTTP, in a process of its own. Beside it, the same comparison in Python, with the standard library.
//!
//! `cargo bench --bench audit`; rows and bytes of an invoice may follow: `cargo bench --bench audit -- 1000000 600`.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use axum::{
    Router,
    extract::{Query, Request, State},
    http::header::CONTENT_TYPE,
    response::IntoResponse,
    routing::get,
};
use chrono::{DateTime, Utc};
use daily_ops::checks::{
    Check, Looking, Progress,
    payments::{Gates, Payments, audit::Kind},
};

const NOW: &str = "2026-11-23T09:00:00Z";
/// Midnight before the audited day.
const BEGAN: u64 = 1_795_305_600;
const PAGE: u64 = 100;

/// What the two sides say of the invoice of that number; they differ for one in a hundred thousand.
fn total(number: u64, here: bool) -> u64 {
    let differs = here && number % 100_000 == 77;
    1_000 + number % 9_999 + u64::from(differs)
}

fn id(number: u64) -> String {
    // Scattered, as Stripe's ids are.
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("in_{scattered:016x}{number:08x}")
}

fn created(number: u64) -> u64 {
    BEGAN + number % 86_400
}

fn write_csv(path: &Path, rows: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "created,id,amount,currency,status")?;
    for number in 0..rows {
        // In another order than Stripe's.
        let number = (number * 7_919) % rows;
        if number % 100_000 != 55 {
            let at =
                DateTime::from_timestamp(created(number).cast_signed(), 0).context("a time")?;
            let amount = total(number, true);
            writeln!(file, "{},{},{amount},eur,paid", at.to_rfc3339(), id(number))?;
        }
    }
    Ok(file.flush()?)
}

struct Stripe {
    rows: u64,
    /// The rest of an invoice.
    filler: String,
}

async fn page(
    State(stripe): State<Arc<Stripe>>,
    Query(query): Query<Vec<(String, String)>>,
) -> impl IntoResponse {
    let given = |name: &str| query.iter().find(|(known, _)| known == name);
    let begin = match given("starting_after") {
        Some((_, id)) => {
            u64::from_str_radix(&id[id.len() - 8..], 16).map_or(stripe.rows, |n| n + 1)
        }
        None if given("status").is_some() => stripe.rows,
        None => 0,
    };
    let end = (begin + PAGE).min(stripe.rows);
    let mut body = String::from(r#"{"object":"list","url":"/v1/invoices","data":["#);
    for number in begin..end {
        let comma = if number > begin { "," } else { "" };
        let (id, created, total) = (id(number), created(number), total(number, false));
        let _ = write!(
            body,
            r#"{comma}{{"id":"{id}","object":"invoice",{}"created":{created},"currency":"eur","livemode":true,"status":"paid","total":{total}}}"#,
            stripe.filler
        );
    }
    let _ = write!(body, r#"],"has_more":{}}}"#, end < stripe.rows);
    ([(CONTENT_TYPE, "application/json")], body)
}

async fn other(request: Request) -> impl IntoResponse {
    let body = if request.uri().path() == "/v1/balance" {
        r#"{"object":"balance","available":[{"amount":1,"currency":"eur"}],"livemode":true,"pending":[]}"#
    } else {
        r#"{"object":"list","data":[],"has_more":false}"#
    };
    ([(CONTENT_TYPE, "application/json")], body)
}

/// The stand-in, which says its address and ends with its parent's pipe.
async fn serve(rows: u64, bytes: usize) -> anyhow::Result<()> {
    let mut filler = String::new();
    while filler.len() + 190 < bytes {
        let number = filler.len();
        let _ = write!(
            filler,
            r#""field_{number}":{{"value":"of no interest","list":[null,1,true]}},"#
        );
    }
    let stripe = Arc::new(Stripe { rows, filler });
    let app = Router::new()
        .route("/v1/invoices", get(page))
        .fallback(get(other))
        .with_state(stripe);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(axum::serve(listener, app).await?)
}

/// The most memory that this process ever held, in MiB (`VmHWM`).
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

async fn audit(url: &str, csv: &Path, rows: u64) -> anyhow::Result<(Duration, u64)> {
    let pages = rows.div_ceil(PAGE) + 1;
    let section = format!(
        "url = '{url}'\n[audit]\ncsv = {csv:?}\ndays = 1\nmax_pages = {pages}\nmax_records = {rows}"
    );
    let mut payments: Payments = toml::from_str(&section)?;
    payments.gates = Gates::of_rate(1_000_000);
    payments.validate()?;
    let now: DateTime<Utc> = NOW.parse()?;
    let key = ("STRIPE_API_KEY".to_owned(), "rk_live_of_a_stand_in".into());
    let looking = Looking {
        deadline: tokio::time::Instant::now() + Duration::from_secs(600),
        clock: Arc::new(move || now),
        progress: Progress::default(),
        secrets: Arc::new([key].into_iter().collect()),
        baselines: Arc::default(),
        since: None,
        earlier: Arc::default(),
    };
    let began = Instant::now();
    let seen = payments
        .observe(&looking)
        .await
        .map_err(anyhow::Error::from)?;
    let judged = payments.evaluate(&seen, now);
    let spent = began.elapsed();
    ensure!(judged.unknown.is_empty(), "{:?}", judged.unknown);
    let differences = &seen.audit.context("no audit was made")?.differences;
    let number = |kind| {
        differences
            .groups
            .get(&kind)
            .map_or(0, |group| group.number)
    };
    let whole = rows.div_ceil(100_000);
    ensure!(
        (
            number(Kind::Amount),
            number(Kind::MissingHere),
            differences.number()
        ) == (whole, whole, 2 * whole),
        "{:?}",
        judged.findings
    );
    Ok((spent, most_memory().unwrap_or_default()))
}

/// Seconds and MiB of the same comparison in Python.
fn in_python(url: &str, csv: &Path) -> anyhow::Result<(f64, u64)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/audit.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(url)
        .arg(csv)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout)?;
    let mut words = said.split_whitespace();
    let seconds = words.next().context("no time")?.parse()?;
    Ok((seconds, words.next().context("no memory")?.parse()?))
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let mut next = words.next();
    let serving = next.as_deref() == Some("serve");
    if serving {
        next = words.next();
    }
    let rows = next.map_or(Ok(1_000_000), |word| word.parse())?;
    let bytes = words.next().map_or(Ok(600), |word| word.parse())?;
    if serving {
        return serve(rows, bytes).await;
    }
    let folder = tempfile::tempdir()?;
    let csv = folder.path().join("invoices.csv");
    write_csv(&csv, rows)?;
    let mut stripe = Command::new(std::env::current_exe()?)
        .args(["serve", &rows.to_string(), &bytes.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let outcome = measured(&mut stripe, &csv, rows, bytes).await;
    stripe.kill()?;
    stripe.wait()?;
    println!("{}", outcome?);
    Ok(())
}

async fn measured(
    stripe: &mut std::process::Child,
    csv: &Path,
    rows: u64,
    bytes: usize,
) -> anyhow::Result<String> {
    let mut url = String::new();
    let out = stripe.stdout.as_mut().context("it says nothing")?;
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut url)?;
    let (spent, memory) = audit(url.trim(), csv, rows).await?;
    let (seconds, theirs) = in_python(url.trim(), csv)?;
    Ok(format!(
        "audit of {rows} invoices of {bytes} bytes: {spent:.2?}, {memory} MiB; in Python: {seconds:.2} s, {theirs} MiB; {:.1} times as fast",
        seconds / spent.as_secs_f64()
    ))
}
