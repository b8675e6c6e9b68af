//! From `orgs.yaml` to a client that has logged in and stands in the pinned org.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::exit::Exit;
use super::failure::Failure;
use super::problem;
use super::tokens::{Keeper, sf, stored, vault};
use super::world::World;
use crate::config::valid::{Auth, Credential, LogIn, OrgEnvironment, Project, Spanned};
use crate::diag::{Code, Diagnostic, Span};
use crate::model::{Digest, EnvironmentName, OrgId, Secret};
use crate::net::{BackoffSettings, Budget, HostRule, Http, Settings};
use crate::render::escape::Terminal;
use crate::salesforce::{Client, Connect, Login, Outside, SalesforceError, TokenKeeper, is_read};
use crate::vault::{Connection, Place};

/// Hosts that a token may be sent to (My Domain suffixes, Salesforce help "My Domain URL formats"); loopback is allowed besides.
const SUFFIXES: [&str; 5] = [".salesforce.com", ".force.com", ".salesforce.mil", ".cloudforce.com", ".database.com"];

/// What a command wants an org for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Planning: `plan_auth` where there is one, and a client that can only read.
    Plan,
    /// Applying.
    Apply,
}

/// A client in the right org.
pub struct Connected {
    /// The client.
    pub client: Client,
    /// The org, checked against its pin.
    pub org_id: OrgId,
    /// The user, where the log-in says.
    pub username: Option<String>,
    /// Logged in by `plan_auth`, which may be a read-only user.
    pub reader: bool,
    /// Which log-in it is.
    pub place: Place,
    /// Start of the addresses of records, for people.
    pub record_links: String,
}

/// The run's budget of repeats. `FOOTBRIDGE_BACKOFF=none` repeats without waiting, for tests.
pub fn budget(world: &World) -> Budget {
    let settings = match world.variable("FOOTBRIDGE_BACKOFF").as_deref() {
        Some("none") => BackoffSettings::immediate(),
        _ => BackoffSettings::default(),
    };
    Budget::telling(settings, telling(world))
}

/// The budget of a run beside that one, in the same org.
pub fn beside(other: &Budget, world: &World) -> Budget {
    other.beside(telling(world))
}

fn telling(world: &World) -> impl Fn(&str, Duration) + Send + Sync + 'static {
    let world = world.clone();
    move |why, wait| {
        if wait >= Duration::from_millis(500) {
            world.say(&format!("{}; trying again in {:.0} s", Terminal(why), wait.as_secs_f64().ceil()));
        }
    }
}

/// The command that mends a log-in.
pub fn mend(Place { org, environment, plans }: &Place) -> String {
    format!("footbridge orgs connect {org} --env {environment}{}", if *plans { " --plans" } else { "" })
}

/// The command that writes the id of the org that answers now.
pub fn pin(Place { org, environment, .. }: &Place) -> String {
    format!("footbridge orgs pin {org} --env {environment}")
}

/// HTTP for an org, as the project's time-outs say. `reads`: refuse to send whatever may change something.
pub fn http(project: &Project, reads: bool) -> Http {
    let rule = HostRule::suffixes(&SUFFIXES);
    Http::new(Settings {
        connect_timeout: project.connect_time_out,
        read_timeout: project.answer_time_out,
        total_timeout: project.answer_time_out.max(Duration::from_secs(660)),
        read_only: reads.then_some(is_read as crate::net::ReadRule),
        run: format!("fb-{:08x}", fastrand::u32(..)),
        ..Settings::new(rule)
    })
}

/// One environment, and how to log in to it.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// What is outside.
    pub world: &'a World,
    /// The repository.
    pub root: &'a Path,
    /// Time-outs.
    pub project: &'a Project,
    /// The org's name.
    pub org: &'a str,
    /// Which of its environments.
    pub environment: EnvironmentName,
    /// What the configuration says of it.
    pub settings: &'a OrgEnvironment,
    /// The log-in to use.
    pub log_in: &'a Spanned<LogIn>,
    /// Is that the log-in of plans alone (`plan_auth`)?
    pub plans: bool,
    /// Does the command log in for its own sake (`footbridge orgs …`)?
    pub trying: bool,
}

/// An org that was logged in to.
pub struct Opened {
    /// The client.
    pub client: Client,
    /// The log-in as it was kept before.
    kept: Option<Connection>,
}

/// How to log in, what keeps the tokens, and the log-in as it is kept now.
type Ways = (Login, Option<Arc<dyn TokenKeeper>>, Option<Connection>);

