//! The org itself: model, records, people, and how seeds get into it.
//!
//! Everything here is behind one lock; nothing here knows HTTP.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clock::stored;
use super::ids;
use super::model::Model;
use super::options::{EmulatorError, Options};
use super::people::{People, User};
use super::schema::ObjectDef;
use super::seed::csv_file;
use super::seed::form::{ClientSeed, ObjectSeed, OrgSeed, Seed, UserSeed, from_yaml};
use super::soql;
use super::store::{moments, rows, tables, values};

/// The public half of the key in `Credentials::private_key`.
const PUBLIC_KEY: &str = include_str!("keys/emulator-only-public.pem");

/// Who the org is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    /// 18 characters.
    pub id: String,
    /// Company name.
    pub name: String,
    /// A sandbox?
    pub sandbox: bool,
    /// Edition.
    pub edition: String,
    /// Instance.
    pub instance: String,
    /// Host of My Domain.
    pub my_domain: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// When a trial ends.
    #[serde(default)]
    pub trial_expires: Option<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            id: ids::nth("00D", 1),
            name: "Emulated Org".to_owned(),
            sandbox: false,
            edition: "Developer Edition".to_owned(),
            instance: "EMU1".to_owned(),
            my_domain: None,
            time_zone: "UTC".to_owned(),
            trial_expires: None,
        }
    }
}

/// The org.
pub struct Org {
    /// SQLite.
    pub db: Connection,
    /// Objects and fields.
    pub model: Model,
    /// Who it is.
    pub profile: Profile,
    /// Users, apps, tokens.
    pub people: People,
    /// When the schema or somebody's rights last changed: `Last-Modified` of describes.
    pub changed: Timestamp,
    /// The last number given to an id, by key prefix.
    pub counters: BTreeMap<String, u64>,
    additions: BTreeMap<String, ObjectSeed>,
}

/// Records to be loaded when everything else is in place, with the name of what they come from.
type Pending = Vec<(String, Load, String)>;

/// Where records come from.
enum Load {
    /// A seed's own text.
    Records(Vec<Map<String, Value>>),
    /// A CSV file, read while its records are put in.
    Csv(PathBuf),
}

impl Org {
    /// Opens or makes the org.
    ///
    /// # Errors
    /// A database or a seed that cannot be used.
    pub fn open(options: &Options, now: Timestamp) -> Result<Self, EmulatorError> {
        let db = match &options.db {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        db.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;")?;
        db.set_prepared_statement_cache_capacity(256);
        soql::install(&db)?;
        db.execute_batch("CREATE TABLE IF NOT EXISTS emulator_state (key TEXT PRIMARY KEY, value TEXT NOT NULL)")?;
        let people: Option<People> = load(&db, "people")?;
        let fresh = people.is_none();
        let mut org = Self {
            profile: load(&db, "profile")?.unwrap_or_default(),
            counters: load(&db, "counters")?.unwrap_or_default(),
            additions: load(&db, "schema")?.unwrap_or_default(),
            people: people.unwrap_or_default(),
            model: Model::build(&BTreeMap::new())?,
            changed: now,
            db,
        };
        let mut pending = Pending::new();
        org.take_seeds(options, &mut pending)?;
        org.settle(fresh);
        for object in &org.model.catalog.objects {
            tables::create(&org.db, object)?;
        }
        if fresh {
            org.found(now)?;
            for (object, load, name) in pending {
                let loaded = match load {
                    Load::Records(records) => org.insert(&object, &records, now).map(drop),
                    Load::Csv(path) => org.load_csv(&object, &path, now),
                };
                loaded.map_err(|e| match e {
                    EmulatorError::Unknown(message) => EmulatorError::Seed { name, message },
                    other => other,
                })?;
            }
        }
        org.show_rights()?;
        org.save()?;
        Ok(org)
    }

    fn take_seeds(&mut self, options: &Options, pending: &mut Pending) -> Result<(), EmulatorError> {
        self.model = Model::build(&self.additions)?;
        for path in &options.seeds {
            let name = path.display().to_string();
            if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
                let known: Vec<&str> = self.model.catalog.objects.iter().map(|o| o.name.as_str()).collect();
                let object = csv_file::object_of(path, &known).ok_or_else(|| EmulatorError::Seed {
                    name,
                    message:
                        "the file's name is that of no object; name it `leads.csv`, or name the object in a YAML seed"
                            .to_owned(),
                })?;
                self.take_csv(path, &object, pending)?;
            } else {
                let seed: Seed = from_yaml(&read(path).map(|b| String::from_utf8_lossy(&b).into_owned())?)
                    .map_err(|message| EmulatorError::Seed { name: name.clone(), message })?;
                self.take(seed, &name, path.parent().unwrap_or(Path::new("")), pending)?;
            }
        }
        for (index, text) in options.seed_texts.iter().enumerate() {
            let name = format!("text {}", index + 1);
            let seed = from_yaml(text).map_err(|message| EmulatorError::Seed { name: name.clone(), message })?;
            self.take(seed, &name, Path::new(""), pending)?;
        }
        Ok(())
    }

