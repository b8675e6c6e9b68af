//! The HTML that people meet: login, consent, a device's code, errors. Plain forms without scripts or anything from elsewhere.
//!
//! Ids of fields and buttons are those of Salesforce's own pages (`username`, `password`, `Login`, `oaapprove`, `oadeny`), so that
//! what drives the one drives the other.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::super::super::grants::{Purpose, Visit};
use super::super::super::org::Profile;
use super::super::super::people::User;
use super::super::super::seed::form::ClientSeed;
use super::super::reply::Reply;

const STYLE: &str = "\
:root{color-scheme:light dark}*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;background:#f3f4f6;color:#1b1f24}\
main{width:100%;max-width:26rem;background:#fff;border:1px solid #d5d9de;border-radius:12px;padding:2rem}\
h1{font-size:1.375rem;line-height:1.3;margin:0 0 .5rem}p{margin:0 0 1rem}ul{margin:0 0 1.25rem;padding-left:1.25rem}\
label{display:block;font-weight:600;margin:1rem 0 .25rem}\
input{width:100%;font:inherit;padding:.6rem .75rem;border:1px solid #747b84;border-radius:6px;background:#fff;color:inherit}\
button{width:100%;font:inherit;font-weight:600;padding:.65rem 1rem;margin-top:1rem;border:1px solid #0b5cab;border-radius:6px;background:#0b5cab;color:#fff;cursor:pointer}\
button.other{background:#fff;color:#0b5cab}button.link{border:0;background:none;color:#0b5cab;text-decoration:underline;font-weight:400;padding:.25rem}\
input:focus-visible,button:focus-visible{outline:3px solid #f0a500;outline-offset:2px}\
.note{font-size:.875rem;color:#5a626b;border-bottom:1px solid #d5d9de;padding-bottom:.75rem;margin-bottom:1.25rem}\
.wrong{background:#fdecea;color:#8c1d18;border-left:4px solid #b3261e;padding:.75rem;border-radius:4px}\
code{font-size:.9em;overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{background:#15181c;color:#e8eaed}main,input{background:#20242a}main,.note{border-color:#3a4048}.note{color:#a6adb6}\
.wrong{background:#3b1714;color:#ffb4ab}button.other,button.link{background:none;color:#8ec5ff}button.other{border-color:#8ec5ff}}";

/// Text as HTML shows it; also within quoted attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// What a form may lead to: this org, and the app's callback (browsers hold redirects against it, too).
fn form_targets(callback: &str) -> String {
    match url::Url::parse(callback) {
        Ok(url) if url.host().is_some() => format!("'self' {}", url.origin().ascii_serialization()),
        Ok(url) => format!("'self' {}:", url.scheme()),
        Err(_) => "'self'".to_owned(),
    }
}

/// A reply that no other site can frame, and that loads nothing.
pub fn guarded(reply: Reply, callback: &str) -> Reply {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action {}; frame-ancestors 'none'; base-uri 'none'",
        form_targets(callback)
    );
    reply
        .with("Content-Security-Policy", policy)
        .with("X-Frame-Options", "DENY")
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "no-referrer")
}

fn page(status: u16, title: &str, content: &str, callback: &str) -> Reply {
    let title = escaped(title);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<p class=\"note\">Emulated Salesforce org. Not a page of Salesforce.</p>\n<h1>{title}</h1>\n{content}</main>\n</body>\n</html>\n"
    );
    let reply =
        Reply { content_type: Some("text/html;charset=UTF-8"), body: body.into_bytes(), ..Reply::empty(status) };
    guarded(reply, callback)
}

fn alert(wrong: Option<&str>) -> String {
    let told = |text: &str| format!("<p class=\"wrong\" id=\"error\" role=\"alert\">{}</p>\n", escaped(text));
    wrong.map(told).unwrap_or_default()
}

/// The beginning of a form of this visit.
fn form(visit: &Visit) -> String {
    let action = match visit.purpose {
        Purpose::App(_) => "/services/oauth2/authorize",
        Purpose::Device(_) => "/setup/connect",
    };
    format!(
        "<form method=\"post\" action=\"{action}\">\n<input type=\"hidden\" name=\"visit\" value=\"{}\">\n",
        escaped(&visit.id)
    )
}

fn callback_of(visit: &Visit) -> &str {
    match &visit.purpose {
        Purpose::App(asked) => &asked.redirect_uri,
        Purpose::Device(_) => "",
    }
}

