//! Orgs and log-ins.

use std::collections::BTreeMap;

use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, OrgId, RecordId};

use super::super::valid::{Auth, Callback, Credential, LogIn, Org, OrgEnvironment, Spanned};
use super::super::written;
use super::domain::looks_like_sandbox;
use super::variables::Expanded;
use super::{Check, Needed, join};

/// The callback URL that Salesforce's own command line uses, so that many an app has it already.
const CALLBACK: &str = "http://localhost:1717/OauthRedirect";

/// Reads a document of orgs. An environment that is wrong is left out.
pub(crate) fn orgs(
    check: &mut Check<'_>,
    written: &written::Orgs,
    api_version: &str,
    needed: &Needed<'_>,
) -> BTreeMap<String, Org> {
    let mut all = BTreeMap::new();
    for (name, org) in &written.orgs {
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= 63
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !good {
            let span = check.key(&[name]);
            check.push(
                Diagnostic::error(Code::WrongForm, format!("`{name}` cannot be an org's name"))
                    .at(span, "letters, digits, `-` and `_` only")
                    .help("write a short name such as acme"),
            );
        }
        let mut environments = BTreeMap::new();
        for (environment, written) in
            [(EnvironmentName::Sandbox, &org.sandbox), (EnvironmentName::Production, &org.production)]
        {
            let Some(written) = written else { continue };
            let told = needed(name, environment);
            if let Some(valid) = check.org_environment(name, environment, written, api_version, told) {
                environments.insert(environment, valid);
            }
        }
        check.mixed_up(name, &environments);
        let name_span = check.key(&[name]);
        all.insert(name.clone(), Org { name: Spanned::new(name.clone(), name_span), environments });
    }
    all
}

