//! `footbridge ci init`: the files by which a team's CI plans pull requests, and applies on schedule and by hand. No file is overwritten unasked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::arguments::{CiInitArguments, Kind};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::config::change::{load_plain, variables};
use crate::config::valid::OnHeld;
use crate::config::{Folder, Repository};
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName::{self, Production, Sandbox};
use crate::render::commands::{FileOutcome, FilesView, json};

const PLAN: &str = include_str!("files/github-plan.yml");
const APPLY: &str = include_str!("files/github-apply.yml");
const ACTION: &str = include_str!("../../../.github/actions/footbridge/action.yml");
const GITLAB: &str = include_str!("files/gitlab.yml");
/// What `on_held: issue` needs of GitHub's job.
const ISSUES: &str = "      issues: write # `on_held: issue`\n";
const ISSUE_TOKEN: &str = "          GITHUB_TOKEN: ${{ github.token }} # `on_held: issue`\n";

/// Runs the command.
pub fn run(world: &World, arguments: &CiInitArguments) -> Result<Exit, Failure> {
    let root = world.root();
    let repository = load_plain(&Folder::new(&root)).repository;
    let runs = |environment: EnvironmentName| {
        repository.integrations.values().any(|i| i.environments.contains_key(&environment))
    };
    let plan = arguments.env.unwrap_or(if runs(Production) && !runs(Sandbox) { Production } else { Sandbox });
    let apply = arguments.env.unwrap_or(if runs(Production) { Production } else { Sandbox });
    // What runs by itself does so in every environment that has a schedule.
    let scheduled = |e: &EnvironmentName| {
        let all = repository.integrations.values().filter_map(|i| i.environments.get(e));
        all.into_iter().any(|of| of.schedule.is_some())
    };
    let applies: Vec<&str> = match arguments.env {
        Some(_) => vec![apply.as_str()],
        None => [Sandbox, Production].iter().filter(|e| **e == apply || scheduled(e)).map(|e| e.as_str()).collect(),
    };
    let both: Vec<EnvironmentName> = [Sandbox, Production].into_iter().filter(|e| *e == apply || runs(*e)).collect();
    let planned = variables(&repository, plan, true);
    let applied: BTreeSet<String> = both.iter().flat_map(|e| variables(&repository, *e, false)).collect();
    let filled = |text: &str, secrets: &str| {
        text.replace("{{SECRETS}}\n", secrets)
            .replace("{{PLAN_ENV}}", plan.as_str())
            .replace("{{APPLY_ENV}}", apply.as_str())
            .replace("{{APPLY_ENVS}}", &applies.join(" "))
            .replace("{{VERSION}}", env!("CARGO_PKG_VERSION"))
    };
    let files = match arguments.system {
        Kind::Github => {
            let choices: String = both.iter().map(|e| format!("          - {e}\n")).collect();
            let (right, token) = if opens_issues(&repository) { (ISSUES, ISSUE_TOKEN) } else { ("", "") };
            let apply = filled(APPLY, &github(&applied)).replace("{{CHOICES}}\n", &choices);
            let apply = apply.replace("{{ISSUES}}\n", right).replace("{{ISSUE_TOKEN}}\n", token);
            vec![
                (".github/workflows/footbridge-plan.yml", filled(PLAN, &github(&planned))),
                (".github/workflows/footbridge-apply.yml", apply),
                (".github/actions/footbridge/action.yml", ACTION.to_owned()),
            ]
        }
        Kind::Gitlab => vec![(".gitlab-ci.yml", filled(GITLAB, &gitlab(&planned, &applied)))],
    };
    // All or nothing: half a set of files would be worse than none.
    for (name, text) in &files {
        let path = root.join(name);
        let there = std::fs::symlink_metadata(&path).is_ok();
        if there && !arguments.force && std::fs::read_to_string(&path).ok().as_ref() != Some(text) {
            let diagnostic = Diagnostic::error(Code::FileExists, format!("{name} is there already, and is another"))
                .note("no file was written")
                .help(format!(
                    "look at what would change, then `footbridge ci init {} --force`",
                    arguments.system.word()
                ));
            return Err(Failure::new(Exit::Usage, diagnostic));
        }
    }
    for (name, text) in &files {
        let path = root.join(name);
        let unwritten = |e: std::io::Error| Failure::io("write", &path, &e);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(unwritten)?;
        }
        std::fs::write(&path, text).map_err(unwritten)?;
        world.say(&format!("wrote {name}"));
    }
    let wanted: BTreeSet<String> = planned.union(&applied).cloned().collect();
    if world.json {
        let mut view = FilesView::new(".");
        files.iter().for_each(|(name, _)| view.file(*name, FileOutcome::Written));
        view.variables(wanted.iter().cloned());
        world.data(&json(&view));
    }
    if !wanted.is_empty() {
        let wanted: Vec<String> = wanted.into_iter().collect();
        world.say(&format!("set these secrets in the CI's settings: {}", wanted.join(", ")));
    }
    world.say("commit the files; the next pull request that changes integrations/ is planned");
    Ok(Exit::Done)
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Github => "github",
            Kind::Gitlab => "gitlab",
        }
    }
}

/// Does a run that a guard holds back open an issue? Then, and only then, the job needs the right to.
fn opens_issues(repository: &Repository) -> bool {
    let all = repository.integrations.values().map(|integration| integration.on_held);
    all.chain([repository.project.on_held]).any(|on_held| on_held == OnHeld::Issue)
}

/// A secret for each variable that the configuration reads there, and for no other.
fn github(wanted: &BTreeSet<String>) -> String {
    let mut out = String::new();
    for name in wanted {
        let _ = writeln!(out, "          {name}: ${{{{ secrets.{name} }}}}");
    }
    if wanted.is_empty() {
        out.push_str("          # One line for each variable that orgs.yaml reads, such as:\n          # ACME_CLIENT_ID: ${{ secrets.ACME_CLIENT_ID }}\n");
    }
    out
}

fn gitlab(planned: &BTreeSet<String>, applied: &BTreeSet<String>) -> String {
    planned.union(applied).fold(String::new(), |mut out, name| {
        let whom = if planned.contains(name) { "read by plans and applies" } else { "read by applies only: protected" };
        let _ = writeln!(out, "#   {name}: {whom}");
        out
    })
}
