//! `footbridge orgs app`: the app that a log-in needs, as steps and as metadata.

use serde_json::Value;

use super::{Place, USER, golden, golden_text};

const JWT: &str =
    "{ flow: jwt, client_id: \"${ACME_ID}\", username: ci@acme.example, private_key_file: \"${ACME_KEY}\" }";
const CREDENTIALS: &str = "{ flow: client_credentials, client_id: \"${ACME_ID}\", client_secret: \"${ACME_SECRET}\" }";
const DEVICE: &str = "{ flow: device, client_id: 3MVG9people }";
const BROWSER: &str = "{ flow: browser, client_id: 3MVG9people, callback: 'http://localhost:1717/OauthRedirect' }";

fn place(auth: &str) -> Place {
    let place = Place::new();
    place.orgs("sandbox", "", auth);
    place
}

/// No variable has to be set, and no org is asked: there is no app yet.
#[test]
fn the_steps_are_told_for_every_flow_before_there_is_an_app() {
    for (name, auth) in
        [("app-browser", BROWSER), ("app-device", DEVICE), ("app-jwt", JWT), ("app-client-credentials", CREDENTIALS)]
    {
        let place = place(auth);
        place.scene.org().clear_calls();
        golden(name, &place.scene, &place.scene.run(&["orgs", "app", "acme"]).exits(0));
        assert!(place.scene.org().calls().is_empty());
    }
}

#[test]
fn a_flow_with_somebody_elses_app_needs_none() {
    for auth in ["{ flow: sf_cli, target_org: uat }", "{ flow: access_token, token: \"${ORG_TOKEN}\" }"] {
        place(auth).scene.run(&["orgs", "app", "acme"]).exits(0).says("needs no External Client App");
    }
}

#[test]
fn the_metadata_holds_the_settings_and_never_a_secret() {
    for (name, auth) in [("browser", BROWSER), ("client-credentials", CREDENTIALS)] {
        let mut place = place(auth);
        place.scene.set("ACME_ID", "3MVG9-MARKED-KEY");
        place.scene.set("ACME_SECRET", "MARKED-SECRET");
        let ran =
            place.scene.run(&["orgs", "app", "acme", "--contact", "admin@acme.example", "--write", "md"]).exits(0);
        ran.says("For the first log-in an empty permission set is enough").never_says("MARKED");
        let mut all = String::new();
        for path in [
            "externalClientApps/Footbridge.eca-meta.xml",
            "extlClntAppGlobalOauthSets/Footbridge_global.ecaGlblOauth-meta.xml",
            "extlClntAppOauthPolicies/Footbridge_policies.ecaOauthPlcy-meta.xml",
            "extlClntAppOauthSettings/Footbridge_oauth.ecaOauth-meta.xml",
            "package.xml",
        ] {
            all.push_str(&format!("=== {path}\n{}", place.scene.read(&format!("md/{path}"))));
        }
        assert!(!all.contains("MARKED") && !all.contains("onsumerKey>3") && !all.contains("onsumerSecret>M"), "{all}");
        golden_text(&format!("app-{name}.xml"), &all);
    }
}

#[test]
fn the_manifest_names_what_both_commands_have_put_there() {
    let place = place(BROWSER);
    place.orgs("sandbox", &place.pin(), "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
    place.scene.run(&["orgs", "check", "acme", "--write", "md"]).exits(0);
    place.orgs("sandbox", &place.pin(), BROWSER);
    let arguments = ["orgs", "app", "acme", "--contact", "admin@acme.example", "--write", "md"];
    place.scene.run(&arguments).exits(0);
    let manifest = place.scene.read("md/package.xml");
    for name in [
        "PermissionSet",
        "ExternalClientApplication",
        "ExtlClntAppOauthSettings",
        "ExtlClntAppOauthConfigurablePolicies",
    ] {
        assert!(manifest.contains(&format!("<name>{name}</name>")), "{manifest}");
    }
    // Once more is no harm.
    place.scene.run(&arguments).exits(0);
    assert_eq!(place.scene.read("md/package.xml"), manifest);
}

#[test]
fn an_app_that_is_written_has_a_contact() {
    let place = place(BROWSER);
    place.scene.run(&["orgs", "app", "acme", "--write", "md"]).exits(3).says("--contact").says("nothing was written");
    assert!(!place.scene.path("md").exists());
    place.scene.run(&["orgs", "app", "acme", "--plans"]).exits(3).says("no log-in of plans");
    place.scene.run(&["orgs", "app", "acne"]).exits(3).says("did you mean `acme`?");
}

/// An app with these settings, and no others, lets a person in: code, PKCE, renewal with rotation.
#[test]
fn an_app_of_these_settings_lets_the_flow_in() {
    let place = Place::new();
    let ran = place.scene.run(&["orgs", "app", "acme", "--json"]).exits(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let app = told["app"].clone();
    assert_eq!(app["scopes"], serde_json::json!(["api", "refresh_token"]));
    let flag = |name: &str| app[name].as_bool().unwrap();
    place
        .scene
        .org()
        .change_client("people", |seed| {
            seed.callbacks = vec![app["callback"].as_str().unwrap().to_owned()];
            seed.scopes = vec!["api".to_owned(), "refresh_token".to_owned()];
            seed.pkce_required = flag("pkce");
            seed.secret_optional = !flag("secret_for_code");
            seed.secret_for_refresh = flag("secret_for_refresh");
            seed.device_flow = flag("device_flow");
            seed.client_credentials = flag("client_credentials");
            seed.rotation = flag("rotation");
            // "Admin approved users are pre-authorized".
            seed.admin_approved = Some(vec![USER.to_owned()]);
        })
        .unwrap();
    place.connect();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.org().revoke_sessions();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.run(&["orgs", "check", "acme"]).exits(0).says(USER);
    let steps: Vec<&str> = told["steps"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    assert!(steps.iter().any(|s| s.contains(app["callback"].as_str().unwrap())), "{steps:?}");
    assert!(told["files"].as_array().unwrap().len() == 4);
}

/// Every item of the Workstation list has its line of parity, and every command that the document shows is one.
#[test]
fn the_documents_keep_up() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ORGS.md")).unwrap();
    let parity = document.split("## Coming from Workstation").nth(1).unwrap();
    let mut named = std::collections::BTreeSet::new();
    for row in parity.lines().filter(|l| l.starts_with("| 1") || l.starts_with("| 2")) {
        let items = row.split('|').nth(1).unwrap();
        for part in items.split(',') {
            let ends: Vec<u32> = part.trim().split('–').map(|n| n.parse().unwrap()).collect();
            named.extend(ends[0]..=*ends.last().unwrap());
        }
    }
    assert_eq!(named, (190..=210).collect());
    let place = Place::new();
    let mut commands = 0;
    for line in document.split("```text\n").skip(1).flat_map(|b| b.split("```").next().unwrap().lines()) {
        let line = line.trim().trim_start_matches("- run: ").split(" #").next().unwrap();
        let Some(arguments) = line.strip_prefix("footbridge ") else { continue };
        let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
        arguments.push("--help");
        place.scene.run(&arguments).exits(0);
        commands += 1;
    }
    assert!(commands >= 5, "{commands}");
}
