//! What is under way between browsers, apps and the org: browsers that are signed in, visits to its pages, codes, device codes,
//! and how often each user logged in within the hour. Lives in memory only; tokens, which outlive it, are `people`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::clock::seconds_between;

/// Visits, browsers and codes that are kept at most; the oldest go first.
const MOST: usize = 1_000;
/// A visit that is left alone is dead after this long.
pub const VISIT_SECONDS: i64 = 900;

/// What an app asked for at `/services/oauth2/authorize`.
#[derive(Clone)]
pub struct Asked {
    /// Consumer key.
    pub client: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Scopes, in the app's order.
    pub scopes: Vec<String>,
    /// The app's own, given back as it came.
    pub state: Option<String>,
    /// PKCE: base64url of a SHA-256.
    pub challenge: Option<String>,
    /// `prompt`, split.
    pub prompt: Vec<String>,
    /// `login_hint`.
    pub hint: Option<String>,
}

/// Why somebody is on the org's pages.
#[derive(Clone)]
pub enum Purpose {
    /// To let an app in.
    App(Asked),
    /// To let a device in; its code once it was typed.
    Device(Option<String>),
}

/// One visit to the org's pages: from the first page to the answer.
#[derive(Clone)]
pub struct Visit {
    /// Unguessable; the hidden field of each form, and good for one browser only.
    pub id: String,
    /// The browser's cookie.
    pub browser: String,
    /// What for.
    pub purpose: Purpose,
    /// Typed the password in this visit, or was signed in before and need not.
    pub signed_in: bool,
    /// When it began.
    pub opened: Timestamp,
}

/// An authorization code.
#[derive(Clone)]
pub struct Code {
    /// Its text.
    pub value: String,
    /// What the app asked for: the code is bound to app, callback and challenge.
    pub asked: Asked,
    /// Id of the user who allowed it.
    pub user: String,
    /// When.
    pub issued: Timestamp,
    /// Once it was tried.
    pub spent: bool,
    /// The family of the tokens that it was exchanged for.
    pub family: Option<u64>,
}

/// What became of a device code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody has said anything.
    Pending,
    /// Allowed by the user with this id.
    Allowed(String),
    /// Refused.
    Denied,
    /// Exchanged.
    Spent,
}

/// A device code.
#[derive(Clone)]
pub struct Device {
    /// What the device polls with.
    pub code: String,
    /// What the person types.
    pub user_code: String,
    /// Consumer key.
    pub client: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// When it was made.
    pub issued: Timestamp,
    /// The last poll.
    pub polled: Option<Timestamp>,
    /// Seconds to leave between polls; grows with each `slow_down`.
    pub interval: i64,
    /// What became of it.
    pub verdict: Verdict,
}

/// Everything under way.
#[derive(Default)]
pub struct Grants {
    /// Cookie → id of the user signed in.
    browsers: Vec<(String, Option<String>)>,
    visits: Vec<Visit>,
    /// Codes, spent ones too.
    pub codes: Vec<Code>,
    /// Device codes, dead ones too.
    pub devices: Vec<Device>,
    logins: BTreeMap<String, (Timestamp, u64)>,
}

fn trim<T>(list: &mut Vec<T>) {
    if list.len() > MOST {
        list.drain(..list.len() - MOST);
    }
}

impl Grants {
    /// A browser that has no cookie yet.
    pub fn new_browser(&mut self, cookie: String, user: Option<String>) {
        self.browsers.push((cookie, user));
        trim(&mut self.browsers);
    }

    /// Is the cookie one of ours?
    pub fn knows(&self, cookie: &str) -> bool {
        self.browsers.iter().any(|(known, _)| known == cookie)
    }

    /// The id of the user whom a browser is signed in as.
    pub fn user_of(&self, cookie: &str) -> Option<String> {
        self.browsers.iter().find(|(known, _)| known == cookie).and_then(|(_, user)| user.clone())
    }

