//! Every log-in of a machine, and every way in which it is refused, through the binary.

use super::Job;
use crate::scene::Ran;

/// The key is read from a file that lies outside of the repository's tracked folders, or from the variable itself.
const KEY_FILE: &str =
    "{ flow: jwt, client_id: \"${CLIENT_ID}\", username: \"${USERNAME}\", private_key_file: \"${KEY_FILE}\" }";
const KEY: &str = "{ flow: jwt, client_id: \"${CLIENT_ID}\", username: \"${USERNAME}\", private_key: \"${KEY}\" }";
const CLIENT: &str = "{ flow: client_credentials, client_id: \"${CLIENT_ID}\", client_secret: \"${CLIENT_SECRET}\" }";
const REFRESH: &str = "{ flow: refresh_token, client_id: \"${CLIENT_ID}\", client_secret: \"${CLIENT_SECRET}\", refresh_token: \"${REFRESH_TOKEN}\" }";
const TOKEN: &str = "{ flow: access_token, token: \"${ORG_TOKEN}\" }";

fn job(auth: &str, more: &str) -> Job {
    let mut job = Job::with(6, "lookup", more);
    let credentials = job.org().credentials();
    job.scene.write("home/key.pem", &credentials.private_key);
    let file = job.scene.path("home/key.pem").display().to_string();
    for (name, value) in [
        ("CLIENT_ID", &credentials.client_id),
        ("CLIENT_SECRET", &credentials.client_secret),
        ("USERNAME", &credentials.username),
        ("REFRESH_TOKEN", &credentials.refresh_token),
        ("KEY", &credentials.private_key),
        ("KEY_FILE", &file),
    ] {
        job.scene.set(name, value);
    }
    job.scene.reach("sandbox", auth);
    job
}

/// Refused: exit 7 by plan and apply alike, a run log, and nothing asked of the org but who it is.
#[track_caller]
fn refused(job: &Job, words: &[&str]) -> Ran {
    job.org().clear_calls();
    let before = job.state();
    job.run(&["plan", "notes"]).exits(7);
    let ran = job.apply().exits(7);
    for word in words {
        assert!(ran.err.contains(word), "no `{word}` in {}", ran.err);
    }
    let log = job.log();
    assert_eq!((log.exit(), log.ends()), ("not_authorised", [0; 5]));
    for call in job.org().calls() {
        let asked = call.query.iter().find(|(name, _)| name == "q").map_or("", |(_, soql)| soql);
        let identity = call.path.starts_with("/services/oauth2/") || asked.ends_with("FROM Organization");
        assert!(identity || call.status == 403 || call.status == 401, "{} {} {asked}", call.path, call.status);
    }
    assert_eq!(job.state(), before);
    ran
}

#[test]
fn every_log_in_plans_and_applies() {
    for auth in [TOKEN, KEY_FILE, KEY, CLIENT, REFRESH] {
        let job = job(auth, "");
        job.run(&["plan", "notes", "--detailed-exitcode"]).exits(2);
        job.apply().exits(0);
        assert_eq!(job.state(), job.wanted(), "{auth}");
        assert_eq!(job.log().run["user"], "admin@emulator.example", "{auth}");
        let log_ins = job.org().calls().iter().filter(|c| c.path.ends_with("/token")).count();
        assert_eq!(log_ins, if auth == TOKEN { 0 } else { 2 }, "{auth}: one a command");
    }
}

#[test]
fn an_access_token_that_has_expired_or_is_none_is_refused_and_not_renewed() {
    let job = job(TOKEN, "");
    job.org().revoke_sessions();
    refused(&job, &["the session is not valid", "access token, which cannot be renewed"]);
    let mut job = self::job(TOKEN, "");
    job.scene.set("ORG_TOKEN", "00DEm0000000042!nonsense");
    refused(&job, &["the session is not valid"]).never_says("nonsense");
    // Expired in the middle.
    let job = self::job(TOKEN, "");
    job.faults("- on: { method: PATCH }\n  action: expire_session\n");
    job.apply().exits(7);
    let log = job.log();
    assert_eq!((log.exit(), log.ends()), ("not_authorised", [0, 0, 0, 6, 0]));
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    for (auth, name) in [
        (TOKEN, "ORG_TOKEN"),
        (CLIENT, "CLIENT_SECRET"),
        (KEY, "KEY"),
        (KEY_FILE, "KEY_FILE"),
        (REFRESH, "REFRESH_TOKEN"),
    ] {
        let mut job = job(auth, "");
        job.scene.set(name, "");
        let ran = job.run(&["plan", "notes"]);
        assert!(ran.code == 3 || ran.code == 7, "{}", ran.code);
        ran.says(name);
    }
}

#[test]
fn wrong_keys_are_refused() {
    let mut job = job(KEY, "");
    job.scene.set("KEY", "-----BEGIN PRIVATE KEY-----\nTUFSS0VE\n-----END PRIVATE KEY-----\n");
    refused(&job, &["private key"]).never_says("TUFSS0VE");
    // A good key, and not the app's.
    let other = include_str!("../keys/tests-only-private.pem");
    job.scene.set("KEY", other);
    refused(&job, &["invalid_grant", "invalid assertion"]);
    let mut job = self::job(KEY_FILE, "");
    job.scene.set("KEY_FILE", "/nowhere/key.pem");
    refused(&job, &["cannot be read", "private_key_file"]);
}