    fn take(&mut self, seed: Seed, name: &str, folder: &Path, pending: &mut Pending) -> Result<(), EmulatorError> {
        let wrong = |message: String| EmulatorError::Seed { name: name.to_owned(), message };
        if let Some(org) = seed.org {
            self.take_profile(org).map_err(wrong)?;
        }
        for client in seed.clients {
            self.people.clients.retain(|c| c.client_id != client.client_id);
            self.people.clients.push(client);
        }
        for user in seed.users {
            match self.people.users.iter_mut().find(|u| u.seed.username.eq_ignore_ascii_case(&user.username)) {
                Some(known) => known.seed = user,
                None => self.people.users.push(User { id: String::new(), seed: user }),
            }
        }
        for (object, addition) in seed.objects {
            self.add_schema(object, addition, name, pending)?;
        }
        for file in seed.files {
            self.take_csv(&folder.join(&file.csv), &file.object, pending)?;
        }
        Ok(())
    }

    fn take_csv(&mut self, path: &Path, object: &str, pending: &mut Pending) -> Result<(), EmulatorError> {
        let name = path.display().to_string();
        let catalog = std::sync::Arc::clone(&self.model.catalog);
        let known = catalog.object(object);
        let has_field = |field: &str| known.is_some_and(|o| o.field(field).is_some());
        let addition = csv_file::survey(open(path)?, &has_field)
            .map_err(|message| EmulatorError::Seed { name: name.clone(), message })?;
        let object = known.map_or_else(|| object.to_owned(), |o| o.name.clone());
        self.add_schema(object.clone(), addition, &name, pending)?;
        pending.push((object, Load::Csv(path.to_owned()), name));
        Ok(())
    }

    fn add_schema(
        &mut self,
        object: String,
        mut addition: ObjectSeed,
        name: &str,
        pending: &mut Pending,
    ) -> Result<(), EmulatorError> {
        let records = std::mem::take(&mut addition.records);
        let known = self.additions.entry(object.clone()).or_default();
        known.label = addition.label.or(known.label.take());
        known.label_plural = addition.label_plural.or(known.label_plural.take());
        known.key_prefix = addition.key_prefix.or(known.key_prefix.take());
        known.fields.retain(|old| !addition.fields.iter().any(|new| new.name.eq_ignore_ascii_case(&old.name)));
        known.fields.extend(addition.fields);
        known.rules.retain(|old| !addition.rules.iter().any(|new| new.message == old.message));
        known.rules.extend(addition.rules);
        known.flows.extend(addition.flows);
        self.model = Model::build(&self.additions)?;
        if !records.is_empty() {
            pending.push((object, Load::Records(records), name.to_owned()));
        }
        Ok(())
    }

