use super::*;
use crate::config::files::FileProblem;
use crate::model::EnvironmentName::{Production, Sandbox};

/// Files in memory.
struct Held(Vec<(String, String)>);

impl Files for Held {
    fn list(&self) -> (Vec<String>, Vec<(String, FileProblem)>) {
        (self.0.iter().map(|(path, _)| path.clone()).collect(), Vec::new())
    }
    fn read(&self, path: &str) -> Result<Vec<u8>, FileProblem> {
        Ok(self.0.iter().find(|(p, _)| p == path).map(|(_, text)| text.clone().into_bytes()).unwrap_or_default())
    }
}

const ORGS: &str = "footbridge: 1\nkind: orgs\nacme:\n  sandbox:\n    domain: acme--uat.sandbox.my.salesforce.com\n    org_id: 00D000000000001EAA\n    \
                    auth: { flow: client_credentials, client_id: \"${ID}\", client_secret: \"${SECRET}\" }\n";
const PEOPLE: &str = "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport: Logins\nobject: Lead\nmatch: { column: User ID, field: Email }\n\
                      fields:\n  WalkMe_A__c: A\n  WalkMe_B__c: { column: B, when_blank: clear }\nenvironments: { sandbox: {} }\n";
const REPORT: &str = "footbridge: 1\nkind: report\nname: Logins\nsource: exports/logins.csv\n";

#[track_caller]
fn read(parts: &[(&str, &str)]) -> Repository {
    let files = Held(parts.iter().map(|(p, t)| (format!("integrations/{p}.yaml"), (*t).to_owned())).collect());
    let loaded = load_plain(&files);
    assert!(!loaded.diagnostics.has_errors(), "{:#?}", loaded.diagnostics);
    loaded.repository
}

fn usual() -> Repository {
    read(&[("orgs", ORGS), ("people", PEOPLE), ("report", REPORT)])
}

