//! Hosts that calls may go to: Salesforce's own, or this machine.

use crate::diag::{Code, Diagnostic};

use super::super::valid::{Domain, Spanned};
use super::Check;

/// Suffixes of Salesforce's own hosts (help: "Domains Used by Salesforce").
const SUFFIXES: [&str; 6] =
    [".salesforce.com", ".force.com", ".salesforce.mil", ".cloudforce.com", ".database.com", ".documentforce.com"];

/// Is this text this machine, with a port: `http://127.0.0.1:8080`, `http://localhost:8080`, `http://[::1]:8080`? Then host and port.
fn loopback(text: &str) -> Option<Result<String, &'static str>> {
    let lower = text.to_ascii_lowercase();
    let bare = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://")).unwrap_or(&lower);
    let bare = bare.trim_end_matches('/');
    let host = ["127.0.0.1", "localhost", "[::1]"]
        .into_iter()
        .find(|host| bare.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))?;
    let port = bare[host.len()..].strip_prefix(':');
    Some(match port.map(str::parse::<u16>) {
        Some(Ok(port)) if port > 0 && lower.starts_with("http://") => Ok(format!("{host}:{port}")),
        Some(Ok(_)) => Err("on this machine plain http is spoken"),
        _ => Err("a port is missing"),
    })
}

fn is_host(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl Check<'_> {
    /// Reads a domain; told when it is none, or a foreign one. With `url`, `https://` before it is taken, too.
    pub(super) fn domain(&mut self, path: &[&str], written: &str, url: bool) -> Option<Spanned<Domain>> {
        let span = self.value(path);
        if written.contains("${") {
            return None;
        }
        if let Some(local) = loopback(written) {
            return match local {
                Ok(host) => Some(Spanned::new(Domain { host, loopback: true }, span)),
                Err(why) => {
                    self.wrong(Code::BadDomain, path, "this is not a domain", why, "write http://127.0.0.1:PORT");
                    None
                }
            };
        }
        let lower = written.trim().to_ascii_lowercase();
        let bare = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
        let bare = bare.split(['/', '?', '#']).next().unwrap_or_default();
        let plain = bare.rsplit_once('@').map_or(bare, |(_, host)| host);
        let plain = plain.split(':').next().unwrap_or_default();
        let as_written = lower == bare || (url && lower.trim_end_matches('/') == format!("https://{bare}"));
        if !is_host(bare) || !as_written {
            let own = SUFFIXES.iter().any(|suffix| plain.ends_with(suffix)) && is_host(plain);
            let help =
                if own { format!("write {plain}") } else { "write a host such as acme.my.salesforce.com".into() };
            self.wrong(
                Code::BadDomain,
                path,
                "this is not a domain",
                "the bare host is wanted: no scheme, no port, no path",
                help,
            );
            return None;
        }
        if !SUFFIXES.iter().any(|suffix| bare.ends_with(suffix) && bare.len() > suffix.len()) {
            self.push(
                Diagnostic::error(Code::ForeignDomain, format!("`{bare}` is not one of Salesforce's domains"))
                    .at(span, "a log-in would be sent here")
                    .help("write the org's My Domain (Setup > My Domain), such as acme.my.salesforce.com")
                    .note(format!("a domain ends in {}", SUFFIXES.join(", "))),
            );
            return None;
        }
        let mut host = bare.to_owned();
        if let Some(stem) = bare.strip_suffix(".lightning.force.com") {
            host = format!("{stem}.my.salesforce.com");
            self.push(
                Diagnostic::warning(Code::LightningDomain, "this is the address of Lightning pages, not of the API")
                    .at(span.clone(), format!("read as {host}"))
                    .help(format!("write {host}")),
            );
        }
        Some(Spanned::new(Domain { host, loopback: false }, span))
    }
}

/// Does the name say that it is a sandbox or scratch org?
pub(super) fn looks_like_sandbox(domain: &Domain) -> bool {
    !domain.loopback
        && (domain.host.contains(".sandbox.")
            || domain.host.contains(".scratch.")
            || domain.host == "test.salesforce.com"
            || domain.host.split('.').next().is_some_and(|first| first.contains("--")))
}
