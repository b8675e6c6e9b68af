//! Refresh tokens that Salesforce replaces at each use: sent once, one process at a time, kept before they are used.

use super::Place;
use crate::faults::until;

const REFRESH: &str = "{ flow: refresh_token, client_id: people, refresh_token: \"${REFRESH}\" }";

/// Two commands at once, both to their end.
#[track_caller]
fn two(place: &Place) {
    let start = || {
        let mut command = place.scene.command(&["validate", "--online"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    for child in [start(), start()] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn two_processes_that_renew_at_once_go_on_working_for_200_rounds() {
    let place = Place::with(", rotation: true", "");
    place.connect();
    place.scene.org().clear_calls();
    for round in 0..200 {
        place.scene.org().revoke_sessions();
        two(&place);
        assert_eq!(place.renewals().len(), round + 1, "one renewal serves both");
    }
    assert!(place.renewals().iter().all(|status| *status == 200), "no spent token was sent");
}

#[test]
fn a_token_of_the_environment_that_is_replaced_is_succeeded_by_one_that_is_kept() {
    let mut place = Place::with(", rotation: true", "");
    place.scene.set("REFRESH", &place.scene.org().credentials().refresh_token);
    place.orgs("sandbox", &place.pin(), REFRESH);
    place.scene.run(&["plan", "counts"]).exits(0);
    for _ in 0..5 {
        place.scene.org().revoke_sessions();
        two(&place);
    }
    assert_eq!(place.renewals(), [200; 6]);
    place.scene.run(&["orgs", "list"]).exits(0).says("connected").says("refresh_token");
    // Another token in the environment comes first.
    place.scene.set("REFRESH", "5Aep-nobodys");
    place.scene.run(&["plan", "counts"]).exits(7).says("expired access/refresh token").never_says("nobodys");
}

#[test]
fn in_ci_a_replaced_token_is_said_to_be_lost() {
    let mut place = Place::with(", rotation: true", "");
    place.scene.set("REFRESH", &place.scene.org().credentials().refresh_token);
    place.scene.set("CI", "true");
    place.orgs("sandbox", &place.pin(), REFRESH);
    place.scene.run(&["plan", "counts"]).exits(0).says("replaces the refresh token").says("flow: jwt");
}

#[test]
fn a_renewal_without_an_answer_is_never_sent_again() {
    let place = Place::with(", rotation: true", "");
    place.connect();
    place.scene.org().revoke_sessions();
    place.scene.org().clear_calls();
    place.scene.org().faults("- on: { path: oauth2/token }\n  action: cut_after\n").unwrap();
    place
        .scene
        .run(&["plan", "counts"])
        .exits(7)
        .says("what came of it is not known")
        .says("footbridge orgs connect acme --env sandbox");
    assert_eq!(place.renewals().len(), 1);
    place.scene.org().clear_faults();
    place
        .scene
        .run(&["plan", "counts"])
        .exits(7)
        .says("it is not sent again")
        .says("footbridge orgs connect acme --env sandbox");
    assert_eq!(place.renewals().len(), 1);
    place.scene.run(&["orgs", "list"]).exits(0).says("uncertain");
    place.connect();
    place.scene.run(&["plan", "counts"]).exits(0);
}

#[test]
fn a_process_killed_while_it_renews_leaves_a_note() {
    let place = Place::with(", rotation: true", "");
    place.connect();
    place.scene.org().revoke_sessions();
    place.scene.org().clear_calls();
    place.scene.org().faults("- on: { path: oauth2/token }\n  action: { delay: 100000 }\n").unwrap();
    let mut child = place.scene.command(&["plan", "counts"]).spawn().unwrap();
    until("the renewal", || place.scene.org().held() == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    place.scene.org().clear_faults();
    place.scene.run(&["plan", "counts"]).exits(7).says("it is not sent again");
}

#[test]
fn where_salesforce_does_not_rotate_a_lost_answer_costs_nothing() {
    let place = Place::new();
    place.connect();
    // The first renewal shows that the token stays.
    place.scene.org().revoke_sessions();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.org().revoke_sessions();
    place.scene.org().faults("- on: { path: oauth2/token }\n  action: cut_after\n").unwrap();
    let ran = place.scene.run(&["plan", "counts"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    place.scene.org().clear_faults();
    place.scene.run(&["plan", "counts"]).exits(0);
}
