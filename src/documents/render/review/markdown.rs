//! A review as GitHub's Markdown (GitLab reads it as well): verdict and guards first, then the change of the mapping, the effect by cause, notable rows, a
//! folded sample, digests. Always below [`MARKDOWN_LIMIT`].

use super::part::{Part, lay_out};
use super::{Effect, Item, Kind, Planned, Problem, Review};
use crate::plan::{Anyway, ChangeKind};
use crate::render::escape::{MarkdownFence, clipped};
use crate::render::plan::MARKDOWN_LIMIT;
use crate::render::plan::words::{code, notable_row, record_row, value, words};
use crate::render::wording::{counted, grouped, listed, outcome_words};

/// Kept for what says what was left out.
const LAST: usize = 1_000;
/// The most that whole digests of all integrations may take of the page. With more, all of them are shortened: every one that was planned has its own.
const WHOLE_DIGESTS: usize = MARKDOWN_LIMIT / 3;
/// Digits of a shortened digest of changes: none that fits another plan can be searched for.
const ENOUGH: usize = 32;
const SENTENCE: usize = 400;
const LINE: usize = 400;

/// The first line of a comment, by which it is found again: one for each environment.
pub fn marker(environment: &str) -> String {
    format!("<!-- footbridge review {environment} -->")
}

/// In a comment that says that nothing changes: it is not worth posting, and worth updating.
pub const NOTHING: &str = "<!-- footbridge nothing changes -->";

/// Is this the first line of a comment of ours?
pub fn is_marker(line: &str) -> bool {
    ["sandbox", "production"].iter().any(|environment| line.trim_end() == marker(environment))
}

/// The whole comment.
pub fn render(review: &Review) -> String {
    let mut parts = vec![Part::block(0, "the verdict", title(review))];
    let problems: Vec<String> = review.problems.iter().map(problem).collect();
    if !problems.is_empty() {
        parts.push(list(2, 20_000, "", problems, 0, "problem", "\n", "problems"));
    }
    let notes: Vec<String> = review.notes.iter().map(|n| format!("- {}\n", words(n, SENTENCE))).collect();
    if !notes.is_empty() {
        parts.push(list(3, 3_000, "", notes, 0, "note", "\n", "notes"));
    }
    let approvals = approvals(review);
    review.items.iter().zip(&approvals).for_each(|(item, approval)| integration(item, review, approval, &mut parts));
    let (mut page, left_out) = lay_out(&parts, MARKDOWN_LIMIT - LAST);
    if !left_out.is_empty() {
        let all: Vec<String> = left_out.iter().map(|(name, count)| format!("{name} ({})", grouped(*count))).collect();
        page.push_str(&format!(
            "\nLeft out for want of room: {}. `footbridge plan --base` at a terminal shows all, and each plan file that `--out` writes holds its digests.\n",
            listed(&all)
        ));
    }
    page
}

#[allow(clippy::too_many_arguments)]
fn list(
    priority: u8,
    most: usize,
    head: &str,
    items: Vec<String>,
    more: u64,
    what: &'static str,
    tail: &str,
    name: &'static str,
) -> Part {
    let block = Part::block(priority, name, head.to_owned());
    Part { most, items, more, what, tail: tail.to_owned(), ..block }
}

fn title(review: &Review) -> String {
    let env = &review.environment;
    let of = |wanted: fn(&Effect) -> bool| review.items.iter().filter(|item| wanted(&item.effect)).count() as u64;
    let held = of(|e| matches!(e, Effect::Planned(p) if p.view.verdict.held));
    let untrusted = of(|e| matches!(e, Effect::Untrusted(_)));
    let failed = of(|e| matches!(e, Effect::Failed(_)));
    let mut verdict = Vec::new();
    if !review.problems.is_empty() {
        verdict.push("⛔ **The configuration has errors: nothing was planned.**".to_owned());
    } else if review.items.is_empty() {
        verdict.push(format!("{NOTHING}\n✅ **No integration means anything else than before.**"));
    } else {
        verdict.push(format!("**{} changed.**", counted(review.items.len() as u64, "integration")));
    }
    for (count, sign, what) in [
        (failed, "⛔", "could not be planned"),
        (held, "⛔", "held back by guards"),
        (untrusted, "⚠️", "not planned: needs a trusted run"),
    ] {
        if count > 0 {
            verdict.push(format!("{sign} {} {what}.", grouped(count)));
        }
    }
    if review.unchanged > 0 {
        verdict.push(format!("{} unchanged.", grouped(review.unchanged)));
    }
    let short = |commit: &str| code(commit.get(..12).unwrap_or(commit));
    format!(
        "{}\n## Footbridge: what this branch changes ({env})\n\n{}\n\n<sub>{} compared with {}, where it left its base.</sub>\n\n",
        marker(env),
        verdict.join(" "),
        short(&review.head),
        short(&review.base),
    )
}

