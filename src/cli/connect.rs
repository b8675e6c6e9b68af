//! From `orgs.yaml` to a client that has logged in and stands in the pinned org.

use std::path::Path;
use std::time::Duration;

use url::Url;

use super::exit::Exit;
use super::failure::Failure;
use super::problem;
use super::world::World;
use crate::config::valid::{Auth, Credential, LogIn, OrgEnvironment, Project, Spanned};
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, OrgId, Secret};
use crate::net::{BackoffSettings, Budget, HostRule, Http, Settings};
use crate::render::escape::Terminal;
use crate::salesforce::{Client, Connect, Login, is_read};

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
    /// `acme (sandbox)`.
    pub label: String,
    /// Start of the addresses of records, for people.
    pub record_links: String,
}

/// The run's budget of repeats. `FOOTBRIDGE_BACKOFF=none` repeats without waiting, for tests.
pub fn budget(world: &World) -> Budget {
    let settings = match world.variable("FOOTBRIDGE_BACKOFF").as_deref() {
        Some("none") => BackoffSettings::immediate(),
        _ => BackoffSettings::default(),
    };
    let world = world.clone();
    Budget::telling(settings, move |why, wait| {
        if wait >= Duration::from_millis(500) {
            world.say(&format!("{}; trying again in {:.0} s", Terminal(why), wait.as_secs_f64().ceil()));
        }
    })
}

/// Logs in and checks the org's id before anything else is read.
///
/// # Errors
/// Log-in refused, host not allowed, wrong org: exit 7; no answer: exit 1.
pub async fn connect(
    world: &World,
    root: &Path,
    project: &Project,
    org: (&str, EnvironmentName, &OrgEnvironment),
    purpose: Purpose,
    budget: Budget,
) -> Result<Connected, Failure> {
    let (name, environment, settings) = org;
    let label = format!("{name} ({environment})");
    let (log_in, reader) = match (&settings.plan_log_in, purpose) {
        (Some(plan), Purpose::Plan) => (plan, true),
        _ => (&settings.log_in, false),
    };
    let domain = url(&settings.domain.base_url())?;
    let login = login(root, log_in, &domain)?;
    let rule = HostRule::suffixes(&SUFFIXES);
    let http = Http::new(Settings {
        connect_timeout: project.connect_time_out,
        read_timeout: project.answer_time_out,
        total_timeout: project.answer_time_out.max(Duration::from_secs(660)),
        read_only: (purpose == Purpose::Plan).then_some(is_read as crate::net::ReadRule),
        run: format!("fb-{:08x}", fastrand::u32(..)),
        ..Settings::new(rule)
    });
    let clock = world.clone();
    let mut connect = Connect::new(http, url(&settings.login_domain.base_url())?, login, budget, move || clock.now());
    connect.bulk.job_limit = project.job_time_out;
    connect.api_version.clone_from(&settings.api_version);
    let context = problem::salesforce::Context {
        org: &label,
        at: Some(&log_in.span),
        not_done: "nothing was read from Salesforce and nothing was written",
    };
    let wrong = |error| problem::salesforce::failure(&error, &context);
    let client = Client::connect(connect).await.map_err(wrong)?;
    let org_id = client.check_org(Some(settings.org_id.value)).await.map_err(|error| {
        let context = problem::salesforce::Context { at: Some(&settings.org_id.span), ..context };
        problem::salesforce::failure(&error, &context)
    })?;
    let username = client.identity().await.ok().and_then(|i| i.username);
    let record_links = lightning(&settings.domain.base_url());
    Ok(Connected { client, org_id, username, reader, label, record_links })
}

fn url(text: &str) -> Result<Url, Failure> {
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

fn login(root: &Path, log_in: &Spanned<LogIn>, domain: &Url) -> Result<Login, Failure> {
    let auth = match &log_in.value {
        LogIn::Ready(auth) => auth,
        LogIn::Unset(variables) => {
            let listed = variables.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
            let diagnostic = Diagnostic::error(Code::VariableNotSet, format!("not set: {listed}"))
                .at(log_in.span.clone(), "needs it")
                .help("set the environment variable, here or in CI's secrets");
            return Err(Failure::new(Exit::Unauthorised, diagnostic));
        }
    };
    Ok(match auth {
        Auth::AccessToken { token } => Login::AccessToken { token: secret(token), instance_url: domain.clone() },
        Auth::JwtKey { client_id, username, private_key, audience } => Login::Jwt {
            audience: audience.clone(),
            client_id: client_id.value.expose().to_owned(),
            username: username.clone(),
            private_key_pem: secret(private_key),
        },
        Auth::JwtFile { client_id, username, private_key_file, audience } => {
            let path = root.join(private_key_file);
            let pem = std::fs::read_to_string(&path).map_err(|e| {
                let diagnostic =
                    Diagnostic::error(Code::KeyUnreadable, format!("the private key file cannot be read: {e}"))
                        .at(log_in.span.clone(), "names it")
                        .help("the variable must hold the path of a PEM file that this machine can read");
                Failure::new(Exit::Unauthorised, diagnostic)
            })?;
            Login::Jwt {
                audience: audience.clone(),
                client_id: client_id.value.expose().to_owned(),
                username: username.clone(),
                private_key_pem: Secret::new(pem),
            }
        }
        Auth::ClientCredentials { client_id, client_secret } => Login::ClientCredentials {
            client_id: client_id.value.expose().to_owned(),
            client_secret: secret(client_secret),
        },
        Auth::RefreshToken { client_id, client_secret, refresh_token } => Login::RefreshToken {
            client_id: client_id.value.expose().to_owned(),
            client_secret: client_secret.as_ref().map(secret),
            refresh_token: secret(refresh_token),
        },
    })
}
