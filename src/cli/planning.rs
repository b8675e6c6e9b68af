//! One integration planned: report → match ← org, and the plan's context.

use std::convert::Infallible;
use std::time::Duration;

use super::connect::Purpose;
use super::costs;
use super::failure::Failure;
use super::ground::{Place, Stands, Target};
use super::problem;
use super::reading::{Wanted, read};
use super::repository::scratch;
use crate::config::valid::ReadWay;
use crate::diag::{Code, Diagnostic, Severity};
use crate::model::{FieldName, OrgId};
use crate::net::Budget;
use crate::plan::{Context, FORMAT, FileProblem, GuardName, GuardVerdict, Header, Limit, Plan, Spool, Watch, Way};
use crate::reconcile::{self, FinishError};
use crate::report::{self, Stopped};

/// A plan with what it was made from.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Report, org, mapping.
    pub connected: super::connect::Connected,
    /// The reference whose record Salesforce locks with each record.
    pub parent: Option<FieldName>,
    /// What was read of the report.
    pub report: report::Facts,
}

impl Place<'_> {
    /// Plans. The entries go to a temporary file, and `watch` sees each of them.
    ///
    /// # Errors
    /// Nothing is written, whatever goes wrong.
    pub async fn plan(
        &self,
        target: Target<'_>,
        purpose: Purpose,
        budget: Budget,
        watch: &mut dyn Watch,
    ) -> Result<Planned, Failure> {
        let span = &target.integration.source(target.environment).location.span;
        let wrong = |e| problem::report::failure(e, Some(span));
        // The whole report is read once by itself: what is wrong with it is told before anything is asked of Salesforce.
        let report = self.open(target)?;
        let columns = report.columns.clone();
        let mut warnings: Vec<String> = report.warnings.iter().map(warning).collect();
        let memory = super::memory::budget(self.world, self.root);
        let threads = memory.threads;
        let drained = report.drain(threads, |_| Ok(()), |()| Ok(()));
        let facts = drained.map_err(|stopped: Stopped<Infallible>| match stopped {
            Stopped::Report(error) => wrong(error),
            Stopped::Taken(never) => match never {},
        })?;
        self.checksum(target, &facts)?;
        warnings.extend(facts.warnings.iter().map(warning));

        let calls_before = budget.counters().calls;
        let Stands { connected, object, compiled } = self.stand(target, &columns, purpose, budget.clone()).await?;
        let lints = compiled.warnings.iter().filter(|d| d.severity != Severity::Error);
        warnings.extend(lints.map(|d| d.message.clone()));
        let (layout, beyond) = (compiled.inputs.layout.clone(), compiled.inputs.beyond.clone());

        let mut inputs = compiled.inputs;
        let known = super::known::of(self, target, &inputs, &mut warnings);
        inputs.known.clone_from(&known.cells);
        // The second time it streams into the match, so that only the cells that matter are ever held.
        let mut reading = reconcile::start(inputs, memory);
        let preparer = reading.preparer();
        let report = self.open(target)?;
        let drained = report.drain(threads, |block| Ok(preparer.prepare(block)), |prepared| reading.take(prepared));
        let again = drained.map_err(|stopped| match stopped {
            Stopped::Report(error) => wrong(error),
            Stopped::Taken(error) => super::memory::failure(&error),
        })?;
        if again.sha256 != facts.sha256 {
            return Err(problem::report::changed(&source_name(target), span));
        }
        reading.given(self.given_guards(target, &facts, connected.org_id));
        let matching = reading.close().map_err(|e| super::memory::failure(&e))?;

        let integration = target.integration;
        let tell = |text: &str| self.world.say(text);
        let wanted = Wanted {
            object: &object.name,
            described: &object,
            tell: &tell,
            key_field: &object
                .field(&integration.matching.field.value)
                .map_or_else(|| integration.matching.field.value.clone(), |f| f.name.clone()),
            indexed: compiled.indexed,
            condition: integration.condition.as_ref().map(|c| c.value.as_str()),
            condition_at: integration.condition.as_ref().map(|c| &c.span),
            forced: match integration.read {
                ReadWay::Auto => None,
                ReadWay::Lookup => Some(Way::Lookup),
                ReadWay::Query => Some(Way::Query),
                ReadWay::Bulk => Some(Way::Bulk),
            },
        };
        let gone = read(&connected.client, &matching, &layout, beyond.as_ref(), &wanted, &connected.place).await?;
        let header = Header {
            format: FORMAT.to_owned(),
            integration: integration.name.value.clone(),
            report: integration.report.name.value.clone(),
            source: source_name(target),
            object: object.name.clone(),
            object_label: object.label.clone(),
            org: integration.org.value.clone(),
            environment: target.environment,
            org_id: connected.org_id,
            match_column: integration.matching.column.value.clone(),
            match_field: wanted.key_field.clone(),
            scope: integration.condition.as_ref().map(|c| c.value.clone()),
            undo_of: None,
            fields: compiled.heads.clone(),
            digests: crate::plan::Digests {
                configuration: integration.digest(target.environment),
                report: crate::model::Digest::from_sha256_hex(&facts.sha256),
                definitions: compiled.definitions.clone(),
            },
        };
        let unkept = |problem: FileProblem| match problem {
            FileProblem::Keep(e) => Failure::io("keep the plan in a temporary file below", self.root, &e),
            other => Failure::bug(other.to_string()),
        };
        let file = scratch(self.root).map_err(|e| unkept(FileProblem::Keep(e)))?;
        let mut spool = Spool::start(file, &header, watch).map_err(unkept)?;
        let summary = matching.finish(&header, &mut spool).map_err(|error| match error {
            FinishError::Reconcile(error) => super::memory::failure(&error),
            FinishError::Sink(problem) => unkept(problem),
            FinishError::Encode(error) => Failure::bug(error.to_string()),
        })?;
        let usage = connected.client.usage();
        let writing = costs::writing(summary.records, &object, &header.fields, integration.write, usage);
        if self.world.verbose > 0 {
            self.world.say(&costs::line(gone.choice.as_ref(), &writing));
        }
        let usage = usage.map(|u| crate::plan::Usage { used: u.used, allowed: u.allowed });
        let calls_made = budget.counters().calls;
        let calls_to_come = writing.estimate.calls;
        let guards = integration.environments.get(&target.environment).map(|e| &e.guards);
        let calls_guard = guards.and_then(|guards| {
            let limit = super::compile::limit(guards.max_calls);
            costs::calls_guard(limit, calls_made - calls_before, calls_to_come, usage)
        });
        let context = Context {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            planned_at: self.world.now(),
            report_modified: facts.modified,
            read_by: gone.way,
            calls_made,
            calls_to_come,
            reading: gone.choice,
            writing: Some(writing),
            calls_guard,
            usage,
            org_rows: gone.rows,
            record_links: Some(connected.record_links.clone()),
            not_checked: compiled.not_checked,
            warnings,
        };
        let mut plan = spool.finish(summary, context).map_err(unkept)?;
        let unmet = known.unmet(&plan);
        plan.context.warnings.extend(unmet);
        if let Some(broken) = plan.broken().into_iter().next() {
            return Err(Failure::bug(format!("the plan contradicts itself: {broken}")));
        }
        Ok(Planned { plan, connected, parent: object.parent.clone(), report: facts })
    }

    /// The file is the one that `checksum:` means, where there is one.
    fn checksum(&self, target: Target<'_>, facts: &report::Facts) -> Result<(), Failure> {
        let source = target.integration.source(target.environment);
        let found = format!("sha256:{}", facts.sha256);
        match &source.checksum {
            Some(wanted) if *wanted != found => {
                let message = format!("`{}` is not the file that `checksum:` means", source_name(target));
                let diagnostic = Diagnostic::error(Code::ReportChecksum, message)
                    .at(source.location.span.clone(), "the source")
                    .note("nothing was read from Salesforce and nothing was written")
                    .help(format!("fetch the report again; if this content is right, write `checksum: {found}`"));
                Err(Failure::new(super::exit::Exit::Failed, diagnostic))
            }
            _ => Ok(()),
        }
    }

    /// Guards on what is not in the plan's counts: the report's age, its shrinking.
    fn given_guards(&self, target: Target<'_>, facts: &report::Facts, org_id: OrgId) -> Vec<GuardVerdict> {
        let Some(guards) = target.integration.environments.get(&target.environment).map(|e| &e.guards) else {
            return Vec::new();
        };
        let mut given = Vec::new();
        if let Some(limit) = guards.max_age {
            given.push(age(self.world.now().as_second(), facts.modified.map(|m| m.as_second()), limit));
        }
        if let Some(limit) = guards.max_shrink {
            let store = self.store();
            // A history that cannot be read is no history: the guard then has nothing to compare with.
            let last = store.last_carried_out(&target.integration.name.value, target.environment, org_id);
            let before = last.ok().flatten().map(|run| run.rows);
            let limit = super::compile::limit(limit);
            let base = before.unwrap_or(0);
            let value = base.saturating_sub(facts.rows);
            given.push(GuardVerdict {
                name: GuardName::MaxShrink,
                value,
                base,
                limit,
                held: before.is_some() && limit.exceeded_by(value, base),
            });
        }
        given
    }
}

