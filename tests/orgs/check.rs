//! `footbridge orgs check`: users of few rights, what is said of them, and the permission set that mends it.

use std::collections::BTreeSet;

use footbridge::emulator::{Access, ObjectRights};
use serde_json::Value;

use super::golden;
use crate::scene::{Ran, Scene};

const CI: &str = "ci@acme.example";

const SEED: &str = "
org: { id: 00DEm0000000042, name: Acme GmbH, sandbox: true }
users:
  - { username: admin@acme.example, name: Ada, profile: System Administrator, modify_all_data: true }
  - { username: ci@acme.example, name: CI, profile: Integration, permission_set: Old Access }
  - { username: reader@acme.example, name: Reader, profile: Integration, permission_set: Reading }
objects:
  Lead:
    fields:
      - { name: WalkMe_Count__c, label: Count, type: number, precision: 18, scale: 0 }
      - { name: WalkMe_Note__c, label: Note, type: text, length: 80 }
      - { name: WalkMe_Score__c, label: Score, type: number, formula: true }
      - { name: Segment__c, label: Segment, type: text, length: 10 }
    records:
      - { LastName: A, Company: C, Email: a@leads.example, Segment__c: A }
      - { LastName: B, Company: C, Email: b@leads.example, Segment__c: A }
      - { LastName: C, Company: C, Email: c@leads.example, Segment__c: A }
";

const INTEGRATION: &str = "footbridge: 1\nkind: integration\nname: counts\norg: acme\nreport: { name: Counts, source: exports/counts.csv }\nobject: Lead\nwhere: IsConverted = false AND Segment__c = 'A'\nmatch: { column: User ID, field: Email }\nfields: { WalkMe_Count__c: Count, WalkMe_Note__c: Note, LastName: Name }\nenvironments: { sandbox: {} }\n";

/// A repository whose sandbox is logged in to as `ci`, and whose plans as `reader` if asked for.
fn scene(plans: bool) -> Scene {
    let mut scene = Scene::seeded(SEED);
    for (variable, user) in
        [("CI_TOKEN", CI), ("READER_TOKEN", "reader@acme.example"), ("ADMIN_TOKEN", "admin@acme.example")]
    {
        let token = scene.org().session_of(user).unwrap();
        scene.set(variable, &token);
    }
    scene.set("FOOTBRIDGE_NOW", "2026-11-22T09:00:00Z");
    reach(&scene, "CI_TOKEN", plans);
    scene.write("integrations/counts.yaml", INTEGRATION);
    scene.write(
        "exports/counts.csv",
        "User ID,Count,Note,Name\na@leads.example,7,x,A\nB@leads.example,8,y,B\nnobody@leads.example,9,z,C\n",
    );
    scene
}

fn reach(scene: &Scene, variable: &str, plans: bool) {
    let plan = if plans { "\n    plan_auth: { flow: access_token, token: \"${READER_TOKEN}\" }" } else { "" };
    scene.reach("sandbox", &format!("{{ flow: access_token, token: \"${{{variable}}}\" }}{plan}"));
}

/// As a new user of the least privilege: nothing on leads.
fn strip(scene: &Scene) {
    scene
        .org()
        .change_user(CI, |user| {
            user.api_enabled = true;
            user.objects =
                [("Lead".to_owned(), ObjectRights { read: false, edit: false, ..ObjectRights::default() })].into();
            let fields = ["WalkMe_Count__c", "WalkMe_Note__c", "Segment__c", "Email"];
            user.fields = fields.map(|f| (format!("Lead.{f}"), Access::None)).into();
        })
        .unwrap();
}