/// The login page.
pub fn login(org: &Profile, visit: &Visit, username: &str, wrong: Option<&str>) -> Reply {
    let title = format!("Log in to {}", org.name);
    let place = if org.sandbox { "<p>This is a sandbox.</p>\n" } else { "" };
    let (first, second) = if username.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let content = format!(
        "{place}{}{}<label for=\"username\">Username</label>\n\
         <input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required value=\"{}\"{first}>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required{second}>\n\
         <button id=\"Login\" type=\"submit\">Log In</button>\n</form>\n",
        alert(wrong),
        form(visit),
        escaped(username),
    );
    page(200, &title, &content, callback_of(visit))
}

/// What a scope lets an app do, in the words of people.
fn meaning(scope: &str) -> &str {
    match scope {
        "api" => "Manage user data via APIs",
        "refresh_token" | "offline_access" => "Perform requests at any time",
        "full" => "Full access",
        "web" => "Manage user data via Web browsers",
        "id" | "profile" | "email" | "address" | "phone" => "Access the identity URL service",
        "openid" => "Access unique user identifiers",
        other => other,
    }
}

/// The consent page.
pub fn consent(org: &str, visit: &Visit, client: &ClientSeed, scopes: &[String], user: &User, callback: &str) -> Reply {
    let mut list = String::new();
    for scope in scopes {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "<li>{} <code>({})</code></li>", escaped(meaning(scope)), escaped(scope));
    }
    let code = match &visit.purpose {
        Purpose::Device(Some(code)) => {
            format!("<p>Is this the code on your device? <code>{}</code></p>\n", escaped(&code.to_uppercase()))
        }
        _ => String::new(),
    };
    let content = format!(
        "{code}<p><strong>{}</strong> is asking to:</p>\n<ul>\n{list}</ul>\n\
         <p>Do you want to allow access for {} to {}?</p>\n{}\
         <button id=\"oaapprove\" name=\"decision\" value=\"allow\">Allow</button>\n\
         <button id=\"oadeny\" class=\"other\" name=\"decision\" value=\"deny\">Deny</button>\n\
         <button id=\"switch\" class=\"link\" name=\"decision\" value=\"switch\">Not you? Log in as another user</button>\n</form>\n",
        escaped(&client.name),
        escaped(&user.seed.username),
        escaped(org),
        form(visit),
    );
    page(200, "Allow access?", &content, callback)
}

/// The page for a device's code.
pub fn device(org: &str, visit: &Visit, code: &str, wrong: Option<&str>) -> Reply {
    let content = format!(
        "<p>Enter the code that your device shows, to connect it to {}.</p>\n{}{}\
         <label for=\"user_code\">Code</label>\n\
         <input id=\"user_code\" name=\"user_code\" type=\"text\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" required value=\"{}\" autofocus>\n\
         <button id=\"connect\" type=\"submit\">Connect</button>\n</form>\n",
        escaped(org),
        alert(wrong),
        form(visit),
        escaped(code),
    );
    page(200, "Connect a device", &content, "")
}

/// An end of the way.
pub fn done(title: &str, text: &str) -> Reply {
    page(200, title, &format!("<p id=\"done\">{}</p>\n", escaped(text)), "")
}

/// An error that no callback gets to know.
pub fn error(status: u16, error: &str, description: &str) -> Reply {
    let content = format!(
        "<p class=\"wrong\" id=\"error\" role=\"alert\"><code>error={}&amp;error_description={}</code></p>\n",
        escaped(error),
        escaped(description)
    );
    page(status, "Login error", &content, "")
}

/// An app that this org has not installed (since September 2025).
pub fn not_installed() -> Reply {
    let content = "<p class=\"wrong\" id=\"error\" role=\"alert\">We can&#39;t authorize you because of an OAuth error. For more \
                   information, contact your Salesforce administrator.</p>\n\
                   <p><code>OAUTH_APPROVAL_ERROR_GENERIC</code>: An unexpected error has occurred during authentication. Please try again.</p>\n";
    page(403, "OAuth error", content, "")
}

#[cfg(test)]
mod tests {
    use super::{escaped, form_targets};

    #[test]
    fn markup_in_names_stays_text() {
        assert_eq!(escaped("<b a='1' c=\"&\">"), "&lt;b a=&#39;1&#39; c=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn a_form_may_lead_to_the_callback_and_nowhere_else() {
        for (callback, targets) in [
            ("http://localhost:1717/OauthRedirect", "'self' http://localhost:1717"),
            ("myapp:/cb", "'self' myapp:"),
            ("", "'self'"),
        ] {
            assert_eq!(form_targets(callback), targets);
        }
    }
}
