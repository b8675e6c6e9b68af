//! How an External Client App has to be for a log-in: the smallest openings with which the flow works.
//!
//! Metadata API guide: ExtlClntAppGlobalOauthSettings, ExtlClntAppOauthConfigurablePolicies; Salesforce help, "External Client Apps". From Spring '26 on
//! new connected apps cannot be made, and ordinary users cannot let in an app that is not installed.

use crate::cli::grants::set_name;
use crate::config::valid::{Auth, Credential};
use crate::model::EnvironmentName;
use crate::render::metadata::{App, Refreshing};

/// A refresh token that nobody uses for so long ends.
const IDLE_DAYS: u32 = 30;

/// What is to be made, and for what.
pub struct Design {
    /// The app; `None` where the flow needs none of its own.
    pub app: Option<App>,
    /// The flow's word.
    pub flow: &'static str,
    /// Variables that the consumer key comes from.
    pub key_variables: Vec<String>,
    /// Does the flow need the consumer secret, and from which variables does it come?
    pub secret_variables: Option<Vec<String>>,
    /// The user that a machine logs in as, where it is written.
    pub username: Option<String>,
}

/// Where Salesforce shows the outcome itself: for apps to which no browser comes back. Each needs a callback URL.
fn nowhere(environment: EnvironmentName) -> String {
    let host = match environment {
        EnvironmentName::Sandbox => "test",
        EnvironmentName::Production => "login",
    };
    format!("https://{host}.salesforce.com/services/oauth2/success")
}

fn variables(credential: Option<&Credential>) -> Option<Vec<String>> {
    credential.map(|c| c.variables.clone())
}

/// Designs the app of a log-in.
pub fn design(org: &str, environment: EnvironmentName, plans: bool, auth: &Auth, contact: &str) -> Design {
    let suffix = if plans { " plans" } else { "" };
    let plain = App {
        name: if plans { "Footbridge_plans" } else { "Footbridge" }.to_owned(),
        label: format!("Footbridge{suffix}"),
        description: format!(
            "Lets Footbridge {} ({org}, {environment})",
            if plans { "read for its plans" } else { "write what a report says onto records" }
        ),
        contact: contact.to_owned(),
        callback: nowhere(environment),
        secret_for_code: true,
        secret_for_refresh: true,
        device: false,
        client_credentials: false,
        refreshing: None,
        permission_set: set_name(org, plans),
    };
    // Footbridge stores a new token before it uses it, so each may be for single use.
    let kept = Some(Refreshing { rotates: true, idle_days: IDLE_DAYS });
    let secret = |app: App, secret: Option<&Credential>| App {
        secret_for_code: secret.is_some(),
        secret_for_refresh: secret.is_some(),
        refreshing: kept,
        ..app
    };
    let (app, key, secret_variables, username) = match auth {
        Auth::Browser { client_id, client_secret, callback } => {
            let app = App { callback: callback.text.clone(), ..secret(plain, client_secret.as_ref()) };
            (Some(app), Some(client_id), variables(client_secret.as_ref()), None)
        }
        Auth::Device { client_id, client_secret } => {
            let app = App { device: true, ..secret(plain, client_secret.as_ref()) };
            (Some(app), Some(client_id), variables(client_secret.as_ref()), None)
        }
        Auth::RefreshToken { client_id, client_secret, .. } => {
            // It lives in a variable, which nobody writes a successor to.
            let app = secret(plain, client_secret.as_ref());
            let app = App { refreshing: Some(Refreshing { rotates: false, idle_days: IDLE_DAYS }), ..app };
            (Some(app), Some(client_id), variables(client_secret.as_ref()), None)
        }
        Auth::JwtFile { client_id, username, .. } | Auth::JwtKey { client_id, username, .. } => {
            (Some(plain), Some(client_id), None, Some(username.clone()))
        }
        Auth::ClientCredentials { client_id, client_secret } => {
            let app = App { client_credentials: true, ..plain };
            (Some(app), Some(client_id), variables(Some(client_secret)), None)
        }
        Auth::AccessToken { .. } | Auth::SfCli { .. } | Auth::SfAuthUrl { .. } => (None, None, None, None),
    };
    Design {
        app,
        flow: auth.flow(),
        key_variables: key.map(|c| c.variables.clone()).unwrap_or_default(),
        secret_variables,
        username,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::valid::Callback;
    use crate::model::Secret;

    fn credential(variable: &str) -> Credential {
        Credential { value: Secret::new("x".to_owned()), variables: vec![variable.to_owned()] }
    }

    fn told(auth: &Auth) -> String {
        let design = design("acme", EnvironmentName::Sandbox, false, auth, "a@b.example");
        let Some(app) = design.app else { return "none".to_owned() };
        let mut on = vec![app.callback.clone()];
        for (is, word) in [
            (app.secret_for_code, "secret"),
            (app.secret_for_refresh, "secret-refresh"),
            (app.device, "device"),
            (app.client_credentials, "client-credentials"),
            (app.refreshing.is_some_and(|r| r.rotates), "rotates"),
        ] {
            if is {
                on.push(word.to_owned());
            }
        }
        on.join(" ")
    }

    #[test]
    fn each_flow_opens_what_it_needs_and_nothing_else() {
        let id = || credential("ID");
        let success = "https://test.salesforce.com/services/oauth2/success";
        let callback = || Callback {
            text: "http://localhost:1717/OauthRedirect".into(),
            host: "localhost".into(),
            port: 1717,
            path: "/OauthRedirect".into(),
        };
        let username = "ci@acme.example".to_owned();
        let cases = [
            (
                Auth::Browser { client_id: id(), client_secret: None, callback: callback() },
                "http://localhost:1717/OauthRedirect rotates".to_owned(),
            ),
            (
                Auth::Browser { client_id: id(), client_secret: Some(credential("S")), callback: callback() },
                "http://localhost:1717/OauthRedirect secret secret-refresh rotates".to_owned(),
            ),
            (Auth::Device { client_id: id(), client_secret: None }, format!("{success} device rotates")),
            (
                Auth::JwtKey { client_id: id(), username, private_key: credential("K"), audience: "x".into() },
                format!("{success} secret secret-refresh"),
            ),
            (
                Auth::ClientCredentials { client_id: id(), client_secret: credential("S") },
                format!("{success} secret secret-refresh client-credentials"),
            ),
            (
                Auth::RefreshToken { client_id: id(), client_secret: None, refresh_token: credential("R") },
                success.to_owned(),
            ),
            (Auth::AccessToken { token: credential("T") }, "none".to_owned()),
            (Auth::SfCli { target_org: "uat".into() }, "none".to_owned()),
        ];
        for (auth, expected) in cases {
            assert_eq!(told(&auth), expected, "{}", auth.flow());
        }
    }
}