#[test]
fn wrong_clients_and_secrets_are_refused() {
    let mut job = job(CLIENT, "");
    job.scene.set("CLIENT_SECRET", "wrong-secret-1");
    refused(&job, &["invalid_client"]).never_says("wrong-secret-1");
    job.scene.set("CLIENT_ID", "nobodys");
    refused(&job, &["client_id"]);
    let mut job = self::job(REFRESH, "");
    job.scene.set("REFRESH_TOKEN", "5Aep-nobodys");
    refused(&job, &["expired access/refresh token"]).never_says("5Aep-nobodys");
}

#[test]
fn a_revoked_refresh_token_is_refused() {
    let job = job(REFRESH, "");
    job.run(&["plan", "notes"]).exits(0);
    let (url, token) = (job.org().url(), job.org().credentials().refresh_token);
    let body = format!("token={token}");
    let revoked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let call = crate::http::client()
            .post(format!("{url}/services/oauth2/revoke"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        runtime.block_on(call.send()).unwrap().status()
    });
    assert_eq!(revoked.join().unwrap(), 200);
    refused(&job, &["expired access/refresh token"]);
}

#[test]
fn users_that_are_inactive_not_approved_or_without_the_api_are_refused() {
    let user = "admin@emulator.example";
    let job = job(KEY, "");
    job.org().change_user(user, |u| u.active = false).unwrap();
    refused(&job, &["inactive_user", "not active"]);
    job.org().change_user(user, |u| (u.active, u.api_enabled) = (true, false)).unwrap();
    refused(&job, &["API Enabled"]);
    let mut job = self::job(KEY, "");
    job.scene.set("USERNAME", "nobody@acme.example");
    refused(&job, &["approve"]);
    let job = self::job(CLIENT, "");
    job.org().change_user(user, |u| u.active = false).unwrap();
    refused(&job, &["no client credentials user"]);
}

#[test]
fn another_org_than_the_pinned_one_is_refused_with_nothing_read() {
    for auth in [TOKEN, KEY, CLIENT, REFRESH] {
        let job = job(auth, "");
        let orgs = job.scene.read("integrations/orgs.yaml");
        job.scene.write("integrations/orgs.yaml", &orgs.replace(&job.org().org_id(), "00D8d000008GjOIEA0"));
        refused(&job, &["pins 00D8d000008GjOIEA0", "nothing was read"]);
    }
    // A later log-in that leads elsewhere.
    let job = job(CLIENT, "");
    job.faults(
        "- on: { path: oauth2/token, after: 1 }\n  action: { wrong_org: { id: 00D8d000008GjOIEA0 } }\n- on: { method: PATCH }\n  action: expire_session\n",
    );
    job.apply().exits(7);
    assert_eq!(job.log().ends(), [0, 0, 0, 6, 0]);
    assert_eq!(job.org().calls().iter().filter(|c| c.method == "PATCH" && c.status == 200).count(), 0);
}

#[test]
fn an_address_where_nobody_answers_fails_and_says_so() {
    for auth in [TOKEN, CLIENT] {
        let job = job(auth, "");
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let orgs = job.scene.read("integrations/orgs.yaml");
        let nowhere = orgs.replace(&job.org().url(), &format!("http://127.0.0.1:{port}"));
        job.scene.write("integrations/orgs.yaml", &nowhere);
        job.run(&["plan", "notes"]).exits(1).says("no connection could be made");
        job.apply().exits(1);
        assert_eq!(job.log().ends(), [0; 5]);
        assert!(job.org().calls().is_empty());
    }
}

#[test]
fn a_log_in_that_names_another_host_gets_no_token_sent_there() {
    let job = job(CLIENT, "");
    job.faults(
        "- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 200, body: '{\"access_token\":\"00D!x\",\"instance_url\":\"https://salesforce.com.evil.example\",\"id\":\"https://login.salesforce.com/id/00D8d000008GjOIEA0/0053h000002xQ5sAAE\"}' } }\n",
    );
    refused(&job, &["evil.example", "not a Salesforce host"]);
}

#[test]
fn one_new_log_in_serves_many_calls_at_once() {
    // Look-ups of 2,500 keys go out several at a time; the session ends before the first.
    let job = job(CLIENT, "");
    let mut report = String::from("User ID,Note,Count\n");
    (0..2_500).for_each(|n| report.push_str(&format!("somebody-with-a-long-name-{n:05}@a-long-domain.example,x,1\n")));
    (0..6).for_each(|n| report.push_str(&format!("{},new {n},{n}\n", super::address(n))));
    job.scene.write("exports/notes.csv", &report);
    job.faults("- on: { path: 'query?q=' }\n  action: expire_session\n");
    job.run(&["plan", "notes"]).exits(0);
    let calls = job.org().calls();
    let looked_up = calls.iter().filter(|c| c.path.ends_with("/query") && c.status == 200).count();
    assert!(looked_up > 4, "{looked_up} look-ups");
    assert_eq!(calls.iter().filter(|c| c.path.ends_with("/token")).count(), 2);
}

#[test]
fn a_rotated_refresh_token_is_used_from_then_on_in_a_run() {
    let client = "clients:\n  - { client_id: app, client_secret: app-secret, rotation: true }\n";
    let job = job(REFRESH, client);
    job.faults("- on: { method: PATCH }\n  action: expire_session\n");
    job.apply().exits(0);
    assert_eq!(job.state(), job.wanted());
}