fn problem(problem: &Problem) -> String {
    let place = problem.place.as_ref().map(|place| format!(" {}", code(place))).unwrap_or_default();
    let help: String = problem.help.iter().take(2).map(|h| format!("<br>{}", spans(h))).collect();
    format!("- ⛔ **{}**{place}: {}{help}\n", words(&problem.code, 10), spans(&problem.message))
}

fn integration(item: &Item, review: &Review, approval: &str, parts: &mut Vec<Part>) {
    let name = code(&item.name);
    let new = match item.change {
        Kind::Added => " (new)",
        Kind::Changed | Kind::Removed => "",
    };
    let head = match &item.effect {
        Effect::Planned(planned) => head(&name, new, planned),
        Effect::Untrusted(why) => {
            format!("### ⚠️ {name}{new}: not planned: needs a trusted run\n\n{}\n\n", spans(why))
        }
        Effect::Failed(_) => format!("### ⛔ {name}{new}: could not be planned\n\n"),
        Effect::Elsewhere => format!("### {name}{new}: does not run in {}\n\n", review.environment),
        Effect::Removed => {
            format!("### 🗑 {name}: removed\n\nIts fields keep their values; nothing writes them any more.\n\n")
        }
    };
    parts.push(Part::block(2, "integrations", head));
    if let Effect::Failed(problems) = &item.effect {
        parts.push(list(3, 6_000, "", problems.iter().map(problem).collect(), 0, "problem", "\n", "problems"));
    }
    if let Effect::Planned(planned) = &item.effect {
        guards(planned, parts);
    }
    mapping(item, parts);
    if let Effect::Planned(planned) = &item.effect {
        effect(planned, parts);
        // Before all else: what may be applied is told of each, whatever there is no room for.
        parts.push(Part::block(1, "digests", approval.to_owned()));
    }
}

fn head(name: &str, new: &str, planned: &Planned) -> String {
    let view = &planned.view;
    let sign = match (view.verdict.held, view.verdict.changes) {
        (true, _) => "⛔",
        (false, true) => "📝",
        (false, false) => "✅",
    };
    let (ours, anyway) = (planned.causes.records.branch, planned.causes.records.anyway);
    let verdict = match (ours, anyway) {
        (0, 0) => "no record would change".to_owned(),
        (0, n) => format!("no record would change because of this branch; {} anyway", grouped(n)),
        (n, 0) => format!("{} would change", counted(n, "record")),
        (n, m) => format!("{} would change because of this branch, {} anyway", counted(n, "record"), grouped(m)),
    };
    let held = if view.verdict.held_by.is_empty() {
        String::new()
    } else {
        format!(" Held back by {}.", words(&listed(&view.verdict.held_by), SENTENCE))
    };
    let s = &view.subject;
    let baseline = planned.no_baseline.as_ref().map(|why| format!("\n\n{}", words(why, SENTENCE))).unwrap_or_default();
    format!(
        "### {sign} {name}{new}: {verdict}.{held}\n\n{} of {} (org {}), report {}, {} = {}{}.{baseline}\n\n",
        code(&s.object),
        words(&format!("{} {}", s.org, s.environment), 80),
        code(&s.org_id),
        words(&s.report, 80),
        code(&s.match_column),
        code(&s.match_field),
        s.scope.as_ref().map(|w| format!(", only where {}", code(w))).unwrap_or_default(),
    )
}

