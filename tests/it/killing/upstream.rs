//! A wire that fails now and then, before a described world. What it has taken in is carried out whether or not the one
//! who asked still lives.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::options::Dice;
use crate::world::faults::{canned, forward, read_request};

/// How often, of a thousand requests that it may spoil, and how.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    /// Carried out and answered after up to so long.
    pub(super) late: u64,
    pub(super) delay: Duration,
    /// 503, and not done.
    pub(super) refused: u64,
    /// Done, and answered with 502.
    pub(super) doubtful: u64,
    /// Done, and the connection ends without an answer.
    pub(super) lost: u64,
    /// Only requests whose first line has this.
    pub(super) only: &'static str,
    /// Every history is empty: of messages, of issues, of charges.
    pub(super) hides_history: bool,
    /// No request has the `Idempotency-Key` of another.
    pub(super) forgets_keys: bool,
}

impl Faults {
    /// What a bad day looks like.
    pub(super) const MANY: Self = Self {
        late: 120,
        delay: Duration::from_millis(900),
        refused: 20,
        doubtful: 20,
        lost: 30,
        only: "",
        hides_history: false,
        forgets_keys: false,
    };
}

enum Fate {
    Well(Duration),
    Refused,
    Doubtful,
    Lost,
    Hidden(&'static str),
}

/// What is shown in the place of a history.
fn hidden(line: &str) -> Option<&'static str> {
    const HISTORIES: [(&str, &str); 3] = [
        ("conversations.history", r#"{"ok":true,"messages":[]}"#),
        ("GET /repos/acme/web/issues?", "[]"),
        (
            "GET /v1/charges?payment_intent",
            r#"{"object":"list","data":[],"has_more":false,"url":"/v1/charges"}"#,
        ),
    ];
    let found = HISTORIES.iter().find(|(part, _)| line.contains(part));
    found.map(|(_, shown)| *shown)
}

struct Wire {
    world: SocketAddr,
    faults: Mutex<(Faults, Dice)>,
    /// Which requests may be spoilt, by their first line.
    spoils: fn(&str) -> bool,
    under_way: AtomicUsize,
    struck: AtomicUsize,
}

/// It closes when it is dropped.
pub(super) struct Faulty {
    pub(super) address: SocketAddr,
    wire: Arc<Wire>,
    task: tokio::task::AbortHandle,
}

impl Faulty {
    pub(super) async fn before(world: SocketAddr, seed: u64, spoils: fn(&str) -> bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let wire = Arc::new(Wire {
            world,
            faults: Mutex::new((Faults::default(), Dice::new(seed))),
            spoils,
            under_way: AtomicUsize::new(0),
            struck: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&wire);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let wire = Arc::clone(&serving);
                tokio::spawn(async move { wire.serve(stream).await });
            }
        });
        Self {
            address,
            wire,
            task: task.abort_handle(),
        }
    }

    pub(super) fn set(&self, faults: Faults) {
        self.wire.faults.lock().expect("no test panicked").0 = faults;
    }

    pub(super) fn struck(&self) -> usize {
        self.wire.struck.load(Ordering::SeqCst)
    }

    /// Returns once all that was taken in has been carried out.
    pub(super) async fn is_idle(&self) {
        while self.wire.under_way.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    async fn serve(self: Arc<Self>, mut client: TcpStream) -> Option<()> {
        let request = read_request(&mut client).await?;
        let line = request.split(|byte| *byte == b'\r').next()?;
        let fate = self.fate(&String::from_utf8_lossy(line));
        let request = self.with_its_key(request);
        if !matches!(fate, Fate::Well(Duration::ZERO)) {
            self.struck.fetch_add(1, Ordering::SeqCst);
        }
        let answer = match fate {
            Fate::Refused => Some(canned("503 Service Unavailable", "busy")),
            Fate::Hidden(shown) => Some(canned("200 OK", shown)),
            Fate::Well(delay) => self.carry_out(request, delay).await,
            Fate::Doubtful => {
                self.carry_out(request, Duration::ZERO).await;
                Some(canned("502 Bad Gateway", "nobody knows"))
            }
            Fate::Lost => {
                self.carry_out(request, Duration::ZERO).await;
                None
            }
        };
        client.write_all(&answer?).await.ok()
    }

    /// With another key each time, if it forgets them.
    fn with_its_key(&self, request: Vec<u8>) -> Vec<u8> {
        const NAME: &str = "idempotency-key: ";
        let mut guard = self.faults.lock().expect("no test panicked");
        let (faults, dice) = &mut *guard;
        let text = String::from_utf8_lossy(&request);
        if !faults.forgets_keys || !text.contains(NAME) {
            return request;
        }
        let other = format!("{NAME}{}-", dice.below(u64::MAX));
        text.replacen(NAME, &other, 1).into_bytes()
    }

    /// On a task of its own, which outlives the connection.
    async fn carry_out(self: &Arc<Self>, request: Vec<u8>, delay: Duration) -> Option<Vec<u8>> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let wire = Arc::clone(self);
        let carried = tokio::spawn(async move {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            let answer = forward(wire.world, &request).await;
            wire.under_way.fetch_sub(1, Ordering::SeqCst);
            answer
        });
        carried.await.ok().flatten()
    }

    fn fate(&self, line: &str) -> Fate {
        let mut guard = self.faults.lock().expect("no test panicked");
        let (faults, dice) = &mut *guard;
        if let Some(shown) = hidden(line).filter(|_| faults.hides_history) {
            return Fate::Hidden(shown);
        }
        if !(self.spoils)(line) || !line.contains(faults.only) {
            return Fate::Well(Duration::ZERO);
        }
        let throw = dice.below(1000);
        let mut end = 0;
        let mut hits = |share: u64| {
            end += share;
            throw < end
        };
        if hits(faults.refused) {
            Fate::Refused
        } else if hits(faults.doubtful) {
            Fate::Doubtful
        } else if hits(faults.lost) {
            Fate::Lost
        } else if hits(faults.late) {
            let most = u64::try_from(faults.delay.as_millis()).unwrap_or(u64::MAX);
            Fate::Well(Duration::from_millis(dice.between(most / 4, most)))
        } else {
            Fate::Well(Duration::ZERO)
        }
    }
}
