//! `footbridge orgs connect` itself, with a person at a real browser: what goes well, and every way back that is none.

use super::Browser;
use crate::orgs::{LogIn, Place, USER, parameter, with_parameter};
use footbridge::emulator::PASSWORD;

impl Browser {
    /// Signs in and comes as far as the page that asks for consent.
    async fn as_far_as_consent(&self, log_in: &LogIn) {
        self.open(&log_in.address).await;
        self.log_in(USER, PASSWORD).await;
        self.element("oaapprove").await;
    }
}

/// The scene blocks on a runtime of its own, so a test is no async function.
fn with_browser(test: impl AsyncFnOnce(Browser)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(browser) = runtime.block_on(Browser::start()) {
        runtime.block_on(test(browser));
    }
}

#[test]
fn a_person_connects_an_org_and_a_plan_works() {
    let place = Place::new();
    with_browser(async |browser| {
        let log_in = place.start(&["orgs", "connect", "acme", "--env", "sandbox"]);
        browser.as_far_as_consent(&log_in).await;
        let said = browser.text().await;
        assert!(said.contains("Footbridge") && said.contains(USER) && said.contains("Acme GmbH"), "{said}");
        browser.click("oaapprove").await;
        browser.waits_for("Logged in").await;
        let page = browser.text().await;
        assert!(page.contains("go back to the terminal"), "{page}");
        browser.assert_accessible().await;
        browser.picture("connected").await;
        let address = browser.url().await;
        assert!(address.starts_with(&format!("http://localhost:{}/OauthRedirect?code=", place.port)), "{address}");
        let code = parameter(&address, "code");
        assert!(!page.contains(&code));
        log_in.ends().exits(0).says("Connected: acme (sandbox)").says(USER).says("Wrote org_id:").never_says(&code);
        place.scene.run(&["orgs", "list"]).exits(0).says("connected").says(USER).says("browser");
        place.scene.run(&["plan", "counts"]).exits(0).says("7");
        // The second time nobody is asked: signed in, and allowed before.
        let again = place.start(&["orgs", "connect", "acme"]);
        browser.open(&again.address).await;
        browser.waits_for("Logged in").await;
        again.ends().exits(0);
        // The listener has died with its answer: coming back once more reaches nobody.
        browser.open(&address).await;
        let dead = browser.script("return document.title").await;
        assert!(!dead.as_str().unwrap_or_default().contains("Logged in"), "{dead}");
        assert_eq!(place.renewals(), [200, 200], "no code was tried again");
    });
}

#[test]
fn a_person_who_denies_is_told_in_browser_and_terminal() {
    let place = Place::new();
    with_browser(async |browser| {
        let log_in = place.start(&["orgs", "connect", "acme"]);
        browser.as_far_as_consent(&log_in).await;
        browser.click("oadeny").await;
        browser.waits_for("Not logged in").await;
        browser.assert_accessible().await;
        browser.picture("not-connected").await;
        log_in.ends().exits(7).says("FB0524").says("access_denied").says("nothing was kept");
        assert!(place.renewals().is_empty());
        place.scene.run(&["orgs", "list"]).exits(0).says("not connected");
    });
}

#[test]
fn a_listener_that_is_gone_gets_nothing_and_nothing_is_kept() {
    let place = Place::new();
    with_browser(async |browser| {
        let log_in = place.start(&["orgs", "connect", "acme"]);
        browser.as_far_as_consent(&log_in).await;
        log_in.kill();
        browser.click("oaapprove").await;
        let page = browser.text().await;
        assert!(!page.contains("Logged in"), "{page}");
        assert!(place.renewals().is_empty());
        place.scene.run(&["orgs", "list"]).exits(0).says("not connected");
        place.scene.run(&["plan", "counts"]).exits(7);
    });
}

#[test]
fn a_state_that_was_tampered_with_in_the_browser_is_refused() {
    let place = Place::new();
    with_browser(async |browser| {
        let log_in = place.start(&["orgs", "connect", "acme"]);
        // Somebody's own state, taken through Salesforce's pages to the end.
        let tampered = with_parameter(&log_in.address, "state", "somebody-elses");
        browser.open(&tampered).await;
        browser.log_in(USER, PASSWORD).await;
        browser.click("oaapprove").await;
        browser.waits_for("Not logged in").await;
        log_in.ends().exits(7).says("its state differs").says("nothing was kept");
        assert!(place.renewals().is_empty(), "no code is exchanged");
    });
}

#[test]
fn a_callback_of_another_path_is_none_and_the_log_in_goes_on() {
    let place = Place::new();
    with_browser(async |browser| {
        let log_in = place.start(&["orgs", "connect", "acme"]);
        let elsewhere = format!("http://localhost:{}/other", place.port);
        // Salesforce sends nobody to a callback that is not registered.
        browser.open(&with_parameter(&log_in.address, "redirect_uri", &elsewhere)).await;
        assert!(browser.text().await.contains("redirect_uri_mismatch"));
        // And one that comes to another path all the same is not heard.
        let state = parameter(&log_in.address, "state");
        browser.open(&format!("{elsewhere}?code=aPrx&state={state}")).await;
        browser.waits_for("Nothing here").await;
        assert!(place.renewals().is_empty());
        browser.as_far_as_consent(&log_in).await;
        browser.click("oaapprove").await;
        browser.waits_for("Logged in").await;
        log_in.ends().exits(0);
    });
}
