//! `footbridge plan --base REF`: what the branch changes in the mapping, and what comes of it, by cause. The base's mapping is planned, too, and what both
//! plan alike would happen anyway.

use std::path::Path;

use super::git::Commits;
use super::kept::Kept;
use crate::cli::arguments::{Format, PlanArguments};
use crate::cli::connect::{Purpose, budget};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::plan::write;
use crate::cli::repository::Repository;
use crate::cli::show::{options, outline, unreadable};
use crate::cli::world::World;
use crate::config::change::{self, Change, ChangeOf, load_plain};
use crate::config::{Folder, Integration};
use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::plan::{Baseline, History, Split};
use crate::render::Options;
use crate::render::escape::json_text;
use crate::render::plan::{Form, Outline};
use crate::render::review::{self, Effect, Item, Kind, Planned, Problem, Review};

/// Runs the command.
pub async fn run(world: &World, arguments: &PlanArguments, base: &str) -> Result<Exit, Failure> {
    let root = world.root();
    let commits = Commits::open(&root)?;
    let (fork_point, head) = (commits.fork_point(base)?, commits.commit("HEAD")?);
    let tree = commits.configuration(&fork_point)?;
    let (before, after) = (load_plain(&tree), load_plain(&Folder::new(&root)));
    let mut review = Review {
        format: "footbridge review/1",
        environment: arguments.env.as_str().to_owned(),
        base: fork_point,
        head,
        items: Vec::new(),
        unchanged: 0,
        problems: Vec::new(),
        notes: Vec::new(),
    };
    let errors: Diagnostics = after.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    if !errors.is_empty() {
        review.problems = errors.iter().map(Problem::from).collect();
        show(world, arguments, &review)?;
        return Err(Failure::configuration(errors));
    }
    if before.diagnostics.has_errors() {
        let what = "The base's configuration has errors; integrations that are not valid there count as new.";
        review.notes.push(what.to_owned());
    }
    let wanted = |change: &Change| {
        let named = arguments.names.is_empty() || arguments.names.contains(&change.name);
        // What is gone has the labels that it had.
        let integrations = [&after, &before].map(|side| side.repository.integrations.get(&change.name));
        let integration = integrations.into_iter().flatten().next();
        named && (arguments.label.is_empty() || integration.is_some_and(|i| i.has_label(&arguments.label)))
    };
    let changes = change::changes(&before.repository, &after.repository);
    let there = after.repository.integrations.len() as u64;
    review.unchanged = there.saturating_sub(changes.iter().filter(|c| c.kind != ChangeOf::Removed).count() as u64);
    let (changes, others): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(wanted);
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|change| change.name.as_str()).collect();
        review.notes.push(format!("Changed as well, and not asked for: {}.", names.join(", ")));
    }
    let mut exit = Exit::Done;
    if changes.iter().any(|change| change.kind != ChangeOf::Removed) {
        let repository = Repository::load(world, arguments.env)?;
        let base = repository.of_commit(world, &tree);
        let sides = Sides { branch: repository.place(world), base: base.place(world), arguments };
        for change in changes {
            let (effect, ended) = sides.effect(&change).await?;
            exit = exit.and(ended);
            review.items.push(item(change, effect));
        }
    } else {
        review.items.extend(changes.into_iter().map(|change| item(change, Effect::Removed)));
    }
    show(world, arguments, &review)?;
    Ok(exit)
}

fn item(change: Change, effect: Effect) -> Item {
    let Change { name, kind, lines, yaml } = change;
    let kind = match kind {
        ChangeOf::Added => Kind::Added,
        ChangeOf::Changed => Kind::Changed,
        ChangeOf::Removed => Kind::Removed,
    };
    Item { name, change: kind, said: lines, yaml, effect }
}

fn show(world: &World, arguments: &PlanArguments, review: &Review) -> Result<(), Failure> {
    let format = if world.json { Format::Json } else { arguments.format };
    match format {
        Format::Markdown => world.print(&review::markdown(review)),
        Format::Json => {
            world.data(&json_text(review));
        }
        // Errors are told besides, with their lines.
        Format::Html => {
            return Err(Failure::usage(Code::WrongForm, "a review has no HTML form: nothing was shown")
                .help("`--format markdown` for a pull request; `footbridge plan NAME --format html` for one plan"));
        }
        Format::Text | Format::Github if !review.problems.is_empty() => {}
        Format::Text | Format::Github => world.print(&review::text(review)),
    }
    Ok(())
}

struct Sides<'a> {
    branch: Place<'a>,
    base: Place<'a>,
    arguments: &'a PlanArguments,
}

