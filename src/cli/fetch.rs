//! Reports from elsewhere, fetched once a command: what is asked, with which secrets, and what is said of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::connect::budget;
use super::exit::Exit;
use super::failure::Failure;
use super::ground::Place;
use super::problem;
use super::repository::scratch;
use super::world::World;
use crate::config::valid::{self, HeaderValue, Location, ObjectPlace};
use crate::diag::{Code, Diagnostic};
use crate::model::{Digest, Secret};
use crate::net::{HostRule, Http, Settings, is_loopback, place_of};
use crate::render::escape::Terminal;
use crate::report::{FetchError, Fetched, ObjectReport, StoreError, StoreKind, WebReport};

/// The most that is fetched where `max_size` says nothing, in bytes.
const MOST: u64 = 10_000_000_000;

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Fetched>>>>;

/// What this command has fetched, by what was asked. Clones share it.
#[derive(Clone, Default)]
pub struct Downloads(Arc<Mutex<BTreeMap<String, Slot>>>);

impl std::fmt::Debug for Downloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Downloads")
    }
}

impl Downloads {
    /// The place for one source's content; whoever comes second waits for the first.
    fn slot(&self, asked: &str) -> Slot {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(asked.to_owned()).or_default())
    }
}

impl Place<'_> {
    /// A source that is no file of the repository: fetched when first asked for in this command, and the same bytes ever after.
    ///
    /// # Errors
    /// It cannot be had: exit 1. A secret that is not for its host, a variable that is not set: exit 3.
    pub(super) async fn fetched(&self, source: &valid::Source) -> Result<Arc<Fetched>, Failure> {
        let slot = self.world.downloads.slot(&asked(source));
        let mut slot = slot.lock().await;
        if let Some(fetched) = &*slot {
            return Ok(Arc::clone(fetched));
        }
        if self.world.progress {
            self.world.say(&format!("fetching {} …", shown(&source.location.value)));
        }
        let fetched = Arc::new(self.fetch(source).await?);
        self.say_fetched(source, &fetched);
        *slot = Some(Arc::clone(&fetched));
        Ok(fetched)
    }

    async fn fetch(&self, source: &valid::Source) -> Result<Fetched, Failure> {
        let told = |error: FetchError| failure(&error, source);
        let limit = source.max_size.unwrap_or(MOST);
        let file = || scratch(self.root).map_err(|error| told(error.into()));
        let budget = budget(self.world);
        let variable = |name: &str| self.world.variable(name);
        match &source.location.value {
            Location::Path(_) => Err(Failure::bug("a file of the repository is not fetched")),
            Location::Url(text) => {
                let url = Url::parse(text).map_err(|_| Failure::bug("a checked URL is none"))?;
                if let Some(place) = azure(&url, source, &variable) {
                    let wanted = self.object(&place, source, limit, &variable);
                    return wanted.fetch(file()?).await.map_err(told);
                }
                let local = is_loopback(&url);
                let (headers, secrets) = self.headers(source, &url)?;
                let http = Http::new(self.settings(HostRule::new(move |url| local || !is_loopback(url))));
                WebReport { http, url, headers, secrets, limit, budget }.fetch(file()?).await.map_err(told)
            }
            Location::Object(place) => self.object(place, source, limit, &variable).fetch(file()?).await.map_err(told),
        }
    }

    fn object<'a>(
        &'a self,
        place: &ObjectPlace,
        source: &valid::Source,
        limit: u64,
        variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    ) -> ObjectReport<'a> {
        ObjectReport {
            kind: match place.store {
                valid::StoreKind::S3 => StoreKind::S3,
                valid::StoreKind::Azure => StoreKind::Azure,
                valid::StoreKind::Gcs => StoreKind::Gcs,
            },
            bucket: place.bucket.clone(),
            key: place.key.clone(),
            newest: source.newest,
            endpoint: source.endpoint.clone(),
            region: source.region.clone(),
            variable,
            limit,
            settings: self.settings(HostRule::new(|_| false)),
            budget: budget(self.world),
        }
    }

    /// HTTP for reports, as the project's time-outs say.
    fn settings(&self, hosts: HostRule) -> Settings {
        let project = &self.repository.project;
        Settings {
            connect_timeout: project.connect_time_out,
            read_timeout: project.answer_time_out,
            total_timeout: project.answer_time_out,
            raw: true,
            run: format!("fb-{:08x}", fastrand::u32(..)),
            ..Settings::new(hosts)
        }
    }

    /// The request's headers, if every secret in them is meant for this host; and the values that hold one.
    fn headers(&self, source: &valid::Source, url: &Url) -> Result<Headers, Failure> {
        let (mut headers, mut secrets) = (Vec::new(), Vec::new());
        let refused = |diagnostic: Diagnostic, label: String| {
            let diagnostic = diagnostic.at(source.location.span.clone(), label);
            Failure::new(
                Exit::Usage,
                diagnostic.note("nothing was sent, nothing was read from Salesforce and nothing was written"),
            )
        };
        for header in &source.headers {
            let credential = match &header.value {
                HeaderValue::Ready(credential) => credential,
                HeaderValue::Unset(variables) => {
                    let listed = variables.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
                    let diagnostic = Diagnostic::error(Code::VariableNotSet, format!("not set: {listed}"))
                        .help("set the environment variable, here or in CI's secrets");
                    return Err(refused(diagnostic, format!("its header `{}` needs it", header.name)));
                }
            };
            for variable in &credential.variables {
                meant_for(self.world, variable, url)
                    .map_err(|diagnostic| refused(diagnostic, format!("{variable} would be sent here")))?;
            }
            if !credential.variables.is_empty() {
                secrets.push(credential.value.clone());
            }
            headers.push((header.name.clone(), credential.value.clone()));
        }
        Ok((headers, secrets))
    }

    fn say_fetched(&self, source: &valid::Source, fetched: &Fetched) {
        let name = shown(&source.location.value);
        let time = match fetched.modified {
            Some(time) => format!("of {}", time.strftime("%Y-%m-%d %H:%M:%S UTC")),
            None => "of unknown age: its server names no time".to_owned(),
        };
        let on = fetched.sent_on_to.as_ref().map(|host| format!(", from {host}")).unwrap_or_default();
        let what = match &fetched.picked {
            None => format!("fetched {name}{on}"),
            // Whoever may write to the store names the object.
            Some((key, of)) => format!("fetched {}, the newest of {of} that fit {name}", Terminal(key)),
        };
        self.world.say(&format!("{what} ({}, {time})", bytes(fetched.bytes)));
    }
}

