//! Comments of GitHub's pull requests and GitLab's merge requests: found by their first line and their author, written once, updated afterwards. A comment
//! of somebody else is never touched.
//!
//! GitHub: REST API, "Issue comments", "Rate limits". GitLab: REST API, "Notes", "Users".

use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::system::{PullRequest, System};
use crate::cli::connect::budget;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::Secret;
use crate::net::{
    Body, Budget, Class, HostRule, Http, NetError, Request, Response, Sent, Settings, Verdict, retry_after,
};
use crate::render::escape::{Terminal, clipped};

/// Comments of a page.
const PAGE: usize = 100;
/// No pull request that is looked through has more pages.
const PAGES: usize = 200;
/// How often a comment is posted whose answer was lost.
const POSTS: u32 = 3;
/// Who writes with the token that GitHub gives a run.
const GITHUB_RUN: &str = "github-actions[bot]";

/// What became of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// There was none.
    Posted,
    /// It was another.
    Updated,
    /// It said the same.
    Same,
    /// There was none, and none was wanted.
    Nothing,
}

/// The comments of one pull request.
pub struct Forge {
    system: System,
    http: Http,
    budget: Budget,
    /// Start of the API's addresses.
    api: Url,
    /// Where the comments are, below it.
    comments: String,
    header: (&'static str, Secret),
    author: Option<String>,
    /// A job's token of GitLab, which cannot be asked who it is.
    job_user: Option<String>,
}

/// A comment that is there.
struct Comment {
    id: u64,
    body: String,
    author: String,
}

impl Forge {
    /// As CI's own variables say.
    ///
    /// # Errors
    /// Something is missing, or the address is neither https nor this machine.
    pub fn find(world: &World, request: &PullRequest, author: Option<&str>) -> Result<Self, Failure> {
        let said = |name: &str| world.variable(name).filter(|value| !value.is_empty());
        let need = |name: &str| {
            said(name).ok_or_else(|| {
                let diagnostic = Diagnostic::error(
                    Code::NoPullRequest,
                    format!("{name} is not set, as it is in every run of this CI"),
                )
                .note("no comment was written");
                Failure::new(Exit::Usage, diagnostic.help("run it in a job for pull requests"))
            })
        };
        let number = request.number.ok_or_else(|| {
            let diagnostic =
                Diagnostic::error(Code::NoPullRequest, "CI's variables do not say which pull request this is");
            Failure::new(Exit::Usage, diagnostic.note("no comment was written"))
        })?;
        let no_token = |names: &str, help: &str| {
            let diagnostic = Diagnostic::error(Code::CommentRefused, format!("no token: {names} is not set"))
                .note("no comment was written")
                .help(help.to_owned());
            Failure::new(Exit::Unauthorised, diagnostic)
        };
        let (api, comments, header, job_user) = match request.system {
            System::GitHub => {
                let token = said("GITHUB_TOKEN").ok_or_else(|| {
                    no_token("GITHUB_TOKEN", "give it to the step: `env: { GITHUB_TOKEN: \"${{ github.token }}\" }`")
                })?;
                let comments = format!("repos/{}/issues/{number}/comments", slug(&need("GITHUB_REPOSITORY")?)?);
                (need("GITHUB_API_URL")?, comments, ("authorization", format!("Bearer {token}")), None)
            }
            System::GitLab => {
                let project = need("CI_MERGE_REQUEST_PROJECT_ID").or_else(|_| need("CI_PROJECT_ID"))?;
                let comments = format!("projects/{}/merge_requests/{number}/notes", slug(&project)?);
                let api = need("CI_API_V4_URL")?;
                match (said("GITLAB_TOKEN"), said("CI_JOB_TOKEN")) {
                    (Some(token), _) => (api, comments, ("private-token", token), None),
                    (None, Some(token)) => {
                        (api, comments, ("job-token", token), Some(said("GITLAB_USER_LOGIN").unwrap_or_default()))
                    }
                    (None, None) => {
                        let help = "make a project access token with the scope `api`, and keep it as the masked variable GITLAB_TOKEN";
                        return Err(no_token("GITLAB_TOKEN", help));
                    }
                }
            }
        };
        let api = Url::parse(&format!("{}/", api.trim_end_matches('/'))).map_err(|_| {
            let diagnostic = Diagnostic::error(Code::NoPullRequest, "the address of CI's API is no address");
            Failure::new(Exit::Usage, diagnostic.note("no comment was written"))
        })?;
        // One host and no other, whatever an answer says; TLS is the client's own rule.
        let origin = api.origin();
        let http = Http::new(Settings {
            page_limit: 32 << 20,
            ..Settings::new(HostRule::new(move |url| url.origin() == origin))
        });
        let header = (header.0, Secret::new(header.1));
        let (system, author) = (request.system, author.map(str::to_owned));
        Ok(Self { system, http, budget: budget(world), api, comments, header, author, job_user })
    }