fn leads(scene: &Scene) -> Vec<String> {
    scene.org().records("Lead").iter().map(|lead| lead["Id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn check(scene: &Scene) -> Ran {
    scene.org().clear_calls();
    let ran = scene.run(&["orgs", "check", "acme"]);
    reads_only(scene);
    ran
}

#[track_caller]
fn reads_only(scene: &Scene) {
    for call in scene.org().calls() {
        assert!(call.method == "GET" || call.path.contains("/oauth2/"), "{} {}", call.method, call.path);
    }
}

#[test]
fn a_user_who_has_all_that_is_needed_is_told_so() {
    let scene = scene(false);
    golden("check-there", &scene, &check(&scene).exits(0));
}

#[test]
fn every_right_that_is_missing_is_named_with_where_it_is_given() {
    let scene = scene(false);
    strip(&scene);
    golden("check-nothing", &scene, &check(&scene).exits(1));
    scene
        .org()
        .change_user(CI, |user| {
            user.objects = [("Lead".to_owned(), ObjectRights { edit: false, ..ObjectRights::default() })].into();
            user.fields =
                [("Lead.WalkMe_Note__c".to_owned(), Access::Read), ("Lead.Segment__c".to_owned(), Access::None)].into();
        })
        .unwrap();
    golden("check-read-only", &scene, &check(&scene).exits(1));
}

#[test]
fn a_field_that_no_right_opens_is_told_as_such() {
    let scene = scene(false);
    scene.write("integrations/counts.yaml", &INTEGRATION.replace("WalkMe_Note__c: Note", "WalkMe_Score__c: Note"));
    check(&scene)
        .exits(1)
        .says("missing  Lead.WalkMe_Score__c: Edit")
        .says("no right helps")
        .never_says("<field>Lead.WalkMe_Score__c</field>");
}

/// The lines of a permission set, as the emulator's user has them afterwards.
fn grant(scene: &Scene, user: &str, set: &str) {
    let between = |text: &str, name: &str| {
        text.split_once(&format!("<{name}>")).unwrap().1.split_once(&format!("</{name}>")).unwrap().0.trim().to_owned()
    };
    let all = |name: &str| -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        set.split(&open).skip(1).map(|part| part.split(&close).next().unwrap().to_owned()).collect()
    };
    scene
        .org()
        .change_user(user, |user| {
            for text in all("objectPermissions") {
                let is = |name: &str| between(&text, name) == "true";
                assert!(!is("allowCreate") && !is("allowDelete") && !is("modifyAllRecords") && !is("viewAllRecords"));
                let rights = ObjectRights { read: is("allowRead"), edit: is("allowEdit"), ..ObjectRights::default() };
                user.objects.insert(between(&text, "object"), rights);
            }
            for text in all("fieldPermissions") {
                let access = if between(&text, "editable") == "true" { Access::Edit } else { Access::Read };
                assert_eq!(between(&text, "readable"), "true");
                user.fields.insert(between(&text, "field"), access);
            }
            user.api_enabled = all("userPermissions").iter().any(|text| between(text, "name") == "ApiEnabled");
        })
        .unwrap();
}

#[test]
fn the_permission_set_that_is_written_grants_what_is_missing_and_nothing_else() {
    let scene = scene(false);
    strip(&scene);
    scene.org().change_user(CI, |user| user.api_enabled = false).unwrap();
    let ran = scene.run(&["orgs", "check", "acme", "--write", "force"]).exits(1);
    ran.says("Assign it: `sf org assign permset --name Footbridge_acme");
    // Nothing was seen of the object, and yet no required field is listed.
    let blind = scene.read("force/permissionsets/Footbridge_acme.permissionset-meta.xml");
    assert!(!blind.contains("LastName") && !blind.contains("IsConverted"), "{blind}");
    grant(&scene, CI, &blind);
    check(&scene).exits(0).says("Nothing is missing");
    // Written again with open eyes it is the same.
    scene.run(&["orgs", "check", "acme", "--write", "force"]).exits(0);
    let set = scene.read("force/permissionsets/Footbridge_acme.permissionset-meta.xml");
    assert_eq!(set, blind);
    super::golden_text("Footbridge_acme.permissionset-meta.xml", &set);
    super::golden_text("check-package.xml", &scene.read("force/package.xml"));
    // The whole job goes with it.
    scene.run(&["plan", "counts"]).exits(0);
    scene.run(&["apply", "counts", "--yes"]).exits(0);
    scene.run(&["plan", "counts", "--detailed-exitcode"]).exits(0);
    // And each line of it is needed.
    let parts: Vec<&str> =
        set.split("    <fieldPermissions>").skip(1).map(|p| p.split("</fieldPermissions>").next().unwrap()).collect();
    assert_eq!(parts.len(), 4, "Email, Segment__c, two targets");
    for part in parts {
        strip(&scene);
        grant(&scene, CI, &set.replace(&format!("    <fieldPermissions>{part}</fieldPermissions>\n"), ""));
        let field = part.split("<field>").nth(1).unwrap().split('<').next().unwrap();
        check(&scene).exits(1).says(&format!("missing  {field}: "));
    }
    strip(&scene);
    grant(&scene, CI, &set.replace("<allowEdit>true</allowEdit>", "<allowEdit>false</allowEdit>"));
    check(&scene).exits(1).says("missing  Lead: Edit");
}

#[test]
fn nobody_elses_file_is_written_over() {
    let scene = scene(false);
    scene.write("force/package.xml", "<Package/>");
    scene
        .run(&["orgs", "check", "acme", "--write", "force"])
        .exits(3)
        .says("Footbridge has not written it")
        .says("nothing was written");
    assert_eq!(scene.read("force/package.xml"), "<Package/>");
    assert!(!scene.path("force/permissionsets").exists());
}

#[test]
fn without_api_enabled_that_is_what_is_said() {
    let scene = scene(false);
    scene.org().change_user(CI, |user| user.api_enabled = false).unwrap();
    check(&scene)
        .exits(1)
        .says("missing  API Enabled")
        .says("<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>")
        .says("unknown  Lead: Read and Edit");
}

#[test]
fn a_user_who_only_plans_needs_no_edit_and_each_user_is_told_apart() {
    let scene = scene(true);
    scene
        .org()
        .change_user("reader@acme.example", |user| {
            user.objects = [("Lead".to_owned(), ObjectRights { edit: false, ..ObjectRights::default() })].into();
            user.fields = [("Lead.WalkMe_Count__c".to_owned(), Access::Read)].into();
        })
        .unwrap();
    scene
        .org()
        .change_user(CI, |user| user.fields = [("Lead.WalkMe_Count__c".to_owned(), Access::None)].into())
        .unwrap();
    let ran = scene.run(&["orgs", "check", "acme", "--write", "force"]).exits(1);
    golden("check-two-users", &scene, &ran);
    let set = scene.read("force/permissionsets/Footbridge_acme_plans.permissionset-meta.xml");
    assert!(set.contains("<editable>false</editable>") && !set.contains("<editable>true</editable>"), "{set}");
    assert!(set.contains("<allowEdit>false</allowEdit>") && !set.contains("<allowEdit>true</allowEdit>"), "{set}");
    let manifest = scene.read("force/package.xml");
    assert!(
        manifest.contains("Footbridge_acme</members>") && manifest.contains("Footbridge_acme_plans</members>"),
        "{manifest}"
    );
}

#[test]
fn records_that_sharing_hides_or_locks_are_counted() {
    let scene = scene(true);
    let ids = leads(&scene);
    scene.org().change_user(CI, |user| user.hidden_records = vec![ids[0].clone()]).unwrap();
    check(&scene)
        .exits(1)
        .says("missing  Lead: the records themselves, by sharing")
        .says("of 2 records that the report names, 1 is hidden from this user")
        .says("Setup > Sharing Settings");
    scene
        .org()
        .change_user(CI, |user| {
            user.hidden_records.clear();
            user.read_only_records = vec![ids[1].clone()];
        })
        .unwrap();
    check(&scene).exits(1).says("1 may be read and not changed").says("Modify All Records");
    // Without the report any record will do.
    std::fs::remove_file(scene.path("exports/counts.csv")).unwrap();
    check(&scene).exits(1).says("of 3 records of Leads, 1 may be read and not changed");
    // A right that goes over sharing.
    scene
        .org()
        .change_user(CI, |user| {
            let all = ObjectRights { modify_all: true, view_all: true, ..ObjectRights::default() };
            user.objects = [("Lead".to_owned(), all)].into();
        })
        .unwrap();
    check(&scene).exits(0).says("the user may change all of them (Modify All)");
}

#[test]
fn the_org_wide_default_says_who_may_see_every_record_where_it_is_known() {
    let scene = scene(false);
    let default = |model: &str| {
        scene.org().clear_faults();
        scene
            .org()
            .faults(&format!(
                "- on: {{ path: FROM EntityDefinition, times: 0 }}\n  action: {{ status: {{ code: 200, body: '{{\"totalSize\":1,\"done\":true,\"records\":[{{\"QualifiedApiName\":\"Lead\",\"InternalSharingModel\":\"{model}\"}}]}}', headers: {{ Content-Type: application/json }} }} }}\n"
            ))
            .unwrap();
    };
    default("ReadWrite");
    check(&scene)
        .exits(0)
        .says("the org-wide default is Public Read/Write")
        .says("Everything that is needed is there.");
    default("Private");
    let ran = check(&scene).exits(0).says("unknown  Lead: the records themselves, by sharing");
    ran.says(
        "this user may not see every Lead: the org-wide default is Private, and it has neither View All nor Modify All",
    )
    .says("It may change all of 2 records that the report names")
    .says("counts as \"no record\"");
    default("Read");
    check(&scene).exits(0).says("see some and not change them: the org-wide default is Public Read Only");
    scene.org().clear_faults();
    check(&scene).exits(0).says("the org-wide default is not known to it");
}

#[test]
fn what_the_user_may_not_look_at_is_said_to_be_unknown() {
    let scene = scene(false);
    scene.org().change_user(CI, |user| user.view_setup = false).unwrap();
    check(&scene)
        .exits(0)
        .says("may not look at permission sets (View Setup and Configuration)")
        .says("whether it has View All");
}

#[test]
fn modify_all_data_is_accepted_and_never_demanded() {
    let scene = scene(false);
    reach(&scene, "ADMIN_TOKEN", false);
    check(&scene)
        .exits(0)
        .says("this user has Modify All Data")
        .says("accepted, never demanded")
        .says("this user is a System Administrator")
        .says("Everything that is needed is there.");
    // Field-level security holds all the same.
    scene
        .org()
        .change_user("admin@acme.example", |user| {
            user.fields = [("Lead.WalkMe_Count__c".to_owned(), Access::Read)].into()
        })
        .unwrap();
    check(&scene).exits(1).says("missing  Lead.WalkMe_Count__c: Edit");
}

#[test]
fn dead_authorisation_is_found_and_names_the_org_and_what_mends_it() {
    let scene = scene(true);
    scene.org().revoke_sessions();
    check(&scene)
        .exits(7)
        .says("acme (sandbox)")
        .says("footbridge orgs connect acme --env sandbox")
        .says("footbridge orgs connect acme --env sandbox --plans")
        .says("nothing was written");
}

#[test]
fn another_org_is_not_looked_at() {
    let scene = scene(false);
    let orgs = scene.read("integrations/orgs.yaml").replace(&scene.org().org_id(), "00D000000000002EAA");
    scene.write("integrations/orgs.yaml", &orgs);
    check(&scene).exits(7).says("was this sandbox refreshed?");
    assert!(!scene.org().calls().iter().any(|c| c.path.contains("describe")));
}

#[test]
fn a_reference_needs_read_on_what_it_points_to() {
    let seed = format!(
        "{SEED}  Plan__c:\n    label: Plan\n    fields: [{{ name: Lead__c, type: lookup, reference_to: [Lead] }}]\n    records: [{{ Name: Gold }}]\n"
    );
    let mut scene = Scene::seeded(&seed);
    let token = scene.org().session_of(CI).unwrap();
    scene.set("CI_TOKEN", &token);
    reach(&scene, "CI_TOKEN", false);
    scene.write("exports/plans.csv", "User ID,Lead\nGold,\n");
    scene.write(
        "integrations/plans.yaml",
        "footbridge: 1\nkind: integration\nname: plans\norg: acme\nreport: { name: Plans, source: exports/plans.csv }\nobject: Plan__c\nmatch: { column: User ID, field: Name }\nfields: { Lead__c: Lead }\nenvironments: { sandbox: {} }\nlints_off: [walkme_prefix]\n",
    );
    check(&scene).exits(0).says("there    Lead: Read").says("there    Plan__c.Lead__c: Read and Edit");
    strip(&scene);
    check(&scene).exits(1).says("Plan__c.Lead__c points to its records");
}

#[test]
fn the_same_is_told_as_data() {
    let scene = scene(false);
    strip(&scene);
    let ran = scene.run(&["orgs", "check", "acme", "--json"]).exits(1);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        told["missing"],
        told["log_ins"][0]["rights"].as_array().unwrap().iter().filter(|r| r["state"] == "missing").count()
    );
    assert_eq!(told["log_ins"][0]["user"], CI);
    assert_eq!(told["log_ins"][0]["permission_set"], "Footbridge_acme");
    assert_eq!(told["integrations"], serde_json::json!(["counts"]));
    let states: BTreeSet<&str> =
        told["log_ins"][0]["rights"].as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert!(states.is_subset(&BTreeSet::from(["there", "missing", "unknown"])), "{states:?}");
}

