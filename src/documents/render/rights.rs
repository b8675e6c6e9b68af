//! What a user may and may not do, for a terminal and as JSON: one line a right, and for each that is missing where it is given.

use schemars::JsonSchema;
use serde::Serialize;

use super::escape::{Terminal, json_text};
use super::fold::fold;
use super::paint::Paint;
use super::{Options, counted};

/// Is a right there?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Yes.
    There,
    /// No.
    Missing,
    /// This user cannot see whether.
    Unknown,
}

impl State {
    /// The word for people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            State::There => "there",
            State::Missing => "missing",
            State::Unknown => "unknown",
        }
    }
}

/// One right.
#[derive(Debug, Clone)]
pub struct Right {
    /// `Lead: Edit`.
    pub what: String,
    /// Is it there?
    pub state: State,
    /// Why it is not, or how that is known.
    pub why: Option<String>,
    /// The integrations that need it.
    pub integrations: Vec<String>,
    /// Where an admin gives it.
    pub setup: Option<String>,
    /// The line of a permission set that gives it.
    pub metadata: Option<String>,
}

/// What one user may do.
#[derive(Debug, Clone)]
pub struct LogInRights {
    /// `auth`, `plan_auth`.
    pub log_in: &'static str,
    /// The user's name.
    pub user: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// API name of the permission set that grants what is needed.
    pub permission_set: String,
    /// Every right that is needed.
    pub rights: Vec<Right>,
    /// What is worth a word, and keeps nothing from working.
    pub warnings: Vec<String>,
}

/// A check of one environment.
#[derive(Debug, Clone)]
pub struct Check {
    /// The org's name.
    pub org: String,
    /// Which environment.
    pub environment: &'static str,
    /// The org's id.
    pub org_id: String,
    /// The integrations that were looked at.
    pub integrations: Vec<String>,
    /// Each log-in.
    pub log_ins: Vec<LogInRights>,
    /// Files that were written.
    pub written: Vec<String>,
    /// What to do next.
    pub next: Vec<String>,
}

impl Check {
    /// Rights in a state.
    pub fn count(&self, state: State) -> usize {
        self.log_ins.iter().flat_map(|l| &l.rights).filter(|r| r.state == state).count()
    }
}

fn log_in(found: &LogInRights, check: &Check, paint: Paint, out: &mut String) {
    let user =
        found.user.as_deref().map_or_else(|| "a user whose name is not told".to_owned(), |u| Terminal(u).to_string());
    let profile = found.profile.as_deref().map_or_else(String::new, |p| format!(", profile {}", Terminal(p)));
    let head = format!("{} ({}), {}: {user}{profile}", check.org, check.environment, found.log_in);
    out.push_str(&format!("{}\n\n", paint.strong(head)));
    for right in &found.rights {
        let word = format!("{:8}", right.state.as_str());
        let word = match right.state {
            State::There => paint.good(word),
            State::Missing => paint.bad(word),
            State::Unknown => paint.odd(word),
        };
        out.push_str(&format!("  {word} {}\n", Terminal(&right.what)));
        if right.state == State::There && right.why.is_none() {
            continue;
        }
        let mut more = |text: &str| out.push_str(&format!("           {}\n", Terminal(text)));
        if let Some(why) = &right.why {
            more(why);
        }
        if right.state == State::Missing {
            if !right.integrations.is_empty() {
                more(&format!("needed by {}", right.integrations.join(", ")));
            }
            right.setup.iter().chain(&right.metadata).for_each(|line| more(line));
        }
    }
    for warning in &found.warnings {
        out.push_str(&format!("\n  {} {}\n", paint.odd("warning:"), Terminal(warning)));
    }
    out.push('\n');
}