    fn request(&self, method: Method, path: &str, class: Class) -> Result<Request, Failure> {
        let url = self.api.join(path).map_err(|e| Failure::bug(format!("no address: {e}")))?;
        let request = Request::new(method, url, class).secret_header(self.header.0, &self.header.1);
        let request = request.and_then(|r| r.header("accept", "application/json")).map_err(|e| Self::net(&e))?;
        match self.system {
            System::GitHub => request.header("x-github-api-version", "2022-11-28").map_err(|e| Self::net(&e)),
            System::GitLab => Ok(request),
        }
    }

    fn net(error: &NetError) -> Failure {
        let diagnostic = Diagnostic::error(Code::CommentRefused, error.to_string());
        Failure::new(Exit::Failed, diagnostic.note("no comment was written").help("try the job again"))
    }

    async fn get(&self, path: &str) -> Result<Response, Failure> {
        let request = self.request(Method::GET, path, Class::Read)?;
        let called = self.http.call(&request, &self.budget, classify).await.map_err(|e| Self::net(&e))?;
        Ok(called.response)
    }

    /// Whose comments are ours.
    async fn own_name(&self) -> Result<String, Failure> {
        if let Some(author) = self.author.as_ref().or(self.job_user.as_ref()) {
            return Ok(author.clone());
        }
        let response = self.get("user").await?;
        let key = if self.system == System::GitHub { "login" } else { "username" };
        match response.status.as_u16() {
            200 => match json_of(&response)[key].as_str() {
                Some(name) => Ok(name.to_owned()),
                None => Err(self.refused(&response, "asked who the token's user is")),
            },
            // A run's own token is no user's.
            403 | 404 if self.system == System::GitHub => Ok(GITHUB_RUN.to_owned()),
            _ => Err(self.refused(&response, "asked who the token's user is")),
        }
    }

