//! GitHub's or GitLab's API as CI's own variables give it. Address, project and token come from there and never from the configuration, and every call goes to
//! that one host.
//!
//! GitHub: REST API, "Rate limits", "Users". GitLab: REST API, "Users"; CI/CD, "Predefined variables".

use std::time::Duration;

use http::Method;
use serde_json::Value;
use url::Url;

use super::world::World;
use crate::model::Secret;
use crate::net::{Body, Budget, Class, HostRule, Http, NetError, Request, Response, Settings, Verdict, retry_after};

/// Who writes with the token that GitHub gives a run.
pub const GITHUB_RUN: &str = "github-actions[bot]";

/// A CI that Footbridge knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI/CD.
    GitLab,
}

impl System {
    /// The CI that this is, as it says itself.
    pub fn of(world: &World) -> Option<Self> {
        let is = |name: &str| world.variable(name).is_some_and(|value| value == "true");
        if is("GITHUB_ACTIONS") {
            Some(System::GitHub)
        } else if is("GITLAB_CI") {
            Some(System::GitLab)
        } else {
            None
        }
    }

    /// The variable that holds the token.
    pub fn token(self) -> &'static str {
        match self {
            System::GitHub => "GITHUB_TOKEN",
            System::GitLab => "GITLAB_TOKEN",
        }
    }
}

/// Why the host did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// This is no run of a CI that is known.
    #[error("neither GitHub's nor GitLab's variables are set")]
    NoCi,
    /// A variable that CI sets by itself.
    #[error("{0} is not set, as it is in every run of this CI")]
    Unset(&'static str),
    /// A variable that CI sets by itself holds something else.
    #[error("{0} is not {1}")]
    Wrong(&'static str, &'static str),
    /// The step was given none.
    #[error("{} is not set", .0.token())]
    NoToken(System),
    /// The network.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Another status than success.
    #[error("{host} answered {status}")]
    Refused {
        /// The status.
        status: u16,
        /// Who answered.
        host: String,
        /// Its words: as they came.
        said: String,
    },
    /// Success, with something else in it.
    #[error("its answer is {0}")]
    Unexpected(&'static str),
}

/// The API of the repository's host.
pub struct Forge {
    /// Which.
    pub system: System,
    /// Where the project is below the API: `repos/OWNER/NAME`, `projects/7`.
    pub project: String,
    /// GitLab's token of this job alone, which cannot be asked who it is: its user, as far as CI says it.
    pub job_user: Option<String>,
    /// Repeats.
    pub budget: Budget,
    api: Url,
    http: Http,
    header: (&'static str, Secret),
}

impl Forge {
    /// As CI's own variables say.
    ///
    /// # Errors
    /// Something is missing or has another form. Nothing was sent.
    pub fn of(world: &World, budget: Budget) -> Result<Self, ForgeError> {
        let said = |name: &str| world.variable(name).filter(|value| !value.trim().is_empty());
        let need = |name: &'static str| said(name).ok_or(ForgeError::Unset(name));
        let system = System::of(world).ok_or(ForgeError::NoCi)?;
        let mut job_user = None;
        let (variable, project, header) = match system {
            System::GitHub => {
                let name = need("GITHUB_REPOSITORY")?;
                if !is_slug(&name) {
                    return Err(ForgeError::Wrong("GITHUB_REPOSITORY", "OWNER/NAME"));
                }
                let token = said("GITHUB_TOKEN").ok_or(ForgeError::NoToken(system))?;
                ("GITHUB_API_URL", format!("repos/{name}"), ("authorization", format!("Bearer {token}")))
            }
            System::GitLab => {
                let id = said("CI_MERGE_REQUEST_PROJECT_ID").map_or_else(|| need("CI_PROJECT_ID"), Ok)?;
                if !id.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(ForgeError::Wrong("CI_PROJECT_ID", "a number"));
                }
                let header = match (said("GITLAB_TOKEN"), said("CI_JOB_TOKEN")) {
                    (Some(token), _) => ("private-token", token),
                    (None, Some(token)) => {
                        job_user = Some(said("GITLAB_USER_LOGIN").unwrap_or_default());
                        ("job-token", token)
                    }
                    (None, None) => return Err(ForgeError::NoToken(system)),
                };
                ("CI_API_V4_URL", format!("projects/{id}"), header)
            }
        };
        let api = format!("{}/", need(variable)?.trim_end_matches('/'));
        let api = Url::parse(&api).map_err(|_| ForgeError::Wrong(variable, "an address"))?;
        let (http, header) = (client(&api), (header.0, Secret::new(header.1)));
        Ok(Self { system, project, job_user, budget, api, http, header })
    }

    /// How something that is there is changed.
    pub fn change(&self) -> Method {
        match self.system {
            System::GitHub => Method::PATCH,
            System::GitLab => Method::PUT,
        }
    }

    /// Calls below the API, repeats what may be repeated, and takes a good answer only.
    ///
    /// # Errors
    /// Refused, or no answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        class: Class,
        body: Option<&Value>,
    ) -> Result<Response, ForgeError> {
        let url = self.api.join(path).map_err(|_| ForgeError::Unexpected("no address"))?;
        let mut request = Request::new(method, url, class)
            .secret_header(self.header.0, &self.header.1)?
            .header("accept", "application/json")?;
        if self.system == System::GitHub {
            request = request.header("x-github-api-version", "2022-11-28")?;
        }
        if let Some(body) = body {
            request = request.body(Body::json(body.to_string().into_bytes()));
        }
        let response = self.http.call(&request, &self.budget, classify).await?.response;
        if response.status.is_success() {
            return Ok(response);
        }
        let body = json(&response);
        let said = body["message"].as_str().or_else(|| body["error"].as_str()).unwrap_or("without a word");
        // A server may repeat what it was sent.
        let token = self.header.1.expose().trim_start_matches("Bearer ");
        let said = said.replace(token, "[…]");
        let host = self.api.host_str().unwrap_or("the server").to_owned();
        Err(ForgeError::Refused { status: response.status.as_u16(), host, said })
    }

    /// Who wrote a comment or an issue.
    pub fn author<'t>(&self, text: &'t Value) -> Option<&'t str> {
        match self.system {
            System::GitHub => text["user"]["login"].as_str(),
            System::GitLab => text["author"]["username"].as_str(),
        }
    }

    /// Whose the token is.
    ///
    /// # Errors
    /// Refused, or no answer.
    pub async fn own_name(&self) -> Result<String, ForgeError> {
        let key = if self.system == System::GitHub { "login" } else { "username" };
        match self.call(Method::GET, "user", Class::Read, None).await {
            Ok(response) => json(&response)[key].as_str().map(str::to_owned).ok_or(ForgeError::Unexpected("no user")),
            // A run's own token is no user's.
            Err(ForgeError::Refused { status: 403 | 404, .. }) if self.system == System::GitHub => {
                Ok(GITHUB_RUN.to_owned())
            }
            Err(error) => Err(error),
        }
    }
}