/// `all 7 rights are there`, or what is not.
fn verdict(check: &Check) -> String {
    let (missing, unknown) = (check.count(State::Missing) as u64, check.count(State::Unknown) as u64);
    let are = |n: u64, what: &str| format!("{} {} {what}", counted(n, "right"), if n == 1 { "is" } else { "are" });
    match (missing, unknown) {
        (0, 0) => "Everything that is needed is there.".to_owned(),
        (0, unknown) => format!("Nothing is missing; {}.", are(unknown, "not known")),
        (missing, 0) => format!("{}.", are(missing, "missing")),
        (missing, unknown) => format!("{}, {}.", are(missing, "missing"), are(unknown, "not known")),
    }
}

/// For a terminal.
pub fn text(check: &Check, options: &Options) -> String {
    let paint = Paint(options.colour);
    let mut out = String::new();
    check.log_ins.iter().for_each(|found| log_in(found, check, paint, &mut out));
    out.push_str(&format!("{}\n", verdict(check)));
    if !check.written.is_empty() {
        out.push_str("\nWrote:\n");
        check.written.iter().for_each(|file| out.push_str(&format!("  {}\n", Terminal(file))));
    }
    if !check.next.is_empty() {
        out.push('\n');
        check.next.iter().for_each(|line| out.push_str(&format!("{}\n", Terminal(line))));
    }
    fold(&out, options.width)
}

/// The same as data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge rights")]
pub struct RightsView<'a> {
    /// Always `footbridge rights-view/1`.
    #[schemars(extend("const" = "footbridge rights-view/1"))]
    format: &'static str,
    /// The org's name.
    org: &'a str,
    /// `sandbox` or `production`.
    environment: &'a str,
    /// The org's id.
    org_id: &'a str,
    /// The integrations that run there.
    integrations: &'a [String],
    /// How many rights are missing.
    missing: usize,
    /// Of how many it cannot be seen.
    unknown: usize,
    /// Every log-in.
    log_ins: Vec<LogInView<'a>>,
    /// Files that were written.
    written: &'a [String],
    /// What to do next.
    next: &'a [String],
}

/// What one user may do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LogIn")]
struct LogInView<'a> {
    /// `auth` or `plan_auth`.
    log_in: &'a str,
    /// The user's name.
    user: Option<&'a str>,
    /// The profile.
    profile: Option<&'a str>,
    /// API name of the permission set that grants what is needed.
    permission_set: &'a str,
    /// Every right that is needed.
    rights: Vec<RightView<'a>>,
    /// What is more than is needed, or less than is good.
    warnings: &'a [String],
}

/// One right.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Right")]
struct RightView<'a> {
    /// `Lead: Edit`.
    right: &'a str,
    /// Is it there?
    #[schemars(extend("enum" = ["there", "missing", "unknown"]))]
    state: &'a str,
    /// Why it is not, or how that is known.
    why: Option<&'a str>,
    /// The integrations that need it.
    integrations: &'a [String],
    /// Where an admin gives it.
    setup: Option<&'a str>,
    /// The line of a permission set that gives it.
    metadata: Option<&'a str>,
}

/// As data.
pub fn json(check: &Check) -> String {
    fn right(right: &Right) -> RightView<'_> {
        RightView {
            right: &right.what,
            state: right.state.as_str(),
            why: right.why.as_deref(),
            integrations: &right.integrations,
            setup: right.setup.as_deref(),
            metadata: right.metadata.as_deref(),
        }
    }
    fn log_in(found: &LogInRights) -> LogInView<'_> {
        let LogInRights { log_in, user, profile, permission_set, rights, warnings } = found;
        let (user, profile) = (user.as_deref(), profile.as_deref());
        LogInView { log_in, user, profile, permission_set, rights: rights.iter().map(right).collect(), warnings }
    }
    json_text(&RightsView {
        format: "footbridge rights-view/1",
        org: &check.org,
        environment: check.environment,
        org_id: &check.org_id,
        integrations: &check.integrations,
        missing: check.count(State::Missing),
        unknown: check.count(State::Unknown),
        log_ins: check.log_ins.iter().map(log_in).collect(),
        written: &check.written,
        next: &check.next,
    })
}
