//! What Salesforce's own command line has: its session, asked of `sf` itself (never through a shell, and the token never in arguments), or its
//! address of the form `force://CLIENT:SECRET:TOKEN@HOST`.
//!
//! Since May 2026 `sf org display` hides the token, and `sf org auth show-access-token` shows it (forcedotcom/cli issue 3560, plugin-org pull request
//! 1667); an older `sf` does not know the second command.

use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::model::Secret;
use crate::salesforce::Handed;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Runs `sf` and reads its JSON.
fn ask(arguments: &[&str], target_org: &str) -> Result<Value, String> {
    let program = if cfg!(windows) { "sf.cmd" } else { "sf" };
    let output = Command::new(program)
        .args(arguments)
        .args(["--json", "--target-org", target_org])
        // No colours, no news of updates.
        .env("SF_SKIP_NEW_VERSION_CHECK", "true")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                "Salesforce's command line `sf` is not on the path of this machine".to_owned()
            }
            _ => format!("`sf` cannot be run: {error}"),
        })?;
    let shown = format!("sf {}", arguments.join(" "));
    // What it printed may hold a token: none of it is repeated but the words for an error.
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("`{shown} --json` did not answer with JSON; is this Salesforce's own `sf`?"))?;
    if output.status.success() && !answer.result.is_null() {
        return Ok(answer.result);
    }
    let words = answer.message.or(answer.name).unwrap_or_else(|| "it gives no reason".to_owned());
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    Err(format!("`{shown}` failed: {words}"))
}

fn text<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| value.get(name).and_then(Value::as_str))
}

fn is_token(text: &&str) -> bool {
    !text.is_empty() && !text.starts_with('[') && !text.contains(char::is_whitespace)
}

/// The session that `sf` has for an alias or user name.
///
/// # Errors
/// `sf` is not there, does not know the org, or has no session for it. For people; holds no secret.
pub fn session(target_org: &str) -> Result<Handed, String> {
    let shown = ask(&["org", "display"], target_org)?;
    let instance = text(&shown, &["instanceUrl"]).ok_or("`sf org display` names no instance")?;
    let instance_url = Url::parse(instance).map_err(|_| "`sf org display` names no good instance".to_owned())?;
    let username = text(&shown, &["username"]).map(str::to_owned);
    let token = match text(&shown, &["accessToken"]).filter(is_token) {
        Some(token) => Secret::new(token.to_owned()),
        None => {
            let answer = ask(&["org", "auth", "show-access-token"], target_org)?;
            let token = answer.as_str().or_else(|| text(&answer, &["accessToken", "token"])).filter(is_token);
            Secret::new(token.ok_or("`sf org auth show-access-token` shows no token")?.to_owned())
        }
    };
    Ok(Handed { token, instance_url, username })
}

/// The parts of a `force://` address.
#[derive(Debug)]
pub struct AuthUrl {
    /// Consumer key.
    pub client_id: String,
    /// Consumer secret, where the app has one.
    pub client_secret: Option<Secret>,
    /// The refresh token.
    pub refresh_token: Secret,
}

/// Reads `force://CLIENT:SECRET:TOKEN@HOST`, or `force://CLIENT::TOKEN@HOST`. The host is not needed: `domain` says where the org is.
pub fn auth_url(text: &Secret) -> Option<AuthUrl> {
    let (parts, host) = text.expose().trim().strip_prefix("force://")?.rsplit_once('@')?;
    let (client_id, rest) = parts.split_once(':')?;
    let (secret, token) = rest.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    (plain(client_id) && plain(token) && plain(host)).then(|| AuthUrl {
        client_id: client_id.to_owned(),
        client_secret: Some(secret).filter(|s| !s.is_empty()).map(|s| Secret::new(s.to_owned())),
        refresh_token: Secret::new(token.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_sf_has_an_app_perhaps_a_secret_and_a_token() {
        let read = |text: &str| auth_url(&Secret::new(text.to_owned()));
        let plain = read("force://PlatformCLI::5Aep861abc@acme.my.salesforce.com").unwrap();
        assert_eq!((plain.client_id.as_str(), plain.refresh_token.expose()), ("PlatformCLI", "5Aep861abc"));
        assert!(plain.client_secret.is_none());
        let own = read("force://3MVG:s3cret:5Aep:x@acme.my.salesforce.com\n").unwrap();
        assert_eq!(own.client_secret.unwrap().expose(), "s3cret");
        assert_eq!(own.refresh_token.expose(), "5Aep:x");
        for text in [
            "",
            "https://a:b:c@d",
            "force://a:b@d",
            "force://a:b:@d",
            "force://::c@d",
            "force://a:b:c@",
            "force://a:b:c",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_hidden_token_is_no_token() {
        for text in ["", "[REDACTED] Use 'sf org auth show-access-token' to view", "two words"] {
            assert!(!is_token(&text));
        }
        assert!(is_token(&"00D000000000001!AQ.x_y"));
    }
}