impl Door<'_> {
    /// `acme (sandbox)`.
    pub fn label(&self) -> String {
        self.place().to_string()
    }

    /// Which log-in of those that are kept.
    pub fn place(&self) -> Place {
        Place { org: self.org.to_owned(), environment: self.environment, plans: self.plans }
    }

    /// The log-in as it is written, with its variables.
    ///
    /// # Errors
    /// Variables that are not set.
    pub fn auth(&self) -> Result<&Auth, Failure> {
        match &self.log_in.value {
            LogIn::Ready(auth) => Ok(auth),
            LogIn::Unset(variables) => {
                let listed = variables.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
                let diagnostic = Diagnostic::error(Code::VariableNotSet, format!("not set: {listed}"))
                    .at(self.log_in.span.clone(), "needs it")
                    .help("set the environment variable, here or in CI's secrets");
                Err(Failure::new(Exit::Unauthorised, diagnostic))
            }
        }
    }

    /// A person's log-in did not come about.
    pub fn not_logged_in(&self, code: Code, message: impl std::fmt::Display) -> Diagnostic {
        Diagnostic::error(code, format!("{}: {message}", self.place()))
            .at(self.log_in.span.clone(), "this log-in")
            .note("nothing was kept and nothing was written")
    }

    /// The failure that an error of this log-in calls for.
    pub fn failure(&self, error: &SalesforceError, at: &Span) -> Failure {
        let place = self.place();
        let context = problem::salesforce::Context {
            org: &place,
            at: Some(at),
            not_done: "nothing was read from Salesforce and nothing was written",
        };
        match self.trying {
            true => problem::salesforce::of_log_in(error, &context),
            false => problem::salesforce::failure(error, &context),
        }
    }

    /// Logs in, without a look at which org answers.
    ///
    /// # Errors
    /// Log-in refused, host not allowed, not connected: exit 7; no answer: exit 1.
    pub async fn open(&self, reads: bool, budget: Budget) -> Result<Opened, Failure> {
        let (login, keeper, kept) = self.login()?;
        Ok(Opened { client: self.client(login, keeper, reads, budget).await?, kept })
    }

    /// A client by a log-in that is at hand.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn client(
        &self,
        login: Login,
        keeper: Option<Arc<dyn TokenKeeper>>,
        reads: bool,
        budget: Budget,
    ) -> Result<Client, Failure> {
        let clock = self.world.clone();
        let domain = url(&self.settings.login_domain.base_url())?;
        let mut connect = Connect::new(http(self.project, reads), domain, login, budget, move || clock.now());
        connect.api_version.clone_from(&self.settings.api_version);
        connect.bulk.job_limit = self.project.job_time_out;
        connect.keeper = keeper;
        Client::connect(connect).await.map_err(|error| self.failure(&error, &self.log_in.span))
    }

    fn keeper(&self, flow: &'static str, client_id: &str, given: Option<&Secret>) -> Keeper {
        Keeper {
            first: None,
            world: self.world.clone(),
            root: self.root.to_owned(),
            place: self.place(),
            flow,
            client_id: client_id.to_owned(),
            org_id: self.settings.org_id.as_ref().map(|id| id.value),
            given: given.map(|token| Digest::of(token.expose().as_bytes()).to_string()),
        }
    }

    /// The log-in, and what keeps its tokens.
    fn login(&self) -> Result<Ways, Failure> {
        let auth = self.auth()?;
        let domain = url(&self.settings.domain.base_url())?;
        let id = |client_id: &Credential| client_id.value.expose().to_owned();
        let by_refresh = |client_id: String, client_secret: Option<Secret>, refresh_token: Secret| {
            let keeper = self.keeper(auth.flow(), &client_id, Some(&refresh_token));
            let keeper: Arc<dyn TokenKeeper> = Arc::new(keeper);
            (Login::RefreshToken { client_id, client_secret, refresh_token }, Some(keeper), None)
        };
        Ok(match auth {
            Auth::AccessToken { token } => {
                (Login::AccessToken { token: secret(token), instance_url: domain }, None, None)
            }
            Auth::JwtKey { client_id, username, private_key, audience } => {
                let private_key_pem = secret(private_key);
                let (audience, username) = (audience.clone(), username.clone());
                (Login::Jwt { audience, client_id: id(client_id), username, private_key_pem }, None, None)
            }
            Auth::JwtFile { client_id, username, private_key_file, audience } => {
                let private_key_pem = self.key_file(private_key_file)?;
                let (audience, username) = (audience.clone(), username.clone());
                (Login::Jwt { audience, client_id: id(client_id), username, private_key_pem }, None, None)
            }
            Auth::ClientCredentials { client_id, client_secret } => {
                let login = Login::ClientCredentials { client_id: id(client_id), client_secret: secret(client_secret) };
                (login, None, None)
            }
            Auth::RefreshToken { client_id, client_secret, refresh_token } => {
                by_refresh(id(client_id), client_secret.as_ref().map(secret), secret(refresh_token))
            }
            Auth::SfAuthUrl { auth_url } => {
                let parts = sf::auth_url(&auth_url.value).ok_or_else(|| {
                    let variables = auth_url.variables.join(", ");
                    let message = format!("{}: {variables} holds no address of `sf`", self.label());
                    let diagnostic = Diagnostic::error(Code::SalesforceCli, message)
                        .at(self.log_in.span.clone(), "this log-in")
                        .help("it looks like force://…@acme.my.salesforce.com; `sf org auth show-sfdx-auth-url` prints it");
                    Failure::new(Exit::Unauthorised, diagnostic)
                })?;
                by_refresh(parts.client_id, parts.client_secret, parts.refresh_token)
            }
            Auth::SfCli { target_org } => {
                let target_org = target_org.clone();
                (Login::Outside(Outside(Arc::new(move || sf::session(&target_org)))), None, None)
            }
            Auth::Browser { client_id, client_secret, .. } | Auth::Device { client_id, client_secret } => {
                let client_id = id(client_id);
                let kept = self.connected(&client_id)?;
                let keeper = Keeper { first: Some(kept.clone()), ..self.keeper(auth.flow(), &client_id, None) };
                let login = Login::Kept { client_id, client_secret: client_secret.as_ref().map(secret) };
                (login, Some(Arc::new(keeper)), Some(kept))
            }
        })
    }

    /// The log-in of a person that is kept, where it is the right one.
    fn connected(&self, client_id: &str) -> Result<Connection, Failure> {
        let place = self.place();
        let kept = stored(self.world, self.root, &place)?.map(|(_, connection)| connection);
        let why = match kept {
            None => "nobody has logged in on this machine",
            Some(kept) if kept.client_id != client_id || kept.successor_of.is_some() => {
                "the log-in that is kept is another app's"
            }
            Some(kept) => match &self.settings.org_id {
                Some(pinned) if pinned.value != kept.org_id => {
                    let error = SalesforceError::WrongOrg { pinned: pinned.value, actual: kept.org_id };
                    return Err(self.failure(&error, &pinned.span));
                }
                _ => return Ok(kept),
            },
        };
        let mut diagnostic = Diagnostic::error(Code::NotConnected, format!("{place} is not connected: {why}"))
            .at(self.log_in.span.clone(), "this org")
            .note("nothing was read from Salesforce and nothing was written");
        diagnostic = if self.world.is_ci() {
            diagnostic.help("in CI nobody can log in: use `flow: jwt` or `flow: client_credentials`")
        } else {
            diagnostic.help(format!("run `{}`", mend(&place)))
        };
        Err(Failure::new(Exit::Unauthorised, diagnostic))
    }

    fn key_file(&self, name: &str) -> Result<Secret, Failure> {
        let text = std::fs::read_to_string(self.root.join(name)).map_err(|e| {
            let diagnostic =
                Diagnostic::error(Code::KeyUnreadable, format!("the private key file cannot be read: {e}"))
                    .at(self.log_in.span.clone(), "names it")
                    .help("the variable must hold the path of a PEM file that this machine can read");
            Failure::new(Exit::Unauthorised, diagnostic)
        })?;
        Ok(Secret::new(text))
    }
}