    fn take_profile(&mut self, seed: OrgSeed) -> Result<(), String> {
        let profile = &mut self.profile;
        if let Some(id) = seed.id {
            profile.id = ids::eighteen(&id).ok_or_else(|| format!("org.id: `{id}` is no id"))?;
        }
        profile.name = seed.name.unwrap_or(std::mem::take(&mut profile.name));
        profile.sandbox = seed.sandbox.unwrap_or(profile.sandbox);
        profile.edition = seed.edition.unwrap_or(std::mem::take(&mut profile.edition));
        profile.instance = seed.instance.unwrap_or(std::mem::take(&mut profile.instance));
        profile.my_domain = seed.my_domain.or(profile.my_domain.take());
        profile.trial_expires = seed.trial_expires.or(profile.trial_expires.take());
        if let Some(zone) = seed.time_zone {
            jiff::tz::TimeZone::get(&zone).map_err(|e| format!("org.time_zone: {e}"))?;
            profile.time_zone = zone;
        }
        Ok(())
    }

    /// An admin and an app always exist; every user has an id.
    fn settle(&mut self, fresh: bool) {
        if fresh && self.people.users.is_empty() {
            let seed =
                UserSeed { username: "admin@emulator.example".into(), name: "Admin".into(), ..UserSeed::default() };
            self.people.users.push(User { id: String::new(), seed });
        }
        if self.people.clients.is_empty() {
            self.people.clients.push(ClientSeed {
                client_id: "3MVG9.emulator.consumer.key".to_owned(),
                client_secret: "emulator-consumer-secret".to_owned(),
                run_as: self.people.users.first().map(|u| u.seed.username.clone()),
                device_flow: true,
                ..ClientSeed::default()
            });
        }
        if let Some(client) = self.people.clients.first_mut().filter(|c| c.public_key.is_none()) {
            client.public_key = Some(PUBLIC_KEY.to_owned());
        }
        let count = self.people.users.len();
        for index in 0..count {
            if self.people.users[index].id.is_empty() {
                let id = self.next_id("005");
                self.people.users[index].id = id;
            }
        }
    }

    /// The records that every org has: itself and its users.
    fn found(&mut self, now: Timestamp) -> Result<(), EmulatorError> {
        let p = self.profile.clone();
        let org = serde_json::json!({
            "Id": p.id, "Name": p.name, "IsSandbox": p.sandbox, "OrganizationType": p.edition, "InstanceName": p.instance,
            "DefaultLocaleSidKey": "en_US", "TimeZoneSidKey": p.time_zone, "LanguageLocaleKey": "en_US",
            "FiscalYearStartMonth": 1, "IsReadOnly": false, "TrialExpirationDate": p.trial_expires,
        });
        let users = self.people.users.iter().map(|u| {
            serde_json::json!({
                "Id": u.id, "Username": u.seed.username, "LastName": u.seed.name, "Email": u.seed.email.as_ref().unwrap_or(&u.seed.username),
                "Alias": u.seed.name.chars().take(8).collect::<String>(), "CommunityNickname": u.seed.name, "IsActive": u.seed.active,
                "TimeZoneSidKey": p.time_zone, "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "EmailEncodingKey": "UTF-8",
                "UserType": "Standard",
            })
        });
        let users: Vec<Map<String, Value>> = users.filter_map(|u| u.as_object().cloned()).collect();
        let org: Vec<Map<String, Value>> = org.as_object().cloned().into_iter().collect();
        self.insert("User", &users, now)?;
        self.insert("Organization", &org, now)?;
        Ok(())
    }

    /// The admin's id.
    pub fn admin(&self) -> String {
        self.people.users.first().map(|u| u.id.clone()).unwrap_or_default()
    }

    /// A new id with this prefix.
    pub fn next_id(&mut self, prefix: &str) -> String {
        let counter = self.counters.entry(prefix.to_owned()).or_insert(0);
        *counter += 1;
        ids::nth(prefix, *counter)
    }

