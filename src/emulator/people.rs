//! Users with their rights, connected apps, and tokens.
//!
//! Token rules: a session dies after the idle time (no `expires_in` is ever said), a revoked refresh token takes its access
//! tokens along, and with rotation a spent refresh token that comes back kills its whole family
//! (DOC/metadata-api/connectedapp, `isRefreshTokenRotationEnabled`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::seconds_between;
use super::ids::{eighteen, fifteen};
use super::seed::form::{Access, ClientSeed, ObjectRights, UserSeed};

/// Read by whoever has View Setup and Configuration.
const OF_SETUP: [&str; 4] = ["FieldPermissions", "ObjectPermissions", "PermissionSet", "PermissionSetAssignment"];

/// A user of the org.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// 18 characters.
    pub id: String,
    /// What the seed says.
    pub seed: UserSeed,
}

impl User {
    /// Rights on an object; View All Data and Modify All Data come before what is said of the object.
    pub fn object(&self, object: &str) -> ObjectRights {
        let found = self.seed.objects.iter().find(|(name, _)| name.eq_ignore_ascii_case(object));
        let mut rights = found.map_or_else(ObjectRights::default, |(_, rights)| *rights);
        rights.modify_all |= self.seed.modify_all_data;
        rights.view_all |= self.seed.view_all_data || rights.modify_all;
        rights.read |= rights.view_all;
        rights.edit |= rights.modify_all;
        if OF_SETUP.iter().any(|of_setup| of_setup.eq_ignore_ascii_case(object)) {
            rights.read = self.seed.view_setup;
        }
        rights
    }

    /// Does sharing hide this record from the user?
    pub fn hidden(&self, object: &str, id: &str) -> bool {
        !self.object(object).view_all && self.seed.hidden_records.iter().any(|hidden| fifteen(hidden) == fifteen(id))
    }

    /// Records of an object that sharing hides from the user: their ids, 18 characters.
    pub fn hidden_of(&self, object: &str) -> Vec<String> {
        if self.seed.hidden_records.is_empty() || self.object(object).view_all {
            return Vec::new();
        }
        self.seed.hidden_records.iter().filter_map(|id| eighteen(id)).collect()
    }

    /// May the user only look at this record (sharing)?
    pub fn only_reads(&self, object: &str, id: &str) -> bool {
        !self.object(object).modify_all && self.seed.read_only_records.iter().any(|r| fifteen(r) == fifteen(id))
    }

    /// Field-level security.
    pub fn field(&self, object: &str, field: &str) -> Access {
        let wanted = |name: &String| {
            name.split_once('.').is_some_and(|(o, f)| o.eq_ignore_ascii_case(object) && f.eq_ignore_ascii_case(field))
        };
        self.seed.fields.iter().find(|(name, _)| wanted(name)).map_or(Access::Edit, |(_, access)| *access)
    }

    /// May the user see the object (field `""`), or the field?
    pub fn reads(&self, object: &str, field: &str) -> bool {
        self.object(object).read && (field.is_empty() || self.field(object, field) != Access::None)
    }
}

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenKind {
    /// A session.
    Access,
    /// New sessions.
    Refresh,
}

/// A token that was handed out.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Its text.
    pub value: String,
    /// What it opens.
    pub kind: TokenKind,
    /// Id of its user.
    pub user: String,
    /// Consumer key of its app.
    pub client: String,
    /// One family: a refresh token, those it was rotated into, and their access tokens.
    pub family: u64,
    /// When.
    pub issued: Timestamp,
    /// When a call was last made with it.
    pub used: Timestamp,
    /// A refresh token that was exchanged under rotation.
    pub spent: bool,
    /// Never expires by idling (the standing token of tests).
    pub standing: bool,
    /// What it is good for.
    #[serde(default = "every_scope")]
    pub scopes: Vec<String>,
}

fn every_scope() -> Vec<String> {
    ClientSeed::default().scopes
}

/// What a new token is for.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Id of the user.
    pub user: &'a str,
    /// Consumer key of the app.
    pub client: &'a str,
    /// What it is good for.
    pub scopes: &'a [String],
    /// One family: a refresh token, those it was rotated into, and their access tokens.
    pub family: u64,
    /// Never expires by idling.
    pub standing: bool,
}

/// A user has let an app in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Id of the user.
    pub user: String,
    /// Consumer key of the app.
    pub client: String,
    /// For these scopes.
    pub scopes: Vec<String>,
}

/// A user keeps this many refresh tokens of one app; the next approval drops the oldest.
const MOST_GRANTS: usize = 5;

/// Users, apps and tokens.
#[derive(Default, Serialize, Deserialize)]
pub struct People {
    /// Users; the first is the admin.
    pub users: Vec<User>,
    /// Connected apps; the first is the emulator's own.
    pub clients: Vec<ClientSeed>,
    /// Living tokens, and spent ones.
    pub tokens: BTreeMap<String, Token>,
    /// Families so far.
    pub families: u64,
    /// Who has let which app in.
    #[serde(default)]
    pub approvals: Vec<Approval>,
}