fn guards(planned: &Planned, parts: &mut Vec<Part>) {
    let mut all: Vec<_> = planned.view.guards.iter().collect();
    all.sort_by_key(|guard| !guard.held);
    let row = |guard: &&crate::render::plan::GuardView| {
        let word = if guard.held { "⛔ held" } else { "✅ ok" };
        format!("| {word} | {} | {} |\n", code(&guard.name), words(&guard.text, 240))
    };
    let rows: Vec<String> = all.iter().map(row).collect();
    if !rows.is_empty() {
        parts.push(list(3, 5_000, "| | Guard | |\n|---|---|---|\n", rows, 0, "guard", "\n", "guards"));
    }
    let warnings = planned.view.warnings.iter().map(|w| format!("- ⚠️ {}\n", words(w, 240)));
    let not_checked = planned.view.not_checked.iter().map(|n| format!("- Not checked: {}\n", words(n, 240)));
    let hidden = (!planned.hidden.is_empty()).then(|| {
        let fields: Vec<String> = planned.hidden.iter().map(|field| code(field)).collect();
        format!("- Values of {} are shown once the base says `show_values: true`.\n", listed(&fields))
    });
    let all: Vec<String> = warnings.chain(not_checked).chain(hidden).collect();
    if !all.is_empty() {
        parts.push(list(6, 4_000, "", all, 0, "warning", "\n", "warnings"));
    }
}

fn mapping(item: &Item, parts: &mut Vec<Part>) {
    let said: Vec<String> = item.said.iter().map(|line| format!("- {}\n", spans(line))).collect();
    if !said.is_empty() {
        parts.push(list(4, 6_000, "**The mapping**\n\n", said, 0, "difference", "\n", "differences"));
    }
    if item.yaml.is_empty() {
        return;
    }
    let fence = MarkdownFence::around(&item.yaml);
    let lines: Vec<String> = item.yaml.lines().map(|line| format!("{}\n", fence.line(&clipped(line, LINE)))).collect();
    let block = Part::block(
        8,
        "YAML differences",
        format!("<details><summary>The difference as YAML, normalised</summary>\n\n{}diff\n", fence.mark()),
    );
    parts.push(Part {
        most: 9_000,
        items: lines,
        what: "line",
        close: format!("{}\n", fence.mark()),
        tail: "\n</details>\n\n".to_owned(),
        ..block
    });
}

fn effect(planned: &Planned, parts: &mut Vec<Part>) {
    let Planned { view, causes, .. } = planned;
    let mut rows = Vec::new();
    for (field, kinds) in &causes.fields {
        let of = |kind: ChangeKind| kinds.get(&kind).copied().unwrap_or_default();
        let [fill, over, clear] = [ChangeKind::Fill, ChangeKind::Overwrite, ChangeKind::Clear].map(of);
        let gone = causes.gone.get(field).copied().unwrap_or(0);
        let counts = [fill.branch, over.branch, clear.branch, fill.anyway, over.anyway, clear.anyway, gone];
        rows.push(format!("| {} | {} |\n", code(field.as_str()), counts.map(zero).join(" | ")));
    }
    for (field, gone) in causes.gone.iter().filter(|(field, _)| !causes.fields.contains_key(*field)) {
        rows.push(format!("| {} | · | · | · | · | · | · | {} |\n", code(field.as_str()), grouped(*gone)));
    }
    if !rows.is_empty() {
        let head = "| Field | this branch: + fill | ~ overwrite | - clear | anyway: + fill | ~ overwrite | - clear | base alone |\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
        parts.push(list(5, 8_000, head, rows, 0, "field", "\n", "fields"));
    }
    anyway(planned, parts);
    let common: Vec<String> = view.common.iter().map(common).collect();
    if !common.is_empty() {
        let head = "| This branch's most frequent changes | | records |\n|---|---|--:|\n";
        parts.push(list(9, 3_000, head, common, 0, "change", "\n", "frequent changes"));
    }
    let r = &view.rows;
    let rows = crate::plan::RowOutcome::ALL.into_iter().map(|o| (o, r.of(o))).filter(|(_, n)| *n > 0);
    let rows: Vec<String> = rows
        .map(|(outcome, count)| {
            let ours = causes.rows.get(&outcome).filter(|share| share.branch > 0 && share.anyway > 0);
            let ours = ours.map(|s| format!(" ({} by this branch)", grouped(s.branch))).unwrap_or_default();
            format!("{} {}{ours}", grouped(count), outcome_words(outcome))
        })
        .collect();
    parts.push(Part::block(6, "rows", format!("Report rows: {}; {} in all.\n\n", rows.join(", "), grouped(r.rows))));
    for group in &view.notable {
        let rows: Vec<String> = group.rows.iter().take(10).map(notable_row).collect();
        let hint = group.hint.as_ref().map(|h| format!("{}\n\n", words(h, 240))).unwrap_or_default();
        let head = format!(
            "<details><summary>{}: <b>{}</b></summary>\n\n{hint}| Row | Line | Records | What |\n|--:|--:|---|---|\n",
            words(&group.title, 240),
            grouped(group.count)
        );
        let more = group.left_out + (group.rows.len() - rows.len()) as u64;
        parts.push(list(7, 3_000, &head, rows, more, "row", "\n</details>\n\n", "kinds of rows"));
    }
    let rows: Vec<String> = view.records.iter().map(record_row).collect();
    if !rows.is_empty() {
        let head = "<details><summary>Records that this branch changes</summary>\n\n| Record | Row | Changes |\n|---|--:|---|\n";
        let more = causes.records.branch.saturating_sub(rows.len() as u64);
        parts.push(list(10, 30_000, head, rows, more, "record", "\n</details>\n\n", "samples of records"));
    }
}

