//! Users with their rights, connected apps, and tokens.
//!
//! Token rules: a session dies after the idle time (no `expires_in` is ever said), a revoked refresh token takes its access
//! tokens along, and with rotation a spent refresh token that comes back kills its whole family
//! (DOC/metadata-api/connectedapp, `isRefreshTokenRotationEnabled`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::seconds_between;
use super::seed::form::{Access, ClientSeed, ObjectRights, UserSeed};

/// A user of the org.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// 18 characters.
    pub id: String,
    /// What the seed says.
    pub seed: UserSeed,
}

impl User {
    /// Rights on an object.
    pub fn object(&self, object: &str) -> ObjectRights {
        let found = self.seed.objects.iter().find(|(name, _)| name.eq_ignore_ascii_case(object));
        found.map_or_else(ObjectRights::default, |(_, rights)| *rights)
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
}

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
        }
        true
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
        Token { value, kind, user, client, family, issued: now, used: now, spent: false, standing: false }
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
        seed.objects.insert("Lead".into(), ObjectRights { read: true, edit: false });
        seed.fields.insert("Lead.Email".into(), Access::None);
        let user = &people.users[0];
        assert!(!user.reads("lead", "EMAIL") && user.reads("Lead", "Name") && user.reads("Case", ""));
        assert!(!user.object("lead").edit && user.object("Contact").edit);
    }
}
