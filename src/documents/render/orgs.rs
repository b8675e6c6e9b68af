//! Orgs and log-ins for a terminal, and as JSON.

use jiff::Timestamp;
use serde_json::json as value;

use super::Options;
use super::escape::Terminal;
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

/// The same as data.
pub fn json(lines: &[OrgLine]) -> String {
    let all: Vec<_> = lines
        .iter()
        .map(|line| {
            value!({
                "org": line.org, "environment": line.environment.as_str(), "plans": line.plans, "org_id": line.org_id, "instance": line.instance,
                "user": line.user, "flow": line.flow, "created": line.created.map(second),
                "used": line.used.map(second), "state": line.state,
            })
        })
        .collect();
    format!("{:#}", value!({ "orgs": all }))
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