/// The body, where it is JSON.
pub fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

/// Is this the first line, so that what is quoted further down does not count?
pub fn begins_with(text: &str, line: &str) -> bool {
    text.lines().next().map(str::trim) == Some(line.trim())
}

/// `OWNER/NAME`, which becomes a part of an address.
fn is_slug(text: &str) -> bool {
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    text.split('/').count() == 2 && text.split('/').all(plain)
}

/// A client for short calls to this origin and no other, whatever an answer says. TLS is the client's own rule.
pub fn client(url: &Url) -> Http {
    let origin = url.origin();
    Http::new(Settings {
        connect_timeout: Duration::from_secs(10),
        read_timeout: Duration::from_secs(20),
        total_timeout: Duration::from_secs(30),
        page_limit: 32 << 20,
        ..Settings::new(HostRule::new(move |other| other.origin() == origin))
    })
}

/// GitHub says 403 or 429 to who asks too often, with what is left or how long to wait.
pub fn classify(response: &Response) -> Verdict {
    let spent = response.header("x-ratelimit-remaining") == Some("0") || response.header("retry-after").is_some();
    match response.status.as_u16() {
        200..=299 => Verdict::Done,
        429 | 409 => Verdict::Retry { after: retry_after(response) },
        403 if spent => Verdict::Retry { after: retry_after(response) },
        500..=599 => Verdict::Lost { after: retry_after(response) },
        _ => Verdict::Fatal,
    }
}