#[track_caller]
fn only(before: &Repository, after: &Repository) -> Change {
    let mut all = changes(before, after);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn order_comments_file_names_and_defaults_are_no_change() {
    let other = "# about people\nkind: integration\nfootbridge: 1\norg: acme\nname: 'people'\nobject: Lead\nreport: Logins\nread: auto\nshared: false\non_bad_value: skip_cell\n\
                 environments:\n  sandbox:\n    guards: { max_clears: 0, min_match: 50%, max_refused: 5.0% }\nmatch: { field: Email, column: User ID, on_duplicate_rows: skip }\n\
                 fields:\n  WalkMe_B__c: { when_blank: clear, column: B, write: always }\n  WalkMe_A__c: { column: A, show_values: false }\n";
    let report =
        "footbridge: 1\nkind: report\nname: Logins\nkey: User ID\nsource: { path: exports/logins.csv, header: true }\n";
    let moved = read(&[("x/orgs", ORGS), ("another-name", other), ("reports/logins", report)]);
    assert_eq!(changes(&usual(), &moved), []);
}

#[test]
fn each_difference_is_a_sentence() {
    let table: &[(&str, &str, &str)] = &[
        ("  WalkMe_A__c: A\n", "", "field `WalkMe_A__c` is not written any more"),
        (
            "  WalkMe_A__c: A\n",
            "  WalkMe_A__c: A\n  WalkMe_C__c: { column: C, show_values: true }\n",
            "field `WalkMe_C__c` added, from column `C` (show_values: true)",
        ),
        ("WalkMe_A__c: A", "WalkMe_Z__c: A", "column `A` is written to `WalkMe_Z__c` instead of `WalkMe_A__c`"),
        ("WalkMe_A__c: A", "WalkMe_A__c: A2", "field `WalkMe_A__c` is filled from `A2` instead of `A`"),
        ("when_blank: clear", "when_blank: fail", "field `WalkMe_B__c`: when_blank changed from `clear` to `fail`"),
        (", when_blank: clear", "", "field `WalkMe_B__c`: when_blank is the default again (it was `clear`)"),
        ("object: Lead", "object: Lead\nwhere: IsConverted = false", "where set to `IsConverted = false`"),
        ("field: Email", "field: External__c", "match.field changed from `Email` to `External__c`"),
        (
            "sandbox: {}",
            "sandbox: { guards: { max_overwrites: 30% } }",
            "environments.sandbox.guards.max_overwrites set to `30%`",
        ),
    ];
    for (from, to, said) in table {
        let people = PEOPLE.replace(from, to);
        let change = only(&usual(), &read(&[("orgs", ORGS), ("people", &people), ("report", REPORT)]));
        assert_eq!((change.name.as_str(), change.kind), ("people", ChangeOf::Changed));
        assert_eq!(change.lines, [*said], "{}", change.yaml);
        assert!(change.yaml.starts_with("@@ "), "{}", change.yaml);
    }
}

#[test]
fn what_it_depends_on_counts() {
    let report = REPORT.replace("exports/logins.csv", "exports/other.csv");
    let change = only(&usual(), &read(&[("orgs", ORGS), ("people", PEOPLE), ("report", &report)]));
    assert_eq!(change.lines, ["report.source.path changed from `exports/logins.csv` to `exports/other.csv`"]);
    let project = "footbridge: 1\nkind: project\nguards: { min_rows: 7 }\n";
    let with = read(&[("orgs", ORGS), ("people", PEOPLE), ("report", REPORT), ("project", project)]);
    assert_eq!(only(&usual(), &with).lines, ["environments.sandbox.guards.min_rows set to 7"]);
    let orgs = ORGS.replace("${SECRET}", "${OTHER}");
    let change = only(&usual(), &read(&[("orgs", &orgs), ("people", PEOPLE), ("report", REPORT)]));
    assert_eq!(change.lines, ["org.sandbox.auth.client_secret changed from `${SECRET}` to `${OTHER}`"]);
}

#[test]
fn known_failures_of_its_fields_count_and_no_others() {
    let known = |field: &str, reason: &str| {
        let text = format!(
            "footbridge: 1\nkind: known_failures\nfailures:\n  00Q000000000001EAA:\n    {field}: {{ error: DUPLICATE_VALUE, until: \"2026-12-31\", reason: {reason} }}\n"
        );
        read(&[("orgs", ORGS), ("people", PEOPLE), ("report", REPORT), ("known", &text)])
    };
    let added = only(&usual(), &known("WalkMe_A__c", "one"));
    assert_eq!(added.lines.len(), 1, "{added:?}");
    assert!(
        added.lines[0].starts_with("known_failures") && added.yaml.contains("DUPLICATE_VALUE until 2026-12-31: one"),
        "{added:?}"
    );
    let changed = only(&known("WalkMe_A__c", "one"), &known("WalkMe_A__c", "two"));
    assert!(changed.lines[0].ends_with("to `DUPLICATE_VALUE until 2026-12-31: two`"), "{changed:?}");
    assert_eq!(changes(&usual(), &known("WalkMe_Z__c", "one")), []);
}

#[test]
fn new_and_gone() {
    let without = read(&[("orgs", ORGS), ("report", REPORT)]);
    let change = only(&without, &usual());
    assert_eq!(change.kind, ChangeOf::Added);
    assert!(change.yaml.contains("\n+fields:\n"), "{}", change.yaml);
    assert_eq!(only(&usual(), &without).kind, ChangeOf::Removed);
}

#[test]
fn a_branch_reaches_only_what_the_base_names() {
    let base = usual();
    let why = |branch: &Repository, fork_point: &Repository, trusted: &Repository| {
        untrusted(&branch.integrations["people"], Sandbox, branch, fork_point, trusted)
    };
    assert_eq!(why(&base, &base, &base), Vec::<String>::new());
    for (from, to, what) in [
        ("acme--uat", "evil--uat", "domain"),
        ("0001EAA", "0002EAA", "org_id"),
        ("${SECRET}", "${OTHER}", "auth"),
        ("client_id: \"${ID}\"", "client_id: \"${SECRET}\"", "auth"),
    ] {
        let branch = read(&[("orgs", &ORGS.replace(from, to)), ("people", PEOPLE), ("report", REPORT)]);
        assert_eq!(why(&branch, &base, &base), [format!("the branch changes `acme` (sandbox): {what}")]);
        // The base has moved on, and the branch is what it was: the base's is used.
        assert_eq!(why(&base, &base, &branch), Vec::<String>::new());
    }
    let empty = Repository::default();
    assert_eq!(why(&base, &empty, &empty), ["the base has no org `acme` with a sandbox"]);
    assert!(untrusted(&base.integrations["people"], Production, &base, &base, &base)[0].contains("production"));

    let url = |url: &str, token: &str| {
        let source = format!("source: {{ url: \"{url}\", headers: {{ Authorization: \"{token}\" }} }}");
        read(&[("orgs", ORGS), ("people", PEOPLE), ("report", &REPORT.replace("source: exports/logins.csv", &source))])
    };
    let named = url("https://reports.example.com/a.csv", "${TOKEN}");
    assert_eq!(why(&named, &named, &named), Vec::<String>::new());
    assert_eq!(why(&base, &base, &named), Vec::<String>::new(), "a file of the repository is always allowed");
    for other in
        [url("https://evil.example.com/a.csv", "${TOKEN}"), url("https://reports.example.com/a.csv", "${AWS_SECRET}")]
    {
        assert!(why(&other, &named, &named)[0].contains("that the base does not name"));
    }
}