    /// A browser signs in: it gets another cookie (the old one may be known to others), and the visit goes with it.
    pub fn sign_in(&mut self, visit: &str, cookie: String, user: String) {
        if let Some(visit) = self.visits.iter_mut().find(|v| v.id == visit) {
            let old = std::mem::replace(&mut visit.browser, cookie.clone());
            visit.signed_in = true;
            self.browsers.retain(|(known, _)| *known != old);
        }
        self.new_browser(cookie, Some(user));
    }

    /// A browser signs out.
    pub fn sign_out(&mut self, cookie: &str) {
        for (_, user) in self.browsers.iter_mut().filter(|(known, _)| known == cookie) {
            *user = None;
        }
    }

    /// A visit begins or goes on.
    pub fn keep_visit(&mut self, visit: Visit) {
        self.visits.retain(|v| v.id != visit.id);
        self.visits.push(visit);
        trim(&mut self.visits);
    }

    /// The visit of a form that this very browser was given.
    pub fn visit(&self, id: &str, cookie: &str, now: Timestamp) -> Option<Visit> {
        let alive = |v: &&Visit| v.id == id && v.browser == cookie && seconds_between(v.opened, now) <= VISIT_SECONDS;
        self.visits.iter().find(alive).cloned()
    }

    /// A visit has got its answer.
    pub fn end_visit(&mut self, id: &str) {
        self.visits.retain(|v| v.id != id);
    }

    /// A new code.
    pub fn keep_code(&mut self, code: Code) {
        self.codes.push(code);
        trim(&mut self.codes);
    }

    /// A new device code.
    pub fn keep_device(&mut self, device: Device) {
        self.devices.push(device);
        trim(&mut self.devices);
    }

    /// The device whose code a person typed (case and dashes aside), while it waits and is younger than `lifetime` seconds.
    pub fn waiting(&mut self, user_code: &str, now: Timestamp, lifetime: i64) -> Option<&mut Device> {
        let typed: String = user_code.chars().filter(char::is_ascii_alphanumeric).collect();
        self.devices.iter_mut().find(|d| {
            d.user_code.eq_ignore_ascii_case(&typed)
                && d.verdict == Verdict::Pending
                && seconds_between(d.issued, now) <= lifetime
        })
    }

    /// Counts a log-in; false when the user has had `most` of them within the hour.
    pub fn may_log_in(&mut self, user: &str, now: Timestamp, most: u64) -> bool {
        let window = self.logins.entry(user.to_owned()).or_insert((now, 0));
        if seconds_between(window.0, now) >= 3_600 {
            *window = (now, 0);
        }
        window.1 += 1;
        window.1 <= most
    }
}

#[cfg(test)]
mod tests {
    use super::{Grants, Purpose, Visit};

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_visit_belongs_to_one_browser_and_moves_to_its_new_cookie() {
        let now = at("2026-11-21T09:00:00Z");
        let mut grants = Grants::default();
        grants.new_browser("before".into(), None);
        let visit = Visit {
            id: "v".into(),
            browser: "before".into(),
            purpose: Purpose::Device(None),
            signed_in: false,
            opened: now,
        };
        grants.keep_visit(visit);
        assert!(grants.visit("v", "before", now).is_some() && grants.visit("v", "another", now).is_none());
        grants.sign_in("v", "after".into(), "005".into());
        assert!(!grants.knows("before"), "whoever planted the old cookie has nothing");
        assert_eq!(grants.user_of("after").as_deref(), Some("005"));
        assert!(grants.visit("v", "after", now).is_some_and(|v| v.signed_in));
        assert!(grants.visit("v", "after", at("2026-11-21T09:15:01Z")).is_none());
    }

    #[test]
    fn log_ins_are_counted_by_the_hour() {
        let mut grants = Grants::default();
        let now = at("2026-11-21T09:00:00Z");
        assert!(grants.may_log_in("a", now, 2) && grants.may_log_in("a", now, 2));
        assert!(!grants.may_log_in("a", at("2026-11-21T09:59:59Z"), 2));
        assert!(grants.may_log_in("b", now, 2));
        assert!(grants.may_log_in("a", at("2026-11-21T10:00:00Z"), 2));
    }
}
