//! A sandbox with a browser before it.

use std::{future::Future, process::Stdio, sync::Arc, time::Duration};

use chrono::{DateTime, TimeZone, Utc};

use daily_ops::{
    command::Transport,
    sandbox::{Office, Options, page::Page},
};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};

use super::window::Window;
use crate::world::skipped::needs_program;

/// Nothing on the page takes longer, on a machine that is busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Browsers at a time: each takes a core and 300 MB.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// How a window looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) size: (u32, u32),
    pub(crate) is_dark: bool,
    pub(crate) runs_scripts: bool,
}

pub(crate) const LAPTOP: Shape = Shape {
    size: (1440, 900),
    is_dark: false,
    runs_scripts: true,
};

pub(crate) const PHONE: Shape = Shape {
    size: (390, 844),
    ..LAPTOP
};

/// A sandbox in which that scenario plays, and a browser that shows it to Anna.
pub(crate) async fn play<F: Future<Output = ()> + Send + 'static>(
    scenario: &str,
    shape: Shape,
    act: impl FnOnce(Stage) -> F,
) {
    let what = "the sandbox in a browser";
    if needs_program("chromedriver", what).is_none() || needs_program("chromium", what).is_none() {
        return;
    }
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let _one = BROWSERS.acquire().await.expect("it is never closed");
    let (driver, port) = driver().await;
    let options = Options {
        keep: None,
        transport: Transport::Http,
        scenario: Some(scenario.to_owned()),
    };
    let office = Arc::new(
        Office::open_at(&options, begins())
            .await
            .expect("the sandbox opens"),
    );
    let page = Page::bind(0).await.expect("a port is free");
    let address = page.address;
    let (stop, shutdown) = watch::channel(false);
    let serving = tokio::spawn(page.serve(Arc::clone(&office), shutdown));
    let client = session(port, shape).await;
    let stage = Stage {
        window: Window(client.clone()),
        address: format!("http://{address}"),
        office: Arc::clone(&office),
    };
    stage.window.open(&stage.address).await;
    // In a task of its own, so that the browser ends whatever becomes of it.
    let acted = tokio::spawn(act(stage)).await;
    if acted.is_err() {
        let name = std::thread::current()
            .name()
            .unwrap_or("unnamed")
            .replace("::", "-");
        Window(client.clone())
            .picture(&format!("failed-{name}"))
            .await;
    }
    client.close().await.ok();
    end(driver, stop, serving, &office).await;
    if let Err(failed) = acted {
        std::panic::resume_unwind(failed.into_panic());
    }
}

async fn end(
    mut driver: Child,
    stop: watch::Sender<bool>,
    serving: JoinHandle<anyhow::Result<()>>,
    office: &Office,
) {
    driver.kill().await.ok();
    stop.send_replace(true);
    serving
        .await
        .expect("the page ends")
        .expect("the page ends well");
    office.close().await.expect("the bot ends well");
}

/// A Monday at nine in Berlin, whatever the day is: the pictures show it.
fn begins() -> DateTime<Utc> {
    let monday = Utc.with_ymd_and_hms(2026, 11, 23, 8, 0, 0);
    monday.single().expect("there is such a moment")
}

/// How often it is started before that is a failure.
const STARTS: usize = 10;

/// It takes a port that is free, and says which once it listens. Where somebody else has that port over IPv6, it ends,
/// and is started once more.
async fn driver() -> (Child, u16) {
    for _ in 0..STARTS {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it is installed");
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.expect("it can be read") {
                let said = line.rsplit_once("successfully on port ");
                let port = said.map(|(_, port)| port.trim_end_matches('.').parse());
                if let Some(Ok(port)) = port {
                    return Some(port);
                }
            }
            None
        };
        let port = timeout(PATIENCE, listening).await;
        if let Some(port) = port.expect("chromedriver listens in good time") {
            // Whatever else it says is read, so that it never waits for a reader.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, port);
        }
    }
    panic!("chromedriver ends before it listens, {STARTS} times")
}

async fn session(port: u16, shape: Shape) -> Client {
    let (width, height) = shape.size;
    let mut args = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--force-prefers-reduced-motion".to_owned(),
        "--hide-scrollbars".to_owned(),
        "--lang=en-GB".to_owned(),
    ];
    if shape.is_dark {
        args.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut options = json!({ "args": args });
    if !shape.runs_scripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    options["mobileEmulation"] = json!({
        "deviceMetrics": {
            "width": width, "height": height, "pixelRatio": 1.0, "touch": false, "mobile": width < 600,
        },
    });
    let Value::Object(capabilities) = json!({ "goog:chromeOptions": options }) else {
        unreachable!("it is an object");
    };
    ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .unwrap_or_else(|error| panic!("no browser: {error}"))
}

pub(crate) struct Stage {
    pub(crate) window: Window,
    pub(crate) address: String,
    pub(crate) office: Arc<Office>,
}

impl Stage {
    /// The address for that person.
    pub(crate) fn as_person(&self, id: &str) -> String {
        format!("{}/?as={id}", self.address)
    }
}