impl Check<'_> {
    fn org_environment(
        &mut self,
        org: &str,
        environment: EnvironmentName,
        written: &written::OrgEnvironment,
        api_version: &str,
        told: bool,
    ) -> Option<OrgEnvironment> {
        let path = [org, environment.as_str()];
        let written::OrgEnvironment { domain, org_id, auth, plan_auth, ci_auth, login_url, api_version: own } = written;
        let domain = self.domain(&join(&path, &["domain"]), domain, false);
        let org_id = match org_id {
            Some(written) => Some(self.org_id(&join(&path, &["org_id"]), written)?),
            None => {
                self.unpinned(org, environment);
                None
            }
        };
        let login_domain = match login_url {
            Some(url) => self.domain(&join(&path, &["login_url"]), url, true),
            None => domain.clone(),
        };
        let audience = match &domain {
            Some(domain) if looks_like_sandbox(domain) => "https://test.salesforce.com",
            Some(domain) if !domain.is_loopback() => "https://login.salesforce.com",
            _ if environment == EnvironmentName::Sandbox => "https://test.salesforce.com",
            _ => "https://login.salesforce.com",
        };
        // Where CI has a log-in of its own, only the one that is used here needs its variables.
        let ci = ci_auth.is_some() && self.is_ci();
        let mut log_in = self.log_in(&join(&path, &["auth"]), auth, audience, told && !ci);
        let mut plan_log_in = match plan_auth {
            Some(auth) => {
                Some(self.log_in(&join(&path, &["plan_auth"]), auth, audience, told && !(ci && of_a_person(auth)))?)
            }
            None => None,
        };
        if let Some(auth) = ci_auth {
            let path = join(&path, &["ci_auth"]);
            let of_ci = self.log_in(&path, auth, audience, told && ci)?;
            if of_a_person(auth) {
                let message = "CI cannot log in as a person does: nobody is there";
                self.wrong(
                    Code::OptionsContradict,
                    &path,
                    message,
                    "a person's flow",
                    "write `flow: jwt` or `flow: client_credentials`",
                );
                return None;
            }
            if ci {
                log_in = log_in.map(|_| of_ci);
                plan_log_in = plan_log_in.filter(|_| !plan_auth.as_ref().is_some_and(of_a_person));
            }
        }
        Some(OrgEnvironment {
            domain: domain?,
            org_id,
            api_version: own.clone().unwrap_or_else(|| api_version.to_owned()),
            log_in: log_in?,
            plan_log_in,
            login_domain: login_domain?,
        })
    }

    fn org_id(&mut self, path: &[&str], written: &str) -> Option<Spanned<OrgId>> {
        if written.contains("${") {
            return None;
        }
        let span = self.value(path);
        let why = match (OrgId::parse(written), RecordId::parse(written)) {
            (Some(id), _) => return Some(Spanned::new(id, span)),
            (None, Err(problem)) if written.starts_with("00D") => problem.to_string(),
            _ => "an org's id begins with 00D".to_owned(),
        };
        let help = "Setup > Company Information shows it as Salesforce.com Organization ID";
        self.push(Diagnostic::error(Code::BadOrgId, "this is not an org's id").at(span, why).help(help));
        None
    }

    /// In CI nobody is there to see which org answers, so production must say which one it is.
    fn unpinned(&mut self, org: &str, environment: EnvironmentName) {
        if environment != EnvironmentName::Production || !self.is_ci() {
            return;
        }
        let span = self.key(&[org, environment.as_str()]);
        self.push(
            Diagnostic::error(Code::OrgIdMissing, format!("{org} (production) has no `org_id:`"))
                .at(span, "in CI production must be pinned")
                .help(format!("`footbridge orgs connect {org} --env production` writes it; commit that line")),
        );
    }

    fn is_ci(&self) -> bool {
        (self.environment)("CI").is_some_and(|ci| !ci.is_empty() && ci != "false")
    }

    /// One org under two environments, or a sandbox's address under `production`.
    fn mixed_up(&mut self, org: &str, environments: &BTreeMap<EnvironmentName, OrgEnvironment>) {
        let production = environments.get(&EnvironmentName::Production);
        let sandbox = environments.get(&EnvironmentName::Sandbox);
        if let Some(production) = production.filter(|p| looks_like_sandbox(&p.domain)) {
            self.push(
                Diagnostic::error(Code::EnvironmentsMixedUp, format!("`production` of {org} is a sandbox by its name"))
                    .at(production.domain.span.clone(), "a sandbox's address")
                    .help("put it under `sandbox:`, or write the production org's My Domain"),
            );
        }
        let pin = |environment: Option<&OrgEnvironment>| environment.and_then(|e| e.org_id.clone());
        if let (Some(production), Some(sandbox)) = (pin(production), pin(sandbox))
            && production == sandbox
        {
            self.push(
                Diagnostic::error(Code::EnvironmentsMixedUp, format!("sandbox and production of {org} are one org"))
                    .at(production.span, "the same id")
                    .and(sandbox.span, "as here")
                    .help("a sandbox has an id of its own: Setup > Company Information, in the sandbox"),
            );
        }
    }

    fn log_in(&mut self, path: &[&str], auth: &written::Auth, audience: &str, told: bool) -> Option<Spanned<LogIn>> {
        let mut fields = Fields { check: self, path, told, unset: Vec::new(), wrong: false };
        let auth = match auth {
            written::Auth::AccessToken { token } => {
                let token = fields.secret("token", token);
                token.map(|token| Auth::AccessToken { token })
            }
            written::Auth::ClientCredentials { client_id, client_secret } => {
                let client_id = fields.plain("client_id", client_id);
                let client_secret = fields.secret("client_secret", client_secret);
                client_id
                    .zip(client_secret)
                    .map(|(client_id, client_secret)| Auth::ClientCredentials { client_id, client_secret })
            }
            written::Auth::RefreshToken { client_id, client_secret, refresh_token } => {
                let client_id = fields.plain("client_id", client_id);
                let client_secret = client_secret.as_ref().map(|secret| fields.secret("client_secret", secret));
                let refresh_token = fields.secret("refresh_token", refresh_token);
                client_id.zip(refresh_token).map(|(client_id, refresh_token)| Auth::RefreshToken {
                    client_id,
                    client_secret: client_secret.flatten(),
                    refresh_token,
                })
            }
            written::Auth::Jwt { client_id, username, private_key_file, private_key, audience: own } => fields.jwt(
                client_id,
                username,
                private_key_file.as_deref(),
                private_key.as_deref(),
                own.as_deref(),
                audience,
            ),
            written::Auth::Browser { client_id, client_secret, callback } => {
                let client_id = fields.plain("client_id", client_id);
                let client_secret = client_secret.as_ref().map(|secret| fields.secret("client_secret", secret));
                let callback = fields.callback(callback.as_deref());
                client_id.zip(callback).map(|(client_id, callback)| Auth::Browser {
                    client_id,
                    client_secret: client_secret.flatten(),
                    callback,
                })
            }
            written::Auth::Device { client_id, client_secret } => {
                let client_id = fields.plain("client_id", client_id);
                let client_secret = client_secret.as_ref().map(|secret| fields.secret("client_secret", secret));
                client_id.map(|client_id| Auth::Device { client_id, client_secret: client_secret.flatten() })
            }
            written::Auth::SfCli { target_org, auth_url } => fields.sf_cli(target_org.as_deref(), auth_url.as_deref()),
        };
        let (unset, wrong) = (fields.unset, fields.wrong);
        let span = self.key(path);
        match auth {
            _ if wrong => None,
            _ if !unset.is_empty() => Some(Spanned::new(LogIn::Unset(unset), span)),
            Some(auth) => Some(Spanned::new(LogIn::Ready(auth), span)),
            None => None,
        }
    }
}

/// The keys of one log-in.
struct Fields<'a, 'c> {
    check: &'a mut Check<'c>,
    path: &'a [&'a str],
    told: bool,
    unset: Vec<String>,
    wrong: bool,
}

impl Fields<'_, '_> {
    fn take(&mut self, expanded: Expanded) -> Option<Credential> {
        match expanded {
            Expanded::Ready(credential) => Some(credential),
            Expanded::Unset(names) => {
                self.unset.extend(names);
                None
            }
            Expanded::Wrong => {
                self.wrong = true;
                None
            }
        }
    }

