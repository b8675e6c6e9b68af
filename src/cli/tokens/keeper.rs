//! What a session asks for the tokens that are kept: `salesforce`'s trait over `vault`'s file.

use std::path::{Path, PathBuf};

use url::Url;

use super::key::{Unusable, vault, vault_or_new};
use crate::cli::repository::state_folder;
use crate::cli::world::World;
use crate::model::OrgId;
use crate::salesforce::{Kept, Renewed, TokenKeeper, Turn};
use crate::vault::{self, Connection, Ended, Place, Vault};

/// The log-in that is kept for an environment, with the store that it lies in.
///
/// # Errors
/// The store cannot be read.
pub fn stored(world: &World, root: &Path, place: &Place) -> Result<Option<(Vault, Connection)>, Unusable> {
    let Some(vault) = vault(world, root)? else { return Ok(None) };
    Ok(vault.get(place)?.map(|connection| (vault, connection)))
}

/// Keeps the tokens of one environment.
#[derive(Clone)]
pub struct Keeper {
    /// For the time, and for messages.
    pub world: World,
    /// The repository.
    pub root: PathBuf,
    /// Which log-in.
    pub place: Place,
    /// The flow's word.
    pub flow: &'static str,
    /// The app's consumer key.
    pub client_id: String,
    /// The org that it must lead to.
    pub org_id: Option<OrgId>,
    /// The digest of the refresh token that the environment gives, where it gives one: only a successor of that one is of use.
    pub given: Option<String>,
    /// The log-in as it was read a moment ago: opening the store with a passphrase takes a while.
    pub first: Option<Connection>,
}

impl Keeper {
    /// The log-in that is kept, where it is this one.
    fn find(&self) -> Result<Option<(Vault, Connection)>, Unusable> {
        let found = stored(&self.world, &self.root, &self.place)?;
        Ok(found.filter(|(_, c)| c.client_id == self.client_id && c.successor_of == self.given))
    }
}

fn kept(connection: &Connection) -> Kept {
    Kept {
        access_token: connection.access_token.clone(),
        refresh_token: connection.refresh_token.clone(),
        instance_url: Url::parse(&connection.instance).ok(),
        org: Some(connection.org_id),
        user: connection.user_id,
        username: connection.username.clone(),
        uncertain: connection.is_uncertain(),
        spends: connection.rotates != Some(false),
    }
}

impl TokenKeeper for Keeper {
    fn look(&self) -> Result<Kept, String> {
        if let Some(connection) = &self.first {
            return Ok(kept(connection));
        }
        let found = self.find().map_err(|e| e.text())?;
        Ok(found.map(|(_, connection)| kept(&connection)).unwrap_or_default())
    }

    fn turn(&self) -> Result<Box<dyn Turn>, String> {
        let name = &self.place;
        let waiting = || self.world.say(&format!("waiting for another command that renews the log-in of {name}"));
        let lock = vault::Turn::take(&state_folder(&self.root), &self.place, &waiting);
        let lock = match lock {
            Ok(lock) => Some(lock),
            // Where nothing can be written (a read-only checkout in CI) nothing is kept either: a token of the environment has to do.
            Err(_) if self.given.is_some() => None,
            Err(problem) => return Err(Unusable::from(problem).text()),
        };
        let found = self.find().map_err(|e| e.text())?;
        let kept = found.as_ref().map(|(_, connection)| kept(connection)).unwrap_or_default();
        Ok(Box::new(KeeperTurn { keeper: self.clone(), vault: found.map(|(vault, _)| vault), kept, _lock: lock }))
    }
}

struct KeeperTurn {
    keeper: Keeper,
    /// Where the log-in is kept; `None` while it is the environment's alone.
    vault: Option<Vault>,
    kept: Kept,
    _lock: Option<vault::Turn>,
}

impl KeeperTurn {
    fn update(&self, change: impl FnOnce(&mut Connection)) -> Result<(), String> {
        let Some(vault) = &self.vault else { return Ok(()) };
        match vault.update(&self.keeper.place, change) {
            Ok(true) => Ok(()),
            Ok(false) => Err("the log-in was disconnected meanwhile".to_owned()),
            Err(problem) => Err(Unusable::from(problem).text()),
        }
    }

    /// The environment's refresh token was replaced by Salesforce: from now on its successor is kept.
    fn succeed(&mut self, renewed: &Renewed) -> Result<(), String> {
        let keeper = &self.keeper;
        let name = &keeper.place;
        let (vault, _) = vault_or_new(&keeper.world, &keeper.root).map_err(|e| e.text())?;
        let org_id = renewed.org.or(keeper.org_id).ok_or("the log-in does not say which org it is")?;
        let now = keeper.world.now();
        let connection = Connection {
            org: keeper.place.org.clone(),
            environment: keeper.place.environment,
            plans: keeper.place.plans,
            flow: keeper.flow.to_owned(),
            org_id,
            instance: renewed.instance_url.as_ref().map(Url::to_string).unwrap_or_default(),
            user_id: renewed.user,
            username: None,
            client_id: keeper.client_id.clone(),
            access_token: renewed.access_token.clone(),
            refresh_token: renewed.refresh_token.clone(),
            rotates: Some(true),
            successor_of: keeper.given.clone(),
            created: now,
            used: now,
            sent: None,
            ended: None,
        };
        vault.put(connection.clone()).map_err(|e| Unusable::from(e).text())?;
        if keeper.world.is_ci() {
            keeper.world.say(&format!(
                "{name}: Salesforce replaces the refresh token at each use, and the new one lies on this machine alone; in CI use `flow: jwt` or `flow: client_credentials`"
            ));
        }
        self.kept = kept(&connection);
        self.vault = Some(vault);
        Ok(())
    }
}

impl Turn for KeeperTurn {
    fn kept(&self) -> &Kept {
        &self.kept
    }

    fn sending(&mut self) -> Result<(), String> {
        if !self.kept.spends {
            return Ok(());
        }
        let now = self.keeper.world.now();
        self.update(|connection| connection.sent = Some(now))
    }

    fn renewed(&mut self, renewed: Renewed) -> Result<(), String> {
        if self.vault.is_none() {
            return if renewed.refresh_token.is_some() { self.succeed(&renewed) } else { Ok(()) };
        }
        let now = self.keeper.world.now();
        let mut after = None;
        self.update(|connection| {
            connection.rotates = Some(renewed.refresh_token.is_some());
            connection.access_token = renewed.access_token;
            if let Some(new) = renewed.refresh_token {
                connection.refresh_token = Some(new);
            }
            if let Some(instance) = renewed.instance_url {
                connection.instance = instance.to_string();
            }
            connection.used = now;
            connection.sent = None;
            connection.ended = None;
            after = Some(kept(connection));
        })?;
        self.kept = after.unwrap_or_default();
        Ok(())
    }

    fn refused(&mut self, ended: Option<&str>) -> Result<(), String> {
        let at = self.keeper.world.now();
        let ended = ended.map(|reason| Ended { at, reason: reason.to_owned() });
        self.update(|connection| {
            connection.sent = None;
            if ended.is_some() {
                connection.access_token = None;
                connection.ended = ended;
            }
        })
    }
}
