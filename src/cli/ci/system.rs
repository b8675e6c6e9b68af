//! Which pull request this run is for, as CI's own variables say.

use serde_json::Value;

use crate::cli::forge::System;
use crate::cli::world::World;

/// A pull request (GitLab: merge request) that this run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Where.
    pub system: System,
    /// Its number.
    pub number: Option<u64>,
    /// The branch that it is to be merged into: the whole name of what git fetched, since a tag can be called `origin/main`, too.
    pub base: String,
    /// It comes from a fork: its run has no secrets, and its token may only read.
    pub fork: bool,
}

/// The pull request that this run is for.
pub fn pull_request(world: &World) -> Option<PullRequest> {
    let said = |name: &str| world.variable(name).filter(|value| !value.is_empty());
    match System::of(world)? {
        System::GitHub => {
            // `pull_request_target` runs with the base's rights: all the more is the branch not trusted.
            said("GITHUB_EVENT_NAME").filter(|event| event.starts_with("pull_request"))?;
            let event = event(world).unwrap_or_default();
            let of = |side: &str| event["pull_request"][side]["repo"]["full_name"].as_str().map(str::to_owned);
            let number = event["pull_request"]["number"].as_u64().or_else(|| event["number"].as_u64());
            let from_ref = || said("GITHUB_REF")?.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok();
            Some(PullRequest {
                system: System::GitHub,
                number: number.or_else(from_ref),
                base: format!("refs/remotes/origin/{}", said("GITHUB_BASE_REF").unwrap_or_else(|| "HEAD".to_owned())),
                fork: of("head").is_some() && of("head") != of("base"),
            })
        }
        System::GitLab => {
            let number = said("CI_MERGE_REQUEST_IID")?;
            let own = said("CI_MERGE_REQUEST_PROJECT_ID");
            Some(PullRequest {
                system: System::GitLab,
                number: number.parse().ok(),
                base: format!(
                    "refs/remotes/origin/{}",
                    said("CI_MERGE_REQUEST_TARGET_BRANCH_NAME").unwrap_or_else(|| "HEAD".to_owned())
                ),
                fork: own.is_some() && own != said("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"),
            })
        }
    }
}

/// GitHub's description of what set this run off.
fn event(world: &World) -> Option<Value> {
    let path = world.variable("GITHUB_EVENT_PATH")?;
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