    fn plain(&mut self, key: &str, text: &str) -> Option<Credential> {
        let expanded = self.check.expand(&join(self.path, &[key]), text, self.told);
        self.take(expanded)
    }

    fn secret(&mut self, key: &str, text: &str) -> Option<Credential> {
        let expanded = self.check.secret(&join(self.path, &[key]), text, self.told);
        self.take(expanded)
    }

    /// The address to come back to: http on this machine, with a port.
    fn callback(&mut self, written: Option<&str>) -> Option<Callback> {
        let text = match written {
            Some(text) => self.plain("callback", text)?.value.expose().to_owned(),
            None => CALLBACK.to_owned(),
        };
        let read = || {
            let rest = text.strip_prefix("http://")?;
            let (authority, path) = rest.split_at(rest.find('/')?);
            let (host, port) = authority.rsplit_once(':')?;
            let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
            let plain = path.bytes().all(|b| b.is_ascii_graphic() && !b"?#\\\"<>%".contains(&b));
            let known = matches!(host, "localhost" | "127.0.0.1" | "[::1]") && plain;
            known.then(|| Callback { text: text.clone(), host: host.to_owned(), port, path: path.to_owned() })
        };
        let read = read();
        if read.is_none() {
            self.check.wrong(
                Code::BadUrl,
                &join(self.path, &["callback"]),
                "nobody can listen at this callback URL",
                "an http address of this machine with a port and a path is wanted",
                format!("write {CALLBACK}, and register the same with the app in Salesforce"),
            );
            self.wrong = true;
        }
        read
    }

    fn sf_cli(&mut self, target_org: Option<&str>, auth_url: Option<&str>) -> Option<Auth> {
        match (target_org, auth_url) {
            (Some(target_org), None) => {
                let target_org = self.plain("target_org", target_org)?.value.expose().to_owned();
                // It becomes an argument of `sf`.
                if !target_org.starts_with('-') {
                    return Some(Auth::SfCli { target_org });
                }
                let path = join(self.path, &["target_org"]);
                let help = "write an alias or user name that `sf org list` shows";
                self.check.wrong(Code::WrongForm, &path, "this is no alias", "begins with a hyphen", help);
                self.wrong = true;
                None
            }
            (None, Some(auth_url)) => self.secret("auth_url", auth_url).map(|auth_url| Auth::SfAuthUrl { auth_url }),
            (Some(_), Some(_)) => {
                let path = join(self.path, &["auth_url"]);
                let help = "keep one of `target_org` and `auth_url`";
                let message = "the log-in of `sf` is named twice";
                self.check.wrong(Code::OptionsContradict, &path, message, "beside `target_org`", help);
                self.wrong = true;
                None
            }
            (None, None) => {
                let span = self.check.key(self.path);
                self.check.push(
                    Diagnostic::error(Code::MissingKey, "which log-in of `sf`?")
                        .at(span, "`target_org:` is missing here")
                        .help("add the line: target_org: ALIAS, as `sf org list` shows it"),
                );
                self.wrong = true;
                None
            }
        }
    }

    fn jwt(
        &mut self,
        client_id: &str,
        username: &str,
        file: Option<&str>,
        key: Option<&str>,
        own_audience: Option<&str>,
        audience: &str,
    ) -> Option<Auth> {
        let client_id = self.plain("client_id", client_id);
        let username = self.plain("username", username).map(|c| c.value.expose().to_owned());
        let audience = match own_audience {
            Some(own) => self.plain("audience", own).map(|c| c.value.expose().to_owned()),
            None => Some(audience.to_owned()),
        };
        match (file, key) {
            (Some(file), None) => {
                let file = self.plain("private_key_file", file).map(|c| c.value.expose().to_owned());
                Some(Auth::JwtFile {
                    client_id: client_id?,
                    username: username?,
                    private_key_file: file?,
                    audience: audience?,
                })
            }
            (None, Some(key)) => {
                let key = self.secret("private_key", key);
                Some(Auth::JwtKey {
                    client_id: client_id?,
                    username: username?,
                    private_key: key?,
                    audience: audience?,
                })
            }
            (Some(_), Some(_)) => {
                let path = join(self.path, &["private_key"]);
                self.check.wrong(
                    Code::OptionsContradict,
                    &path,
                    "the private key is given twice",
                    "beside `private_key_file`",
                    "keep one of `private_key` and `private_key_file`",
                );
                self.wrong = true;
                None
            }
            (None, None) => {
                let span = self.check.key(self.path);
                self.check.push(
                    Diagnostic::error(Code::MissingKey, "the JWT log-in has no private key")
                        .at(span, "`private_key_file:` is missing here")
                        .help("add the line: private_key_file: \"${ACME_KEY}\""),
                );
                self.wrong = true;
                None
            }
        }
    }
}

/// Does this log-in need a person, or what a person has on their machine?
fn of_a_person(auth: &written::Auth) -> bool {
    matches!(
        auth,
        written::Auth::Browser { .. } | written::Auth::Device { .. } | written::Auth::SfCli { target_org: Some(_), .. }
    )
}
