//! Comments of GitHub's pull requests and GitLab's merge requests: found by their first line and their author, written once, updated afterwards. A comment
//! of somebody else is never touched.
//!
//! GitHub: REST API, "Issue comments". GitLab: REST API, "Notes".

use http::Method;
use serde_json::{Value, json};

use super::system::PullRequest;
use crate::cli::connect::budget;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::forge::{self, Forge, ForgeError, System};
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::net::{Class, Sent};
use crate::render::escape::{Terminal, clipped};

/// Comments of a page.
const PAGE: usize = 100;
/// No pull request that is looked through has more pages.
const PAGES: usize = 200;
/// How often a comment is posted whose answer was lost.
const POSTS: u32 = 3;

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
pub struct Comments {
    forge: Forge,
    /// Where they are, below the API.
    all: String,
    author: Option<String>,
}

/// A comment that is there.
struct Comment {
    id: u64,
    body: String,
}

impl Comments {
    /// As CI's own variables say.
    ///
    /// # Errors
    /// Something is missing, or the address is neither https nor this machine.
    pub fn of(world: &World, request: &PullRequest, author: Option<&str>) -> Result<Self, Failure> {
        let number = request.number.ok_or_else(|| {
            let diagnostic =
                Diagnostic::error(Code::NoPullRequest, "CI's variables do not say which pull request this is");
            Failure::new(Exit::Usage, diagnostic.note("no comment was written"))
        })?;
        let forge = Forge::of(world, budget(world)).map_err(|error| failure(&error, request.system, ""))?;
        let all = match forge.system {
            System::GitHub => format!("{}/issues/{number}/comments", forge.project),
            System::GitLab => format!("{}/merge_requests/{number}/notes", forge.project),
        };
        Ok(Self { forge, all, author: author.map(str::to_owned) })
    }

    /// Whose comments are ours.
    async fn own_name(&self) -> Result<String, ForgeError> {
        match self.author.as_ref().or(self.forge.job_user.as_ref()) {
            Some(author) => Ok(author.clone()),
            None => self.forge.own_name().await,
        }
    }

    fn own(&self, value: &Value, marker: &str, name: &str) -> Option<Comment> {
        let (id, body) = (value["id"].as_u64()?, value["body"].as_str()?);
        let own = self.forge.author(value)?.eq_ignore_ascii_case(name) && value["system"].as_bool() != Some(true);
        (own && forge::begins_with(body, marker)).then(|| Comment { id, body: body.to_owned() })
    }

    /// Our comment with this first line, the oldest, if there is one.
    async fn ours(&self, marker: &str, name: &str) -> Result<Option<Comment>, ForgeError> {
        for page in 1..=PAGES {
            let order = if self.forge.system == System::GitLab { "&sort=asc&order_by=created_at" } else { "" };
            let path = format!("{}?per_page={PAGE}&page={page}{order}", self.all);
            let response = self.forge.call(Method::GET, &path, Class::Read, None).await?;
            let Value::Array(all) = forge::json(&response) else {
                return Err(ForgeError::Unexpected("no list of comments"));
            };
            let more = all.len() >= PAGE
                || response.header("link").is_some_and(|link| link.contains("rel=\"next\""))
                || response.header("x-next-page").is_some_and(|next| !next.trim().is_empty());
            let found = all.iter().find_map(|value| self.own(value, marker, name));
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
        let told = |when: &'static str| move |error: ForgeError| failure(&error, self.forge.system, when);
        let name = self.own_name().await.map_err(told("asked who the token's user is"))?;
        let body = json!({ "body": text });
        let mut posts = 0;
        loop {
            if let Some(there) = self.ours(marker, &name).await.map_err(told("asked for the comments"))? {
                if there.body.trim_end() == text.trim_end() {
                    return Ok(Put::Same);
                }
                // GitHub keeps comments by their own number, not below the pull request.
                let path = match self.forge.system {
                    System::GitHub => format!("{}/issues/comments/{}", self.forge.project, there.id),
                    System::GitLab => format!("{}/{}", self.all, there.id),
                };
                // Written twice it says the same: it may be repeated like a read.
                let changed = self.forge.call(self.forge.change(), &path, Class::Read, Some(&body)).await;
                return changed.map(|_| Put::Updated).map_err(told("updated the comment"));
            }
            if !wanted {
                return Ok(Put::Nothing);
            }
            posts += 1;
            match self.forge.call(Method::POST, &self.all, Class::Job, Some(&body)).await {
                Ok(_) => return Ok(Put::Posted),
                // It may be there: looked for before it is posted again.
                Err(ForgeError::Refused { status: 500..=599, .. }) if posts < POSTS => {
                    self.forge.budget.pause(posts, None, "the server failed").await;
                }
                Err(ForgeError::Net(error)) if error.sent() == Sent::Maybe && posts < POSTS => {
                    self.forge.budget.pause(posts, None, "no answer").await;
                }
                Err(error) => return Err(told("posted the comment")(error)),
            }
        }
    }
}

fn failure(error: &ForgeError, system: System, when: &str) -> Failure {
    let github_token = "the job needs `permissions: { pull-requests: write }`, and the step `env: { GITHUB_TOKEN: \"${{ github.token }}\" }`";
    let gitlab_token = "a job's token may not write comments: make a project access token with the scope `api`, and keep it as the masked variable GITLAB_TOKEN";
    let own = if system == System::GitHub { github_token } else { gitlab_token };
    let (exit, code, help) = match error {
        ForgeError::NoCi | ForgeError::Unset(_) | ForgeError::Wrong(..) => {
            (Exit::Usage, Code::NoPullRequest, "run it in a job for pull requests")
        }
        ForgeError::NoToken(_) | ForgeError::Refused { status: 401 | 403, .. } => {
            (Exit::Unauthorised, Code::CommentRefused, own)
        }
        ForgeError::Refused { status: 404, .. } => (
            Exit::Unauthorised,
            Code::CommentRefused,
            "the token does not see the project: check whose it is, and its scopes",
        ),
        ForgeError::Refused { .. } | ForgeError::Net(_) | ForgeError::Unexpected(_) => {
            (Exit::Failed, Code::CommentRefused, "try the job again")
        }
    };
    let message = match error {
        ForgeError::Refused { said, .. } => {
            format!("{error} when it was {when}: {}", Terminal(&clipped(said, 200)))
        }
        ForgeError::NoToken(_) => format!("no token: {error}"),
        other => other.to_string(),
    };
    Failure::new(exit, Diagnostic::error(code, message).note("no comment was written").help(help))
}