/// What is behind the cells that would change anyway, as far as kept values tell.
fn anyway(planned: &Planned, parts: &mut Vec<Part>) {
    let causes = &planned.causes;
    if causes.anyway.known() > 0 {
        let row = |(field, of): (&crate::model::FieldName, &Anyway)| {
            let counts = [of.new_report, of.org_moved, of.not_known].map(zero);
            format!("| {} | {} |\n", code(field.as_str()), counts.join(" | "))
        };
        let rows = causes.anyway_fields.iter().map(row).collect();
        let head = "| Anyway | new report data | the org moved | not known |\n|---|--:|--:|--:|\n";
        parts.push(list(5, 6_000, head, rows, 0, "field", "\n", "causes"));
    }
    if let Some(why) = planned.not_known() {
        parts.push(Part::block(6, "causes", format!("{}\n\n", spans(&why))));
    }
}

fn zero(n: u64) -> String {
    if n == 0 { "·".to_owned() } else { grouped(n) }
}

fn common(change: &crate::render::plan::CommonChange) -> String {
    let (before, after) = (value(change.before.as_deref()), value(change.after.as_deref()));
    format!("| {} | {before} → {after} | {} |\n", code(&change.field), grouped(change.count))
}

/// The command that applies exactly what was planned, of each integration; none where nothing was.
fn approvals(review: &Review) -> Vec<String> {
    let each = |whole: bool| -> Vec<String> {
        let one = |item: &Item| match &item.effect {
            Effect::Planned(planned) => approval(&item.name, planned, review, whole),
            _ => String::new(),
        };
        review.items.iter().map(one).collect()
    };
    let whole = each(true);
    if whole.iter().map(String::len).sum::<usize>() <= WHOLE_DIGESTS { whole } else { each(false) }
}

fn approval(name: &str, planned: &Planned, review: &Review, whole: bool) -> String {
    let d = &planned.view.digests;
    let digits = d.changes.as_str().strip_prefix("sha256:").and_then(|digits| digits.get(..ENOUGH));
    let changes = digits.filter(|_| !whole).unwrap_or(d.changes.as_str());
    let apply = format!("footbridge apply {name} --env {} --expect {}/{changes}", review.environment, d.inputs.short());
    let apply = code_whole(&apply);
    match whole {
        true => {
            let (inputs, changes) = (code_whole(d.inputs.as_str()), code_whole(d.changes.as_str()));
            format!("<sub>Exactly this, or nothing: {apply}. inputs {inputs}, changes {changes}.</sub>\n\n")
        }
        false => format!("<sub>Exactly this, or nothing: {apply}.</sub>\n\n"),
    }
}

/// Words in which names stand between backticks: these in the fixed-width face.
fn spans(text: &str) -> String {
    let text = clipped(text, SENTENCE * 2);
    let part = |(n, part): (usize, &str)| match n % 2 {
        1 if !part.is_empty() => code(part),
        _ => words(part, SENTENCE),
    };
    text.split('`').enumerate().map(part).collect()
}

/// Of text that must not be cut.
fn code_whole(text: &str) -> String {
    crate::render::escape::MarkdownCode(text).to_string()
}
