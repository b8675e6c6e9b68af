//! What a configuration reaches: orgs with their log-ins, and the hosts of sources with what is sent to them. On a pull request all of it has to be in
//! the base already, to the letter: otherwise a branch could send a credential to a place of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::config::valid::{
    Auth, Credential, HeaderValue, Integration, Location, LogIn, OrgEnvironment, Repository, Source as ReportSource,
};
use crate::model::EnvironmentName;

/// A source outside the repository, as it is written, and with the values of its variables.
#[derive(Debug, Clone)]
pub struct Source {
    /// As written.
    pub written: Value,
    /// Its headers, ready to be sent.
    pub headers: Vec<crate::config::valid::Header>,
}

/// Where an org is, which one it is, and how to log in: variables by their names.
pub fn org(settings: &OrgEnvironment) -> Value {
    let OrgEnvironment { domain, org_id, api_version: _, log_in, plan_log_in, login_domain } = settings;
    let mut form = Map::new();
    form.insert("domain".into(), domain.host().into());
    if let Some(id) = org_id {
        form.insert("org_id".into(), id.as_str().into());
    }
    form.insert("auth".into(), auth(log_in));
    if let Some(plan) = plan_log_in {
        form.insert("plan_auth".into(), auth(plan));
    }
    if login_domain.host() != domain.host() {
        form.insert("login_url".into(), login_domain.host().into());
    }
    Value::Object(form)
}

fn auth(log_in: &LogIn) -> Value {
    let text = |credential: &Credential| credential.value.expose().to_owned();
    let optional = |credential: &Option<Credential>| credential.as_ref().map(text);
    let LogIn::Ready(auth) = log_in else { return Value::Null };
    let mut form = match auth {
        Auth::AccessToken { token } => json!({ "token": text(token) }),
        Auth::JwtFile { client_id, username, private_key_file, audience } => {
            json!({ "client_id": text(client_id), "username": username, "private_key_file": private_key_file, "audience": audience })
        }
        Auth::JwtKey { client_id, username, private_key, audience } => {
            json!({ "client_id": text(client_id), "username": username, "private_key": text(private_key), "audience": audience })
        }
        Auth::ClientCredentials { client_id, client_secret } => {
            json!({ "client_id": text(client_id), "client_secret": text(client_secret) })
        }
        Auth::RefreshToken { client_id, client_secret, refresh_token } => {
            json!({ "client_id": text(client_id), "client_secret": optional(client_secret), "refresh_token": text(refresh_token) })
        }
        Auth::Browser { client_id, client_secret, callback } => {
            json!({ "client_id": text(client_id), "client_secret": optional(client_secret), "callback": callback.text })
        }
        Auth::Device { client_id, client_secret } => {
            json!({ "client_id": text(client_id), "client_secret": optional(client_secret) })
        }
        Auth::SfCli { target_org } => json!({ "target_org": target_org }),
        Auth::SfAuthUrl { auth_url } => json!({ "auth_url": text(auth_url) }),
    };
    if let Value::Object(form) = &mut form {
        form.retain(|_, value| !value.is_null());
        form.insert("flow".into(), auth.flow().into());
    }
    form
}

/// The headers of a source by name, variables by their names.
pub(super) fn headers(source: &ReportSource) -> Map<String, Value> {
    let value = |value: &HeaderValue| match value {
        HeaderValue::Ready(credential) => Value::from(credential.value.expose()),
        HeaderValue::Unset(variables) => Value::from(variables.clone()),
    };
    source.headers.iter().map(|header| (header.name.clone(), value(&header.value))).collect()
}

/// What of a source only says how its bytes are read.
const READING: [&str; 8] =
    ["encoding", "delimiter", "quote", "header", "skip_lines", "time_zone", "checksum", "allow_tracked"];

/// The source as written, where it lies outside the repository: whatever it says of where it is, and the headers that are sent.
pub fn written(source: &ReportSource) -> Option<Value> {
    if matches!(source.location.value, Location::Path(_)) {
        return None;
    }
    let mut form = serde_json::to_value(source).unwrap_or_default();
    if let Value::Object(form) = &mut form {
        form.retain(|key, _| !READING.contains(&key.as_str()));
        form.insert("headers".to_owned(), Value::Object(headers(source)));
    }
    Some(form)
}