    /// Our comment with this first line, the oldest, if there is one.
    async fn ours(&self, marker: &str, name: &str) -> Result<Option<Comment>, Failure> {
        for page in 1..=PAGES {
            let order = if self.system == System::GitLab { "&sort=asc&order_by=created_at" } else { "" };
            let path = format!("{}?per_page={PAGE}&page={page}{order}", self.comments);
            let response = self.get(&path).await?;
            if !response.status.is_success() {
                return Err(self.refused(&response, "asked for the comments"));
            }
            let Value::Array(all) = json_of(&response) else {
                return Err(self.refused(&response, "asked for the comments"));
            };
            let more = all.len() >= PAGE
                || response.header("link").is_some_and(|link| link.contains("rel=\"next\""))
                || response.header("x-next-page").is_some_and(|next| !next.trim().is_empty());
            let found = all.iter().filter_map(comment).find(|c| {
                c.author.eq_ignore_ascii_case(name) && c.body.lines().next().map(str::trim) == Some(marker.trim())
            });
            if found.is_some() || !more || all.is_empty() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Posts the comment, or updates ours. Without one that is there, it is posted only if it is wanted.
    ///
    /// # Errors
    /// Refused, or no answer.
    pub async fn put(&self, marker: &str, text: &str, wanted: bool) -> Result<Put, Failure> {
        let name = self.own_name().await?;
        let body = || Body::json(json!({ "body": text }).to_string().into_bytes());
        let mut posts = 0;
        loop {
            if let Some(there) = self.ours(marker, &name).await? {
                if there.body.trim_end() == text.trim_end() {
                    return Ok(Put::Same);
                }
                let (method, path) = match self.system {
                    System::GitHub => (Method::PATCH, self.comments.clone()),
                    System::GitLab => (Method::PUT, self.comments.clone()),
                };
                // GitHub keeps comments by their own number, not below the pull request.
                let path = match (self.system, path.rsplit_once("/issues/")) {
                    (System::GitHub, Some((repository, _))) => format!("{repository}/issues/comments/{}", there.id),
                    _ => format!("{path}/{}", there.id),
                };
                // Written twice it says the same: it may be repeated like a read.
                let request = self.request(method, &path, Class::Read)?.body(body());
                let called = self.http.call(&request, &self.budget, classify).await.map_err(|e| Self::net(&e))?;
                if called.response.status.is_success() {
                    return Ok(Put::Updated);
                }
                return Err(self.refused(&called.response, "updated the comment"));
            }
            if !wanted {
                return Ok(Put::Nothing);
            }
            posts += 1;
            let request = self.request(Method::POST, &self.comments.clone(), Class::Job)?.body(body());
            match self.http.call(&request, &self.budget, classify).await {
                Ok(called) if called.response.status.is_success() => return Ok(Put::Posted),
                // It may be there: looked for before it is posted again.
                Ok(called) if called.response.status.is_server_error() && posts < POSTS => {
                    self.budget.pause(posts, None, "the server failed").await;
                }
                Ok(called) => return Err(self.refused(&called.response, "posted the comment")),
                Err(error) if error.sent() == Sent::Maybe && posts < POSTS => {
                    self.budget.pause(posts, None, "no answer").await;
                }
                Err(error) => return Err(Self::net(&error)),
            }
        }
    }

    fn refused(&self, response: &Response, when: &str) -> Failure {
        let status = response.status.as_u16();
        let body = json_of(response);
        let said = body["message"].as_str().or_else(|| body["error"].as_str()).unwrap_or("without a word");
        let host = self.api.host_str().unwrap_or("the server");
        let message = format!("{host} answered {status} when it was {when}: {}", Terminal(&clipped(said, 200)));
        let mut diagnostic = Diagnostic::error(Code::CommentRefused, message).note("no comment was written");
        diagnostic = match (self.system, status) {
            (System::GitHub, 401 | 403) => diagnostic
                .help("the job needs `permissions: { pull-requests: write }`, and the step `env: { GITHUB_TOKEN: \"${{ github.token }}\" }`"),
            (System::GitLab, 401 | 403) => diagnostic.help(
                "a job's token may not write comments: make a project access token with the scope `api`, and keep it as the masked variable GITLAB_TOKEN",
            ),
            (_, 404) => diagnostic.help("the token does not see the project: check whose it is, and its scopes"),
            _ => diagnostic.help("try the job again"),
        };
        let exit = if matches!(status, 401 | 403 | 404) { Exit::Unauthorised } else { Exit::Failed };
        Failure::new(exit, diagnostic)
    }
}

/// What is a part of an address: `owner/name`, or a number.
fn slug(text: &str) -> Result<&str, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let climbs = text.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    if text.chars().all(plain) && !climbs {
        return Ok(text);
    }
    let diagnostic =
        Diagnostic::error(Code::NoPullRequest, "CI's name of the project has characters that it cannot have");
    Err(Failure::new(Exit::Usage, diagnostic.note("no comment was written")))
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn comment(value: &Value) -> Option<Comment> {
    let author = value["user"]["login"].as_str().or_else(|| value["author"]["username"].as_str())?;
    if value["system"].as_bool() == Some(true) {
        return None;
    }
    let (id, body) = (value["id"].as_u64()?, value["body"].as_str()?);
    Some(Comment { id, body: body.to_owned(), author: author.to_owned() })
}

/// GitHub says 403 or 429 to who asks too often, with what is left or how long to wait.
fn classify(response: &Response) -> Verdict {
    let spent = response.header("x-ratelimit-remaining") == Some("0") || response.header("retry-after").is_some();
    match response.status.as_u16() {
        200..=299 => Verdict::Done,
        429 | 409 => Verdict::Retry { after: retry_after(response) },
        403 if spent => Verdict::Retry { after: retry_after(response) },
        500..=599 => Verdict::Lost { after: retry_after(response) },
        _ => Verdict::Fatal,
    }
}
