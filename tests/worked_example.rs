//! The end-to-end example of the original documents: leads that use the software more than others, sandbox first, with Gainsight's rules.

use crate::scene::Scene;

const SEED: &str = r##"
objects:
  Lead:
    fields:
      - { name: WalkMe_First_Login__c, label: First login, type: datetime }
      - { name: WalkMe_Last_Login__c, label: Last login, type: datetime }
      - { name: WalkMe_Logins_last_30_days__c, label: '# logins last 30 days', type: number, precision: 18, scale: 0 }
    records:
      - { LastName: Lovelace, Company: Engines, Email: ada@example.org }
      - { LastName: Babbage, Company: Engines, Email: charles@example.org, WalkMe_Logins_last_30_days__c: 2 }
      - { LastName: Unused, Company: Elsewhere, Email: nobody@example.org }
"##;

const DAY: &str = "User ID,First Login,Last Login,# Logins last 30 days\n\
    ADA@example.org,2026-07-01T08:00:00Z,2026-08-01T09:00:00Z,12\n\
    charles@example.org ,2026-07-02T08:00:00Z,2026-08-02T09:00:00Z,2\n\
    stranger@example.org,2026-07-02T08:00:00Z,2026-08-02T09:00:00Z,7\n";

#[test]
fn the_worked_example_goes_from_the_request_to_the_daily_refresh() {
    let mut scene = Scene::seeded(SEED);
    let production = Scene::seeded(&format!("org: {{ id: 00DEm0000000042, name: Acme, sandbox: false }}\n{SEED}"));
    let token = production.org().access_token();
    scene.set("PRODUCTION_TOKEN", &token);
    scene.set("COLUMNS", "160");
    for file in ["logins-to-leads.yaml", "reports/logins-review.yaml", "project.yaml"] {
        let text = std::fs::read_to_string(format!("{}/integrations/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        scene.write(&format!("integrations/{file}"), &text);
    }
    let environment = |name: &str, org: &Scene, token: &str| {
        let (url, id) = (org.org().url(), org.org().org_id());
        format!(
            "  {name}:\n    domain: {url}\n    org_id: {id}\n    auth: {{ flow: access_token, token: \"${{{token}}}\" }}\n"
        )
    };
    let (sandbox, beside) =
        (environment("sandbox", &scene, "ORG_TOKEN"), environment("production", &production, "PRODUCTION_TOKEN"));
    scene.write("integrations/orgs.yaml", &format!("footbridge: 1\nkind: orgs\nacme:\n{sandbox}{beside}"));
    // The request to the admin, for both environments, with types as the report declares them.
    scene
        .run(&["request", "logins-to-leads"])
        .exits(0)
        .says("likely to convert")
        .says("Date/Time")
        .says("production (");
    // The report, as it comes.
    scene.write("exports/logins-review.csv", DAY);
    scene.run(&["validate"]).exits(0);
    scene.run(&["validate", "--online"]).exits(0).says("logins-to-leads: fits");
    // Dry run, then the sandbox.
    scene
        .run(&["plan", "logins-to-leads", "--detailed-exitcode"])
        .exits(2)
        .says("2 records")
        .says("1  No Lead record has the key; Footbridge creates none");
    assert_eq!(scene.write_calls(), 0);
    scene.run(&["apply", "logins-to-leads", "--env", "sandbox", "--yes"]).exits(0).says("Completed");
    let leads = scene.org().records("Lead");
    assert_eq!(leads.len(), 3, "nothing is created");
    assert_eq!(leads[0]["WalkMe_Logins_last_30_days__c"].as_f64(), Some(12.0));
    assert!(leads[0]["WalkMe_First_Login__c"].as_str().unwrap().starts_with("2026-07-01T08:00:00"));
    assert!(leads[2]["WalkMe_Last_Login__c"].is_null(), "who is not in the report is left alone");
    // The log, and nothing left to do.
    scene.run(&["runs"]).exits(0).says("Logins Review").says("Lead").says("Completed");
    scene.run(&["plan", "logins-to-leads", "--detailed-exitcode"]).exits(0).says("No changes");
    // Production: its first run needs a person.
    let logins = || production.org().records("Lead")[0]["WalkMe_Logins_last_30_days__c"].as_f64();
    scene.run(&["apply", "logins-to-leads", "--env", "production", "--yes"]).exits(4).says("--first-run");
    assert_eq!((logins(), production.write_calls()), (None, 0));
    scene.run(&["apply", "logins-to-leads", "--env", "production", "--yes", "--first-run"]).exits(0);
    assert_eq!(logins(), Some(12.0));
    // The day after: the newest data, without a person.
    scene.write("exports/logins-review.csv", &DAY.replace(",12\n", ",14\n"));
    scene.run(&["apply", "logins-to-leads", "--env", "production", "--yes"]).exits(0);
    assert_eq!(logins(), Some(14.0));
}

const CONTACTS: &str = r##"
objects:
  Contact:
    fields:
      - { name: WalkMe_NPS_Score__c, type: number, precision: 3, scale: 0 }
      - { name: WalkMe_Onboarding_Completion__c, type: percent, precision: 5, scale: 1 }
      - { name: WalkMe_Courses_Completed__c, type: number, precision: 5, scale: 0 }
      - { name: WalkMe_Course_Progress__c, type: percent, precision: 5, scale: 1 }
    records:
      - { LastName: Lovelace, Email: ada@example.org }
      - { LastName: Unused, Email: nobody@example.org }
"##;

#[test]
fn the_other_ready_reports_are_carried_to_contacts() {
    let scene = Scene::seeded(CONTACTS);
    let shipped = |file: &str| {
        let text = std::fs::read_to_string(format!("{}/integrations/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        scene.write(&format!("integrations/{file}"), &text);
    };
    for (integration, report, export, rows) in [
        ("nps", "nps", "nps", "User ID,NPS Score\nADA@example.org,9\n"),
        (
            "onboarding",
            "onboarding-completion-rate",
            "onboarding-completion-rate",
            "User ID,Completion Rate\nada@example.org,62.5%\n",
        ),
        ("teachme", "teachme", "teachme", "User ID,Courses Completed,Course Progress\nada@example.org,3,75%\n"),
    ] {
        shipped(&format!("{integration}-to-contacts.yaml"));
        shipped(&format!("reports/{report}.yaml"));
        scene.write(&format!("exports/{export}.csv"), rows);
    }
    // The columns are declared, so that the admin can be asked for fields of the right type.
    scene.run(&["request", "onboarding-to-contacts"]).exits(0).says("WalkMe_Onboarding_Completion__c");
    scene.run(&["apply", "--all", "--yes"]).exits(0);
    let contacts = scene.org().records("Contact");
    let fields = [
        ("WalkMe_NPS_Score__c", 9.0),
        ("WalkMe_Onboarding_Completion__c", 62.5),
        ("WalkMe_Courses_Completed__c", 3.0),
        ("WalkMe_Course_Progress__c", 75.0),
    ];
    for (field, value) in fields {
        assert_eq!((contacts[0][field].as_f64(), contacts[1][field].as_f64()), (Some(value), None), "{field}");
    }
    scene.run(&["plan", "--detailed-exitcode"]).exits(0);
}
