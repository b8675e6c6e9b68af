//! The steps in Setup, in the words that stand there.

use super::design::Design;
use crate::cli::connect::mend;
use crate::cli::grants::set_label;
use crate::render::metadata::App;
use crate::vault::Place;

/// On or off, as a tick.
fn tick(on: bool) -> &'static str {
    if on { "tick" } else { "leave unticked" }
}

/// `${ACME_CLIENT_ID}`, or the key.
fn where_to(variables: &[String], key: &str) -> String {
    match variables {
        [] => format!("write it as `{key}:` in orgs.yaml"),
        [one] => format!("set the environment variable {one} to it (`{key}:` in orgs.yaml)"),
        several => format!("it is made of the environment variables {} (`{key}:` in orgs.yaml)", several.join(", ")),
    }
}

/// The steps by hand, numbered by the caller.
pub fn steps(design: &Design, app: &App, place: &Place, contact: Option<&str>) -> Vec<String> {
    let set = set_label(&place.org, place.plans);
    let mut steps = vec![
        "Setup > Quick Find: External Client App Manager > New External Client App.".to_owned(),
        format!(
            "Basic Information. External Client App Name: {}. API Name: {}. Contact Email: {}. Distribution State: Local.",
            app.label,
            app.name,
            contact.unwrap_or("your own")
        ),
        format!("API (Enable OAuth Settings): tick Enable OAuth. Callback URL, to the letter: {}", app.callback),
        "OAuth Scopes, these two and no other: \"Manage user data via APIs (api)\" and \"Perform requests at any time (refresh_token, offline_access)\"."
            .to_owned(),
        format!(
            "Flow Enablement. Enable Client Credentials Flow: {}. Enable Device Flow: {}. Enable JWT Bearer Flow: {}. Leave all others off.",
            tick(app.client_credentials),
            tick(app.device),
            tick(design.flow == "jwt")
        ),
    ];
    if design.flow == "jwt" {
        steps.push(
            "Make a key pair where the key is to stay: `openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=footbridge -keyout key.pem -out \
             certificate.pem`. Upload certificate.pem under Enable JWT Bearer Flow. key.pem goes into CI's secrets and nowhere else."
                .to_owned(),
        );
    }
    steps.push(format!(
        "Security. Require secret for Web Server Flow: {}. Require secret for Refresh Token Flow: {}. Require Proof Key for Code Exchange (PKCE): tick. \
         Enable Refresh Token Rotation: {}. Issue JWT-based access tokens for named users: leave unticked. Then Create.",
        tick(app.secret_for_code),
        tick(app.secret_for_refresh),
        tick(app.refreshing.is_some_and(|r| r.rotates))
    ));
    steps.push(empty_set(app, &set, place));
    let mut policies = format!(
        "Policies > Edit > OAuth Policies. Permitted Users: \"Admin approved users are pre-authorized\". App Policies: select the permission set \"{set}\"."
    );
    if let Some(refreshing) = app.refreshing {
        policies.push_str(&format!(" Refresh Token Policy: expire if not used for {} days.", refreshing.idle_days));
    }
    steps.push(policies);
    if app.client_credentials {
        steps.push(
            "The same page: tick Enable Client Credentials Flow, and name the user it runs as (Run As). Metadata cannot name that user: this step is done by hand in \
             each org."
                .to_owned(),
        );
    }
    let user = design.username.as_deref().unwrap_or("the user who logs in");
    steps.push(format!("Setup > Permission Sets > {set} > Manage Assignments: add {user}."));
    steps.extend(credentials(design));
    steps.push(format!(
        "A new app takes up to ten minutes to work. Then: `{}`, and `footbridge orgs check {} --env {}`.",
        mend(place),
        place.org,
        place.environment
    ));
    steps
}

/// The permission set lets its users in. What belongs in it is known after the first log-in, which needs it.
fn empty_set(app: &App, set: &str, place: &Place) -> String {
    format!(
        "For the first log-in an empty permission set is enough. Setup > Permission Sets > New. Label: {set}. API Name: {}. Save, and tick System Permissions > \
         API Enabled where the user's profile does not have it. Afterwards \
         `footbridge orgs check {} --env {} --write DIR` writes what belongs in it, to be deployed over it.",
        app.permission_set, place.org, place.environment
    )
}

/// Where the key and the secret go.
fn credentials(design: &Design) -> Vec<String> {
    let mut steps = vec![format!(
        "Settings > OAuth Settings > Consumer Key and Secret. The consumer key: {}.",
        where_to(&design.key_variables, "client_id")
    )];
    steps.push(match &design.secret_variables {
        None => "The consumer secret is not used: leave it where it is.".to_owned(),
        Some(variables) => format!(
            "The consumer secret is a secret: {}; in CI it is one of its secrets. Never write it into a file.",
            where_to(variables, "client_secret")
        ),
    });
    if design.flow == "refresh_token" {
        steps.push("Log in once with the app to obtain the refresh token, and put it where `refresh_token:` of orgs.yaml says.".to_owned());
    }
    steps
}

/// What is left to do where the app was deployed from files.
pub fn after_deploying(design: &Design, app: &App, place: &Place) -> Vec<String> {
    let all = steps(design, app, place, None);
    let by_hand = |step: &String| {
        step.starts_with("Make a key pair")
            || step.starts_with("The same page")
            || step.starts_with("Setup > Permission Sets")
            || step.starts_with("Settings >")
            || step.starts_with("The consumer secret")
            || step.starts_with("Log in once")
            || step.starts_with("A new app")
    };
    let first = "Setup > External Client Apps > Settings: Allow access to External Client Apps has to be on (\"Opt in to External Client Apps\")".to_owned();
    let set = empty_set(app, &set_label(&place.org, place.plans), place);
    let deploy = format!("Then deploy the app's files: its policies name the permission set {}.", app.permission_set);
    [first, set, deploy].into_iter().chain(all.into_iter().filter(by_hand)).collect()
}