impl People {
    /// A user by user name; case does not matter.
    pub fn by_username(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|u| u.seed.username.eq_ignore_ascii_case(username))
    }

    /// A user by id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|u| u.id == id)
    }

    /// An app by consumer key.
    pub fn client(&self, client_id: &str) -> Option<&ClientSeed> {
        self.clients.iter().find(|c| c.client_id == client_id)
    }

    /// Keeps a new token.
    pub fn issue(&mut self, token: Token) {
        self.tokens.insert(token.value.clone(), token);
    }

    /// The user of a session that is alive; the call counts as use.
    pub fn session(&mut self, value: &str, now: Timestamp, idle_seconds: i64) -> Option<User> {
        let token = self.tokens.get_mut(value).filter(|t| t.kind == TokenKind::Access)?;
        if !token.standing && seconds_between(token.used, now) > idle_seconds {
            self.tokens.remove(value);
            return None;
        }
        token.used = now;
        let user = token.user.clone();
        self.user(&user).filter(|u| u.seed.active).cloned()
    }

    /// Ends a token: an access token alone, a refresh token with all that came from it. False when it is unknown.
    pub fn revoke(&mut self, value: &str) -> bool {
        let Some(token) = self.tokens.remove(value) else { return false };
        if token.kind == TokenKind::Refresh {
            self.end_family(token.family);
            let left = self
                .tokens
                .values()
                .any(|t| t.kind == TokenKind::Refresh && !t.spent && t.user == token.user && t.client == token.client);
            if !left {
                self.approvals.retain(|a| a.user != token.user || a.client != token.client);
            }
        }
        true
    }

    /// A user lets an app in; later scopes add to earlier ones.
    pub fn approve(&mut self, new: Approval) {
        match self.approvals.iter_mut().find(|a| a.user == new.user && a.client == new.client) {
            Some(known) => {
                let more = new.scopes.into_iter().filter(|s| !known.scopes.contains(s)).collect::<Vec<_>>();
                known.scopes.extend(more);
            }
            None => self.approvals.push(new),
        }
    }

    /// Has the user let the app in for all these scopes?
    pub fn approved(&self, user: &str, client: &str, scopes: &[String]) -> bool {
        let found = self.approvals.iter().find(|a| a.user == user && a.client == client);
        found.is_some_and(|known| scopes.iter().all(|s| known.scopes.contains(s)))
    }

    /// Has the user let the app in for good? That counts for JWT, too.
    pub fn approved_refreshing(&self, user: &str, client: &str) -> bool {
        let lasting = |s: &String| s == "refresh_token" || s == "offline_access";
        self.approvals.iter().any(|a| a.user == user && a.client == client && a.scopes.iter().any(lasting))
    }

    /// Ends the oldest grants of an app that a user has too many of.
    pub fn drop_oldest(&mut self, user: &str, client: &str) {
        let mine = |t: &&Token| t.kind == TokenKind::Refresh && !t.spent && t.user == user && t.client == client;
        let mut families: Vec<u64> = self.tokens.values().filter(mine).map(|t| t.family).collect();
        families.sort_unstable();
        let surplus = families.len().saturating_sub(MOST_GRANTS);
        families.truncate(surplus);
        self.tokens.retain(|_, token| !families.contains(&token.family));
    }

    /// May a session be used for the REST API?
    pub fn opens_api(&self, value: &str) -> bool {
        self.tokens.get(value).is_some_and(|t| t.scopes.iter().any(|s| s == "api" || s == "full"))
    }

    /// Ends every token of a family.
    pub fn end_family(&mut self, family: u64) {
        self.tokens.retain(|_, token| token.family != family);
    }

    /// Ends every session; refresh tokens live on.
    pub fn end_sessions(&mut self) {
        self.tokens.retain(|_, token| token.kind == TokenKind::Refresh);
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed::form::{Access, ObjectRights, UserSeed};
    use super::{People, Token, TokenKind, User};

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    fn token(value: &str, kind: TokenKind, family: u64) -> Token {
        let now = at("2026-11-21T09:00:00Z");
        let (value, user, client) = (value.to_owned(), "005".to_owned(), "app".to_owned());
        Token {
            value,
            kind,
            user,
            client,
            family,
            issued: now,
            used: now,
            spent: false,
            standing: false,
            scopes: Vec::new(),
        }
    }

    fn people() -> People {
        let seed = UserSeed { username: "a@b.example".into(), ..UserSeed::default() };
        let mut people = People { users: vec![User { id: "005".into(), seed }], ..People::default() };
        people.issue(token("access", TokenKind::Access, 1));
        people.issue(token("refresh", TokenKind::Refresh, 1));
        people.issue(token("other", TokenKind::Access, 2));
        people
    }

    #[test]
    fn a_session_dies_by_idling_and_not_by_age() {
        let mut people = people();
        assert!(people.session("access", at("2026-11-21T10:59:00Z"), 7200).is_some());
        assert!(people.session("access", at("2026-11-21T12:58:00Z"), 7200).is_some());
        assert!(people.session("access", at("2026-11-21T14:59:00Z"), 7200).is_none());
        assert!(people.session("refresh", at("2026-11-21T09:00:00Z"), 7200).is_none());
    }

    #[test]
    fn a_revoked_refresh_token_takes_its_sessions_along() {
        let mut people = people();
        assert!(people.revoke("refresh"));
        assert!(!people.revoke("refresh"));
        assert_eq!(people.tokens.keys().collect::<Vec<_>>(), ["other"]);
    }

    #[test]
    fn rights_heed_no_case_and_default_to_all() {
        let mut people = people();
        let seed = &mut people.users[0].seed;
        seed.objects.insert("Lead".into(), ObjectRights { edit: false, ..ObjectRights::default() });
        seed.fields.insert("Lead.Email".into(), Access::None);
        let user = &people.users[0];
        assert!(!user.reads("lead", "EMAIL") && user.reads("Lead", "Name") && user.reads("Case", ""));
        assert!(!user.object("lead").edit && user.object("Contact").edit);
    }
}