    /// Somebody else changes a record behind the client's back: past all rules, but not past the types.
    ///
    /// # Errors
    /// As [`Org::insert`], or no such record.
    pub fn edit(
        &self,
        object: &str,
        id: &str,
        fields: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), EmulatorError> {
        let object = find(&self.model.catalog, object)?;
        let unknown = || EmulatorError::Unknown(format!("no {} with id {id}", object.name));
        let id = ids::eighteen(id).ok_or_else(unknown)?;
        let mut changes = Vec::new();
        for (name, value) in fields {
            let field = object
                .field(name)
                .ok_or_else(|| EmulatorError::Unknown(format!("`{name}` is no field of {}", object.name)))?;
            changes.push((field.name.clone(), values::lenient(field, value).map_err(EmulatorError::Unknown)?));
        }
        self.change(object, &id, changes, &self.admin(), now)?.then_some(()).ok_or_else(unknown)
    }

    /// Writes checked values into a record, with everything that a save changes besides. False when there is no such record.
    pub fn change(
        &self,
        object: &ObjectDef,
        id: &str,
        mut changes: Vec<(String, Sql)>,
        user: &str,
        now: Timestamp,
    ) -> rusqlite::Result<bool> {
        if changes.iter().any(|(name, _)| name == "FirstName" || name == "LastName") {
            let part = |name: &str| -> rusqlite::Result<Option<String>> {
                let value = match changes.iter().find(|(n, _)| n == name) {
                    Some((_, value)) => value.clone(),
                    None if object.field(name).is_some() => rows::cell(&self.db, &object.name, id, name)?,
                    None => Sql::Null,
                };
                Ok(if let Sql::Text(text) = value { Some(text) } else { None })
            };
            let (first, last) = (part("FirstName")?, part("LastName")?);
            if let Some(name) = rows::person_name(object, first.as_deref(), last.as_deref()) {
                changes.push(("Name".to_owned(), Sql::Text(name)));
            }
        }
        let moment = stored(now);
        for (name, value) in
            [("LastModifiedDate", &moment), ("SystemModstamp", &moment), ("LastModifiedById", &user.to_owned())]
        {
            if object.field(name).is_some() && !changes.iter().any(|(n, _)| n == name) {
                changes.push((name.to_owned(), Sql::Text(value.clone())));
            }
        }
        Ok(rows::update(&self.db, &object.name, id, &changes)? > 0)
    }

    /// When a record was last changed.
    pub fn modified(&self, object: &ObjectDef, id: &str) -> rusqlite::Result<Option<Timestamp>> {
        Ok(match rows::cell(&self.db, &object.name, id, "LastModifiedDate")? {
            Sql::Text(text) => moments::timestamp(&text),
            _ => None,
        })
    }

    /// Keeps what is not in tables.
    ///
    /// # Errors
    /// SQLite's.
    pub fn save(&self) -> Result<(), EmulatorError> {
        keep(&self.db, "profile", &self.profile)?;
        keep(&self.db, "people", &self.people)?;
        keep(&self.db, "counters", &self.counters)?;
        keep(&self.db, "schema", &self.additions)?;
        Ok(())
    }
}

/// An object, or an error that names it.
pub fn find<'c>(catalog: &'c super::schema::Catalog, name: &str) -> Result<&'c ObjectDef, EmulatorError> {
    catalog.object(name).ok_or_else(|| EmulatorError::Unknown(format!("there is no object `{name}`")))
}

/// A seed file, to be read bit by bit.
pub fn open(path: &Path) -> Result<File, EmulatorError> {
    File::open(path).map_err(|source| EmulatorError::Read { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, EmulatorError> {
    std::fs::read(path).map_err(|source| EmulatorError::Read { path: path.to_owned(), source })
}

/// Keeps a part of the org that is in no table.
pub fn keep<T: Serialize>(db: &Connection, key: &str, value: &T) -> Result<(), EmulatorError> {
    let text = serde_json::to_string(value)?;
    db.prepare_cached("INSERT OR REPLACE INTO emulator_state VALUES (?1, ?2)")?.execute(params![key, text])?;
    Ok(())
}

fn load<T: DeserializeOwned>(db: &Connection, key: &str) -> Result<Option<T>, EmulatorError> {
    let text: Option<String> =
        db.query_row("SELECT value FROM emulator_state WHERE key = ?1", [key], |row| row.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}