/// Headers by name, and the values among them that are secret.
type Headers = (Vec<(String, Secret)>, Vec<Secret>);

/// A secret goes to the host that the environment says it is for: whoever may change the URL cannot change that. To this machine any may go.
///
/// # Errors
/// The environment does not say so; without a place in the configuration yet.
fn meant_for(world: &World, variable: &str, url: &Url) -> Result<(), Diagnostic> {
    let place = place_of(url);
    let beside = format!("{variable}_HOST");
    let said = world.variable(&beside).filter(|said| !said.trim().is_empty());
    let hosts = said.as_deref().unwrap_or_default();
    if is_loopback(url) || hosts.split([',', ' ']).any(|host| host.trim().eq_ignore_ascii_case(&place)) {
        return Ok(());
    }
    let message = match said {
        None => format!("nothing in the environment says that {variable} is meant for {place}"),
        Some(_) => format!("{variable} is not meant for {place}: {beside} names another host"),
    };
    Err(Diagnostic::error(Code::SecretForAnotherHost, message)
        .help(format!("if it is, set {beside}={place} where {variable} is set (in CI: beside the secret)"))
        .help("if this is not a host that you know, do not: somebody may have changed the URL to get the secret"))
}

/// `https://account.blob.core.windows.net/container/blob` as an object, where the environment has that account's credentials.
fn azure(url: &Url, source: &valid::Source, variable: &dyn Fn(&str) -> Option<String>) -> Option<ObjectPlace> {
    let account = url.host_str()?.strip_suffix(".blob.core.windows.net")?;
    let ours = ["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"].iter().find_map(|name| variable(name))?;
    let plain =
        source.headers.is_empty() && url.query().is_none() && url.port().is_none() && cfg!(feature = "object-stores");
    let (bucket, key) = url.path().strip_prefix('/')?.split_once('/')?;
    let place = ObjectPlace { store: valid::StoreKind::Azure, bucket: bucket.to_owned(), key: key.to_owned() };
    (plain && account == ours && !key.is_empty() && !key.contains('%')).then_some(place)
}

/// What two sources must have in common to be one download.
fn asked(source: &valid::Source) -> String {
    let headers: Vec<String> = source
        .headers
        .iter()
        .map(|header| match &header.value {
            HeaderValue::Ready(credential) => {
                format!("{}={}", header.name, Digest::of(credential.value.expose().as_bytes()))
            }
            HeaderValue::Unset(_) => header.name.clone(),
        })
        .collect();
    format!(
        "{}\n{}\n{:?}\n{:?}\n{:?}\n{headers:?}",
        source.location.value, source.newest, source.endpoint, source.region, source.max_size
    )
}

