//! Orgs and log-ins for a terminal, and as JSON.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Options;
use super::escape::{Terminal, json_text};
use super::fold::fold;
use super::table::{fits, text_table};
use crate::model::EnvironmentName;

/// One environment of an org.
#[derive(Debug, Clone)]
pub struct OrgLine {
    /// The org's name.
    pub org: String,
    /// Which environment.
    pub environment: EnvironmentName,
    /// The log-in of plans alone?
    pub plans: bool,
    /// The pinned id.
    pub org_id: Option<String>,
    /// The host.
    pub instance: String,
    /// The user's name.
    pub user: Option<String>,
    /// The flow's word.
    pub flow: Option<String>,
    /// Since when it is connected.
    pub created: Option<Timestamp>,
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// The present.
    pub now: Timestamp,
    /// `connected`, or what else.
    pub state: String,
}

/// How long ago, in the largest unit that fits: `3 d`.
fn ago(then: Option<Timestamp>, now: Timestamp) -> String {
    let Some(then) = then else { return "–".to_owned() };
    let seconds = (now.as_second() - then.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A table of orgs; where the terminal is too narrow, a few lines each.
pub fn table(lines: &[OrgLine], options: &Options) -> String {
    if lines.is_empty() {
        return "No orgs: describe one in integrations/orgs.yaml.\n".to_owned();
    }
    let shown = |text: Option<&str>| text.map_or_else(|| "–".to_owned(), |t| Terminal(t).to_string());
    let names = ["Org", "Environment", "Org id", "Instance", "User", "Flow", "Age", "Last use", "State"];
    let cells = |line: &OrgLine| {
        [
            shown(Some(&line.org)),
            format!("{}{}", line.environment, if line.plans { " (plan_auth)" } else { "" }),
            shown(line.org_id.as_deref()),
            shown(Some(&line.instance)),
            shown(line.user.as_deref()),
            shown(line.flow.as_deref()),
            ago(line.created, line.now),
            ago(line.used, line.now),
            shown(Some(&line.state)),
        ]
    };
    let wide = text_table(&names, lines.iter().map(|line| cells(line).to_vec()).collect(), &[6, 7], 0);
    if fits(&wide, options.width) {
        return wide;
    }
    let mut out = String::new();
    for line in lines {
        let cells = cells(line);
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{}, {}: {}\n", cells[0], cells[1], cells[8]));
        for at in 2..8 {
            out.push_str(&format!("  {:9} {}\n", names[at], cells[at]));
        }
    }
    fold(&out, options.width)
}

/// To the second, UTC.
fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Orgs and log-ins as data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge orgs")]
pub struct OrgsView<'a> {
    /// Always `footbridge orgs-view/1`.
    #[schemars(extend("const" = "footbridge orgs-view/1"))]
    format: &'static str,
    /// Every log-in of every environment.
    orgs: Vec<OrgView<'a>>,
}

/// One log-in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Org")]
struct OrgView<'a> {
    /// The org's name.
    org: &'a str,
    /// `sandbox` or `production`.
    environment: &'static str,
    /// The log-in of plans alone?
    plans: bool,
    /// The pinned id.
    org_id: Option<&'a str>,
    /// The host.
    instance: &'a str,
    /// The user's name.
    user: Option<&'a str>,
    /// The flow's word.
    flow: Option<&'a str>,
    /// Since when it is connected (UTC).
    created: Option<String>,
    /// When it was last used (UTC).
    used: Option<String>,
    /// `connected`, or what else.
    state: &'a str,
}

/// The same as data.
pub fn json(lines: &[OrgLine]) -> String {
    fn row(line: &OrgLine) -> OrgView<'_> {
        let OrgLine { org, environment, plans, org_id, instance, user, flow, created, used, now: _, state } = line;
        OrgView {
            org,
            environment: environment.as_str(),
            plans: *plans,
            org_id: org_id.as_deref(),
            instance,
            user: user.as_deref(),
            flow: flow.as_deref(),
            created: created.map(second),
            used: used.map(second),
            state,
        }
    }
    json_text(&OrgsView { format: "footbridge orgs-view/1", orgs: lines.iter().map(row).collect() })
}

/// An org that was logged in to, as data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge connection")]
pub struct ConnectionView<'a> {
    /// Always `footbridge connection-view/1`.
    #[schemars(extend("const" = "footbridge connection-view/1"))]
    pub format: &'static str,
    /// The org's name in orgs.yaml.
    pub org: &'a str,
    /// `sandbox` or `production`.
    pub environment: &'a str,
    /// The org's id.
    pub org_id: &'a str,
    /// The company's name.
    pub name: &'a str,
    /// Does the org say that it is a sandbox?
    pub is_sandbox: bool,
    /// The org's edition, as Salesforce calls it.
    pub edition: &'a str,
    /// `CS42`.
    pub instance: &'a str,
    /// Where calls go.
    pub instance_url: &'a str,
    /// The user's name, where the log-in opens it.
    pub user: Option<&'a str>,
    /// The flow's word.
    pub flow: &'a str,
    /// The version of Salesforce's API.
    pub api_version: &'a str,
    /// Is the log-in kept on this machine?
    pub kept: bool,
    /// Where the id was written; null where it stood there already.
    pub written: Option<WrittenView>,
}