/// `max_age`, in seconds. A report without a time, or from the future, is of unknown age: held back.
fn age(now: i64, modified: Option<i64>, limit: Duration) -> GuardVerdict {
    let check = modified.map(|m| report::fresh::max_age(now, m, i64::try_from(limit.as_secs()).unwrap_or(i64::MAX)));
    let value = modified.map_or(0, |m| u64::try_from(now - m).unwrap_or(0));
    let held = check.is_none_or(|c| c.verdict.stops());
    GuardVerdict { name: GuardName::MaxAge, value, base: 0, limit: Limit::Count(limit.as_secs()), held }
}

/// Where the report comes from, as written.
pub(super) fn source_name(target: Target<'_>) -> String {
    match &target.integration.source(target.environment).location.value {
        crate::config::valid::Location::Path(name) | crate::config::valid::Location::Url(name) => name.clone(),
    }
}

fn warning(warning: &report::Warning) -> String {
    use report::Warning;
    match warning {
        Warning::BlankColumn { position } => {
            format!("column {position} of the report has no name, so nothing can be mapped from it")
        }
        Warning::NearDuplicates { names, .. } => {
            format!("columns differ in case or spaces alone: {}", names.join(", "))
        }
        Warning::SepLine { .. } => {
            "the file's own `sep=` line names another delimiter than the one that is set".to_owned()
        }
        Warning::HeaderOnly => "the report has a header and no rows".to_owned(),
        Warning::LostCharacters { rows, first_row, first_line } => {
            format!(
                "{rows} rows hold characters that were lost before the report was written (first: row {first_row}, line {first_line})"
            )
        }
    }
}