/// The source without its query.
fn shown(location: &Location) -> String {
    let text = location.to_string();
    match location {
        Location::Url(_) => text.split(['?', '#']).next().unwrap_or_default().to_owned(),
        Location::Path(_) | Location::Object(_) => text,
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// Why the report could not be fetched, and what to do.
fn failure(error: &FetchError, source: &valid::Source) -> Failure {
    let name = shown(&source.location.value);
    let could_not = |why: &dyn std::fmt::Display| format!("`{name}` could not be fetched: {why}");
    let (code, message, help): (Code, String, String) = match error {
        FetchError::Answer { status: status @ (401 | 403 | 407), host } => (
            Code::ReportDownload,
            could_not(&format!("{host} answered {status}, it does not let this request in")),
            match source.headers.is_empty() {
                true => "if it asks for a token, write `headers: { Authorization: \"${REPORT_TOKEN}\" }` beside the URL".to_owned(),
                false => "the token in `headers:` may have expired, or lack the right to this report: make a new one, and set its variable".to_owned(),
            },
        ),
        FetchError::Answer { status: status @ (404 | 410), host } => (
            Code::ReportDownload,
            could_not(&format!("{host} answered {status}, there is nothing at this address")),
            "look at the address; an export's link may have expired or been renamed".to_owned(),
        ),
        FetchError::Answer { status, host } => (
            Code::ReportDownload,
            could_not(&format!("{host} answered {status}")),
            if *status >= 500 || *status == 429 {
                "try again later; the server itself has a problem or is busy".to_owned()
            } else {
                "open the address in a browser: what it shows tells more".to_owned()
            },
        ),
        FetchError::Redirect { host, to, why } => (
            Code::ReportDownload,
            could_not(&format!("{host} sends on to {to}, which is not followed: {why}")),
            "write the address that the report is finally at; a redirect to a log-in page means that a token is missing".to_owned(),
        ),
        FetchError::TooLarge { limit } => (
            Code::ReportTooLarge,
            format!("`{name}` is longer than {}", bytes(*limit)),
            "if that is right, allow more: `max_size: 20GB` beside the URL".to_owned(),
        ),
        FetchError::Broken { bytes: got, tries, .. } => (
            Code::ReportDownload,
            could_not(&format!("the download broke off {tries} times, the last time after {}", bytes(*got))),
            "try again; if it goes on, the server or the network in between ends long downloads".to_owned(),
        ),
        FetchError::Disk(error) => (
            Code::FileUnwritable,
            format!("`{name}` could not be kept on this machine while it was fetched: {error}"),
            "make room on the disk (the folder .footbridge/tmp, or the system's for temporary files)".to_owned(),
        ),
        FetchError::Net(error) => (
            Code::ReportDownload,
            could_not(error),
            "look at the address and at this machine's way to the internet (a proxy?), then try again".to_owned(),
        ),
        FetchError::Store(error) => return store_failure(error, source, &name),
    };
    whole(Exit::Failed, Diagnostic::error(code, message), source).help(help)
}

fn store_failure(error: &StoreError, source: &valid::Source, name: &str) -> Failure {
    let (exit, code, message, help) = match error {
        StoreError::NotBuiltIn => (
            Exit::Usage,
            Code::StoresNotBuiltIn,
            format!("`{name}`: {error}"),
            "install it with that part: `cargo install --path . --features object-stores`; or let CI fetch the file, and name it in `path:`".to_owned(),
        ),
        StoreError::NoCredentials { .. } => (
            Exit::Usage,
            Code::ReportStore,
            format!("`{name}`: {error}"),
            "set them in the shell that runs Footbridge, or as secrets of the CI job".to_owned(),
        ),
        StoreError::BadCredentials { .. } => {
            (Exit::Usage, Code::ReportStore, format!("`{name}`: {error}"), "see `footbridge explain FB0421`".to_owned())
        }
        StoreError::Absent { .. } => (
            Exit::Failed,
            Code::ReportStore,
            format!("`{name}`: {error}"),
            "look at the bucket's name, the region and the key; letters' case counts".to_owned(),
        ),
        StoreError::Refused { .. } => (
            Exit::Failed,
            Code::ReportStore,
            format!("`{name}`: {error}"),
            "give the credentials the right to read this object (for a pattern also to list its folder), or renew them".to_owned(),
        ),
        StoreError::NoneFits { .. } => (
            Exit::Failed,
            Code::ReportStore,
            format!("`{name}`: {error}"),
            "look at the folder in the store: has the report been delivered, and under this name?".to_owned(),
        ),
        StoreError::Other { .. } => {
            (Exit::Failed, Code::ReportStore, format!("`{name}`: {error}"), "try again; see `footbridge explain FB0421`".to_owned())
        }
    };
    whole(exit, Diagnostic::error(code, message), source).help(help)
}

fn whole(exit: Exit, diagnostic: Diagnostic, source: &valid::Source) -> Failure {
    let diagnostic = diagnostic
        .at(source.location.span.clone(), "the source")
        .note("nothing was read from Salesforce and nothing was written");
    Failure::new(exit, diagnostic)
}

/// What is wrong with the content: of an address it is most often a page in the report's place.
pub(super) fn unreadable(error: crate::report::ReportError, source: &valid::Source, fetched: &Fetched) -> Failure {
    let page =
        matches!(&error, crate::report::ReportError::NotText { kind, .. } if *kind == crate::report::NotText::Markup);
    let failure = problem::report::failure(error, Some(&source.location.span));
    match (page, &source.location.value) {
        (true, Location::Url(_)) => {
            let who =
                fetched.sent_on_to.as_ref().map(|host| format!("{host} (it was sent on to) ")).unwrap_or_default();
            failure.help(format!(
                "{who}answered with a page for people, most often a log-in page: the token in `headers:` is missing or has expired, or the address is that of a page and not of its CSV export"
            ))
        }
        _ => failure,
    }
}
