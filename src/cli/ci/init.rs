//! `footbridge ci init`: the files by which a team's CI plans pull requests, and applies on schedule and by hand. No file is overwritten unasked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::arguments::{CiInitArguments, Kind};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::config::change::{load_plain, variables};
use crate::config::{Folder, Repository};
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName::{self, Production, Sandbox};

const PLAN: &str = include_str!("files/github-plan.yml");
const APPLY: &str = include_str!("files/github-apply.yml");
const ACTION: &str = include_str!("../../../.github/actions/footbridge/action.yml");
const GITLAB: &str = include_str!("files/gitlab.yml");

/// Runs the command.
pub fn run(world: &World, arguments: &CiInitArguments) -> Result<Exit, Failure> {
    let root = world.root();
    let repository = load_plain(&Folder::new(&root)).repository;
    let runs = |environment: EnvironmentName| {
        repository.integrations.values().any(|i| i.environments.contains_key(&environment))
    };
    let plan = arguments.env.unwrap_or(if runs(Production) && !runs(Sandbox) { Production } else { Sandbox });
    let apply = arguments.env.unwrap_or(if runs(Production) { Production } else { Sandbox });
    let files = match arguments.system {
        Kind::Github => vec![
            (".github/workflows/footbridge-plan.yml", filled(PLAN, &repository, &[plan], plan, apply, github)),
            (".github/workflows/footbridge-apply.yml", {
                let both: Vec<EnvironmentName> =
                    [Sandbox, Production].into_iter().filter(|e| *e == apply || runs(*e)).collect();
                let choices: String = both.iter().map(|e| format!("          - {e}\n")).collect();
                filled(APPLY, &repository, &both, plan, apply, github).replace("{{CHOICES}}\n", &choices)
            }),
            (".github/actions/footbridge/action.yml", ACTION.to_owned()),
        ],
        Kind::Gitlab => vec![(".gitlab-ci.yml", filled(GITLAB, &repository, &[plan, apply], plan, apply, gitlab))],
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
    let wanted: BTreeSet<String> = [plan, apply].iter().flat_map(|e| variables(&repository, *e)).collect();
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

type Secrets = fn(&BTreeSet<String>) -> String;

fn filled(
    text: &str,
    repository: &Repository,
    environments: &[EnvironmentName],
    plan: EnvironmentName,
    apply: EnvironmentName,
    secrets: Secrets,
) -> String {
    let wanted: BTreeSet<String> = environments.iter().flat_map(|e| variables(repository, *e)).collect();
    text.replace("{{SECRETS}}\n", &secrets(&wanted))
        .replace("{{PLAN_ENV}}", plan.as_str())
        .replace("{{APPLY_ENV}}", apply.as_str())
        .replace("{{VERSION}}", env!("CARGO_PKG_VERSION"))
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

fn gitlab(wanted: &BTreeSet<String>) -> String {
    wanted.iter().fold(String::new(), |mut out, name| {
        let _ = writeln!(out, "#   {name}: read by orgs.yaml, or by a source's headers");
        out
    })
}