impl Sides<'_> {
    /// Plans a changed integration. What is wrong with one stops no other.
    async fn effect(&self, change: &Change) -> Result<(Effect, Exit), Failure> {
        if change.kind == ChangeOf::Removed {
            return Ok((Effect::Removed, Exit::Done));
        }
        let world = self.branch.world;
        let integration = self.branch.integration(&change.name)?;
        if !integration.environments.contains_key(&self.arguments.env) {
            return Ok((Effect::Elsewhere, Exit::Done));
        }
        let planned = match self.branch.target(integration, self.arguments.env) {
            Ok(target) => self.planned(target).await,
            Err(failure) => Err(failure),
        };
        match planned {
            Ok((planned, changes)) => {
                let held = planned.view.guards.iter().filter(|guard| guard.held);
                let held = held.map(|guard| {
                    let message = format!("guard `{}` holds the plan back: {}", guard.name, guard.text);
                    Diagnostic::warning(Code::PlanNotApplicable, message).at(integration.name.span.clone(), "")
                });
                // On its line of the pull request; elsewhere the review itself says it.
                crate::cli::annotate(world, &held.collect());
                let exit = if changes && self.arguments.detailed_exitcode { Exit::Changes } else { Exit::Done };
                Ok((Effect::Planned(Box::new(planned)), exit))
            }
            Err(failure) if failure.diagnostics.iter().any(|d| d.code == Code::NeedsTrustedRun) => {
                // The comment says it, and nothing was reached: a warning, and no failure of the branch.
                let softened = failure.diagnostics.iter().cloned();
                let softened = softened.map(|d| Diagnostic { severity: Severity::Warning, ..d });
                crate::cli::tell_all(world, &softened.collect());
                let why = failure.diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>().join("; ");
                Ok((Effect::Untrusted(why), Exit::Done))
            }
            Err(failure) => {
                crate::cli::tell(world, &failure);
                Ok((Effect::Failed(failure.diagnostics.iter().map(Problem::from).collect()), failure.exit))
            }
        }
    }

    async fn planned(&self, target: Target<'_>) -> Result<(Planned, bool), Failure> {
        let world = self.branch.world;
        let name = target.integration.name.value.as_str();
        let (baseline, no_baseline) = match self.base.repository.integrations.get(name) {
            // It is new: there is nothing to say.
            None => (None, None),
            Some(was) => match self.baseline(was, target).await {
                Ok(baseline) => (Some(baseline), None),
                Err(why) => (None, Some(format!("Every change counts as this branch's: {why}."))),
            },
        };
        // What a machine reads has the sample that a comment has, and no more than that may be seen.
        let format = if world.json { Format::Json } else { self.arguments.format };
        let form = if format == Format::Json { Format::Markdown } else { format };
        let mut outline = match form {
            Format::Markdown => Outline::new(Form::Markdown, Options::public()),
            _ => outline(world, form, options(world, self.arguments.full)),
        };
        let mut kept = baseline.as_ref().map(|baseline| Kept::of(&self.branch, target, baseline));
        let history = kept.as_mut().map(|kept| kept as &mut dyn History);
        let mut split = Split::new(baseline.as_ref(), &mut outline).with_history(history);
        let planned = self.branch.plan(target, Purpose::Plan, budget(world), &mut split).await?;
        let causes = split.finish();
        let not_known = kept.map(|kept| kept.not_known()).unwrap_or_default();
        let plan = planned.plan;
        if let Some(folder) = &self.arguments.out {
            let path = world.here.join(folder).join(format!("{name}.jsonl"));
            keep(&path, &plan)?;
        }
        let mut text = Vec::new();
        if matches!(format, Format::Text | Format::Github) {
            outline.write(&plan, &mut text).map_err(|e| unreadable(&e))?;
        }
        let hidden = self.branch.trust.into_iter().flat_map(|trust| trust.hidden(name));
        let hidden = hidden.map(|field| field.as_str().to_owned()).collect();
        let text = String::from_utf8_lossy(&text).into_owned();
        let view = outline.view(&plan);
        Ok((Planned { view, causes, not_known, no_baseline, hidden, text }, !plan.is_empty()))
    }

    /// What the base's mapping would do in the very same org; or why that cannot be said.
    async fn baseline(&self, was: &Integration, now: Target<'_>) -> Result<Baseline, String> {
        let environment = now.environment;
        if !was.environments.contains_key(&environment) {
            return Err(format!("the base does not run it in {environment}"));
        }
        let settings = self.base.repository.org_environment(was, environment);
        let same_org = settings.is_some_and(|s| s.org_id.as_ref().is_some_and(|id| id.value == now.org_id));
        if !same_org || was.org != now.integration.org {
            return Err("the base runs it in another org".to_owned());
        }
        if let Some(trust) = self.base.trust {
            trust.allows(was, environment).map_err(|_| "the base reads another source".to_owned())?;
        }
        let target = Target { integration: was, ..now };
        let mut baseline = Baseline::default();
        match self.base.plan(target, Purpose::Plan, budget(self.base.world), &mut baseline).await {
            Ok(_) => Ok(baseline),
            Err(failure) => {
                let codes: Vec<&str> = failure.diagnostics.iter().map(|d| d.code.as_str()).collect();
                Err(format!("the base's mapping cannot be planned ({})", codes.join(", ")))
            }
        }
    }
}

fn keep(path: &Path, plan: &crate::plan::Plan) -> Result<(), Failure> {
    let unwritten = |e: std::io::Error| Failure::io("write the plan file", path, &e);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritten)?;
    }
    write(path, plan).map_err(unwritten)
}