/// A line of a file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Written")]
pub struct WrittenView {
    /// The file, from the repository's root.
    pub file: String,
    /// The line.
    pub line: usize,
}

/// A log-in that was ended, as data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge disconnection")]
pub struct DisconnectionView<'a> {
    /// Always `footbridge disconnection-view/1`.
    #[schemars(extend("const" = "footbridge disconnection-view/1"))]
    pub format: &'static str,
    /// The org's name in orgs.yaml.
    pub org: &'a str,
    /// `sandbox` or `production`.
    pub environment: &'a str,
    /// The log-in of plans alone?
    pub plans: bool,
    /// At Salesforce: revoked now, had ended before, not revoked, or there was nothing that can be.
    pub revoked: Revoked,
    /// Was something kept on this machine, that is forgotten now?
    pub forgotten: bool,
}

/// What became of a log-in at Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Revoked {
    Now,
    Before,
    No,
    Nothing,
}

/// The External Client App that a log-in needs, as data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge app")]
pub struct AppView<'a> {
    /// Always `footbridge app-view/1`.
    #[schemars(extend("const" = "footbridge app-view/1"))]
    pub format: &'static str,
    /// The org's name in orgs.yaml.
    pub org: &'a str,
    /// `sandbox` or `production`.
    pub environment: &'a str,
    /// The log-in of plans alone?
    pub plans: bool,
    /// The flow's word.
    pub flow: &'a str,
    /// The app; null where the flow needs none.
    pub app: Option<AppSettings<'a>>,
    /// What an admin does by hand.
    pub steps: &'a [String],
    /// The app as metadata to deploy.
    pub files: Vec<AppFile>,
    /// Files that were written.
    pub written: &'a [String],
    /// What is left to do once they are deployed.
    pub after_deploying: &'a [String],
}

/// The app's settings.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AppSettings<'a> {
    /// The name that the API knows it by.
    pub name: &'a str,
    /// The name that people see.
    pub label: &'a str,
    /// The address that a log-in comes back to.
    pub callback: &'a str,
    /// What a log-in may do.
    pub scopes: [&'static str; 2],
    /// Must a log-in prove that it is the one that began (PKCE)?
    pub pkce: bool,
    /// Does exchanging a code need the app's secret?
    pub secret_for_code: bool,
    /// Does renewing a token need the app's secret?
    pub secret_for_refresh: bool,
    /// May a log-in be confirmed on another device?
    pub device_flow: bool,
    /// May the app log in by itself, as one user?
    pub client_credentials: bool,
    /// Is a refresh token good for one use?
    pub rotation: bool,
    /// The permission set whose users may use the app.
    pub permission_set: &'a str,
}

/// A file of metadata.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AppFile {
    /// Below the folder of a package.
    pub path: String,
    /// The metadata type.
    pub r#type: &'static str,
    /// What is in it.
    pub text: String,
}

/// An org that was reached.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    /// `acme (sandbox)`.
    pub label: &'a str,
    /// The user's name.
    pub user: Option<&'a str>,
    /// The company's name.
    pub name: &'a str,
    /// Its id.
    pub org_id: &'a str,
    /// `a sandbox`.
    pub kind: &'a str,
    /// `CS42`.
    pub instance: &'a str,
    /// Where calls go.
    pub address: &'a str,
    /// `66.0`.
    pub api_version: &'a str,
    /// The flow's word.
    pub flow: &'a str,
    /// What is kept, and where.
    pub kept: &'a str,
}

/// Who and which org it is.
pub fn reached(reach: &Reach<'_>) -> String {
    let user =
        reach.user.map_or_else(|| "not told: the app's scopes do not open it".to_owned(), |u| Terminal(u).to_string());
    let instance =
        if reach.instance.is_empty() { String::new() } else { format!(", instance {}", Terminal(reach.instance)) };
    let lines = [
        ("User", user),
        ("Org", format!("{}, {}", Terminal(reach.name), reach.org_id)),
        ("Kind", format!("{}{instance}", reach.kind)),
        ("Address", Terminal(reach.address).to_string()),
        ("API", format!("version {}", Terminal(reach.api_version))),
        ("Log-in", format!("{}; {}", reach.flow, Terminal(reach.kept))),
    ];
    let mut out = format!("Connected: {}\n\n", reach.label);
    for (name, text) in lines {
        out.push_str(&format!("  {name:9}{text}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_largest_unit_that_fits() {
        let now = Timestamp::from_second(10_000_000).unwrap();
        let table = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 d"),
            (-5, "0 s"),
        ];
        for (seconds, text) in table {
            let then = Timestamp::from_second(10_000_000 - seconds).unwrap();
            assert_eq!(ago(Some(then), now), text);
        }
        assert_eq!(ago(None, now), "–");
    }
}
