//! Who asks, whether they may, and whether it was asked before.

use axum::http::{HeaderMap, header};

use super::{
    Account, Books, Permission, Trouble,
    idempotency::Turn,
    keys,
    refusal::Refusal,
    request::Request,
    routes::{Call, Route},
};

/// A request that may be carried out.
pub(super) struct Admitted {
    pub route: &'static Route,
    pub turn: Turn,
    /// Under which its answer is kept.
    pub key: Option<String>,
    /// The API key that was shown.
    pub secret: String,
    is_live: bool,
    connected: Option<String>,
    id: String,
}

impl Admitted {
    pub(super) fn call<'a>(&self, request: &'a Request) -> Call<'a> {
        Call {
            request,
            connected: self.connected.clone(),
            is_live: self.is_live,
            id: self.id.clone(),
        }
    }
}

impl Account {
    pub(super) fn admit(
        &self,
        request: &Request,
        headers: &HeaderMap,
    ) -> Result<Admitted, Refusal> {
        self.troubled(request)?;
        let secret = request.key.clone().filter(|key| !key.is_empty());
        let secret = secret.ok_or_else(keys::no_key)?;
        let key = self.keys.iter().find(|key| key.secret == secret);
        let key = key.ok_or_else(|| keys::unknown_key(&secret))?;
        if key.is_expired {
            return Err(keys::expired_key(&secret));
        }
        let connected = request.account.clone().filter(|id| *id != self.id);
        if let Some(id) = connected
            .as_ref()
            .filter(|id| !self.connected.contains_key(*id))
        {
            return Err(keys::no_such_account(&secret, id));
        }
        checked_version(request)?;
        let (route, id) = Route::of(request)?;
        let is_lost = self.trouble == Trouble::Forbidden && route.needs == Permission::EventRead;
        if is_lost || !key.allows(route.needs) {
            return Err(self.lacks(&secret, route.needs));
        }
        checked_body(headers, request)?;
        route.check(request)?;
        let own = request
            .idempotency_key
            .as_ref()
            .filter(|_| route.method == "POST");
        let of = connected.as_ref().unwrap_or(&self.id);
        let name = own.map(|own| format!("{of} {} {own}", key.is_live()));
        let turn = match &name {
            Some(name) => self.keys_used.turn(name, request)?,
            None => Turn::First,
        };
        Ok(Admitted {
            route,
            turn,
            key: name,
            is_live: key.is_live() && !self.shows_only_tests,
            secret,
            connected,
            id,
        })
    }

    pub(super) fn lacks(&self, secret: &str, permission: Permission) -> Refusal {
        keys::forbidden(secret, &self.id, permission, self.words)
    }

    /// What the switch says that it suffers from.
    fn troubled(&self, request: &Request) -> Result<(), Refusal> {
        match self.trouble {
            Trouble::Unauthorized => Err(keys::unknown_key(
                request.key.as_deref().unwrap_or_default(),
            )),
            Trouble::Limited => Err(Refusal::limited("global-rate")),
            Trouble::Unavailable => Err(Refusal::unavailable()),
            _ => Ok(()),
        }
    }

    /// Those that a call is about.
    pub(super) fn books(&self, call: &Call<'_>) -> &Books {
        match &call.connected {
            _ if !call.is_live => &self.test,
            Some(id) => self.connected.get(id).unwrap_or(&self.live),
            None => &self.live,
        }
    }

    pub(super) fn books_mut(&mut self, call: &Call<'_>) -> &mut Books {
        match &call.connected {
            _ if !call.is_live => &mut self.test,
            Some(id) => self.connected.get_mut(id).unwrap_or(&mut self.live),
            None => &mut self.live,
        }
    }
}

/// A date, and since 2024 the name of a release: `2026-10-28.endive`.
fn checked_version(request: &Request) -> Result<(), Refusal> {
    let Some(version) = &request.version else {
        return Ok(());
    };
    let date = version.split('.').next().unwrap_or_default();
    if chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok() {
        return Ok(());
    }
    let message = format!("Invalid Stripe API version: {version}");
    Err(Refusal::invalid(&message))
}

/// Bodies are forms.
fn checked_body(headers: &HeaderMap, request: &Request) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if request.method == "POST" && is_json {
        let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.";
        return Err(Refusal::invalid(message));
    }
    Ok(())
}