#[test]
fn a_plan_names_the_missing_right_and_its_line_and_asks_more_only_then() {
    let scene = scene(false);
    scene.org().clear_calls();
    scene.run(&["plan", "counts"]).exits(0);
    let asked = |scene: &Scene| {
        let of = |c: &footbridge::emulator::Call| format!("{:?}", c.query).contains("PermissionSetAssignment");
        scene.org().calls().iter().filter(|c| of(c)).count()
    };
    assert_eq!(asked(&scene), 0, "a plan that lacks nothing costs nothing more");
    scene
        .org()
        .change_user(CI, |user| user.fields = [("Lead.WalkMe_Count__c".to_owned(), Access::Read)].into())
        .unwrap();
    for command in [&["plan", "counts"] as &[&str], &["apply", "counts", "--yes"], &["validate", "--online"]] {
        let ran = scene.run(command).exits(3);
        ran.says("FB0604")
            .says("Setup > Permission Sets > Footbridge acme > Object Settings > Leads > Field Permissions, WalkMe_Count__c: Read and Edit")
            .says("<fieldPermissions><editable>true</editable><field>Lead.WalkMe_Count__c</field><readable>true</readable></fieldPermissions>")
            .says("the user is ci@acme.example (profile Integration), with the permission set Old Access")
            .says("footbridge orgs check acme --env sandbox --write DIR");
    }
    assert_eq!(asked(&scene), 3);
    strip(&scene);
    scene
        .run(&["plan", "counts"])
        .exits(3)
        .says("FB0601")
        .says("<objectPermissions><allowCreate>false</allowCreate><allowDelete>false</allowDelete><allowEdit>true</allowEdit>");
}