/// Logs in and checks the org's id before anything else is read.
///
/// # Errors
/// Log-in refused, host not allowed, wrong org, not connected: exit 7; no answer: exit 1.
pub async fn connect(
    world: &World,
    root: &Path,
    project: &Project,
    org: (&str, EnvironmentName, &OrgEnvironment),
    purpose: Purpose,
    budget: Budget,
) -> Result<Connected, Failure> {
    let (org, environment, settings) = org;
    let (log_in, reader) = match (&settings.plan_log_in, purpose) {
        (Some(plan), Purpose::Plan) => (plan, true),
        _ => (&settings.log_in, false),
    };
    let door = Door { world, root, project, org, environment, settings, log_in, plans: reader, trying: false };
    let Opened { client, kept } = door.open(purpose == Purpose::Plan, budget).await?;
    let pinned = settings.org_id.as_ref();
    let org_id = client.check_org(pinned.map(|id| id.value)).await;
    let org_id = org_id.map_err(|error| door.failure(&error, pinned.map_or(&log_in.span, |id| &id.span)))?;
    let username = client.identity().await.ok().and_then(|i| i.username);
    if let Some(kept) = kept {
        door.used(&kept);
    }
    let record_links = lightning(&settings.domain.base_url());
    Ok(Connected { client, org_id, username, reader, place: door.place(), record_links })
}

/// How often the last use of a log-in that is kept is written, in seconds.
const USED_EVERY: i64 = 60;

impl Door<'_> {
    /// Notes that a log-in that is kept was used. No command fails for it.
    fn used(&self, kept: &Connection) {
        let now = self.world.now();
        if now.as_second() - kept.used.as_second() < USED_EVERY {
            return;
        }
        if let Ok(Some(vault)) = vault(self.world, self.root) {
            let _ = vault.update(&self.place(), |connection| connection.used = now);
        }
    }
}

/// An address that the configuration has checked.
pub fn url(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|e| Failure::bug(format!("a checked domain is no address: {e}")))
}

/// Pages of records lie at the same name under `.lightning.force.com`.
fn lightning(base: &str) -> String {
    match base.strip_suffix(".my.salesforce.com") {
        Some(name) => format!("{name}.lightning.force.com"),
        None => base.to_owned(),
    }
}

fn secret(credential: &Credential) -> Secret {
    credential.value.clone()
}