/// Every source, by where it stands.
fn all(repository: &Repository) -> BTreeMap<(&str, Option<EnvironmentName>, &str), &ReportSource> {
    let mut all = BTreeMap::new();
    for (name, integration) in &repository.integrations {
        all.insert(("integration", None, name.as_str()), &integration.report.source);
        for (environment, own) in &integration.environments {
            all.extend(own.source.as_ref().map(|source| (("integration", Some(*environment), name.as_str()), source)));
        }
    }
    all.extend(repository.reports.iter().map(|(name, report)| (("report", None, name.as_str()), &report.source)));
    all
}

/// Every source outside the repository: `plain` from [`super::load_plain`], `ready` the same files with their variables.
pub fn sources(plain: &Repository, ready: &Repository) -> Vec<Source> {
    let ready = all(ready);
    let both = all(plain).into_iter().filter_map(|(place, source)| Some((source, ready.get(&place)?)));
    both.filter(|(a, b)| a.location == b.location)
        .filter_map(|(a, b)| Some(Source { written: written(a)?, headers: b.headers.clone() }))
        .collect()
}

/// The names of all variables that a job reads for the integrations of an environment, from [`super::load_plain`]: one that only plans (`plans`), or one that
/// applies and tells of it. A plan is given no log-in that can write where there is one that can not.
pub fn variables(repository: &Repository, environment: EnvironmentName, plans: bool) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let used = |value: &HeaderValue| match value {
        HeaderValue::Ready(credential) => credential.variables.clone(),
        HeaderValue::Unset(variables) => variables.clone(),
    };
    for integration in repository.integrations.values().filter(|i| i.environments.contains_key(&environment)) {
        for variable in integration.source(environment).headers.iter().flat_map(|header| used(&header.value)) {
            // Without the host that it is for it is not sent.
            all.insert(format!("{variable}_HOST"));
            all.insert(variable);
        }
        if let Some(settings) = repository.org_environment(integration, environment) {
            let plan = settings.plan_log_in.as_ref();
            let writer = (!plans || plan.is_none()).then_some(&settings.log_in);
            let texts: Vec<Value> = plan.into_iter().chain(writer).map(|log_in| auth(log_in)).collect();
            let texts = texts.iter().filter_map(Value::as_object).flat_map(Map::values).filter_map(Value::as_str);
            texts.for_each(|text| all.extend(named(text)));
        }
    }
    for notices in repository.project.notices.iter().filter(|_| !plans) {
        all.extend(used(&notices.url));
        all.extend(notices.headers.iter().flat_map(|header| used(&header.value)));
    }
    all
}

/// The variables that stand in a text as `${NAME}`.
fn named(text: &str) -> impl Iterator<Item = String> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned())
}

/// Why an integration may not be planned in an environment with what the base trusts; empty if it may. All three from [`super::load_plain`]: `branch` is
/// looked at, `fork_point` is where it left the base, `trusted` is the base now.
pub fn untrusted(
    integration: &Integration,
    environment: EnvironmentName,
    branch: &Repository,
    fork_point: &Repository,
    trusted: &Repository,
) -> Vec<String> {
    let mut why = Vec::new();
    let name = integration.org.as_str();
    let reached =
        |repository: &Repository| repository.orgs.get(name).and_then(|org| org.environments.get(&environment)).map(org);
    let (own, forked, base) = (reached(branch), reached(fork_point), reached(trusted));
    match &base {
        None => why.push(format!("the base has no org `{name}` with a {environment}")),
        // A branch that is behind has not changed anything; the base's settings are used.
        Some(_) if own == base || own == forked => {}
        Some(base) => {
            let none = Map::new();
            let (own, base) =
                (own.as_ref().and_then(Value::as_object).unwrap_or(&none), base.as_object().unwrap_or(&none));
            let keys = ["domain", "org_id", "auth", "plan_auth", "login_url"];
            let changed: Vec<&str> = keys.into_iter().filter(|key| own.get(*key) != base.get(*key)).collect();
            why.push(format!("the branch changes `{name}` ({environment}): {}", changed.join(", ")));
        }
    }
    if let Some(own) = written(integration.source(environment))
        && !all(trusted).values().any(|source| written(source).as_ref() == Some(&own))
    {
        why.push(
            "the branch reads the report from an address, or with headers, that the base does not name".to_owned(),
        );
    }
    why
}
