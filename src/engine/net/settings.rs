//! What an HTTP client may do: hosts, time-outs, body limits, reading only.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::Class;

/// Says whether a URL's host may be spoken to at all.
#[derive(Clone)]
pub struct HostRule(Arc<dyn Fn(&Url) -> bool + Send + Sync>);

impl HostRule {
    /// A rule of one's own.
    pub fn new(rule: impl Fn(&Url) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    /// Hosts that end in one of these suffixes (written with their leading dot), and loopback.
    pub fn suffixes(suffixes: &[&str]) -> Self {
        let suffixes: Vec<String> = suffixes.iter().map(|s| s.to_ascii_lowercase()).collect();
        Self::new(move |url| {
            is_loopback(url)
                || matches!(url.host(), Some(Host::Domain(host)) if suffixes.iter().any(|s| host.ends_with(s.as_str()) && host.len() > s.len()))
        })
    }

    /// May this URL's host be spoken to?
    pub fn allows(&self, url: &Url) -> bool {
        (self.0)(url)
    }
}

impl fmt::Debug for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostRule")
    }
}

/// Is the host this machine itself (`127.0.0.0/8`, `::1`, `localhost`)?
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// The host, and the port where it is not the scheme's own: `example.com`, `127.0.0.1:8080`.
pub fn place_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Says of a call other than GET and HEAD, by its method and path, that it changes no record (a token, a retrieval that needs a body, a query job).
pub type ReadRule = fn(method: &http::Method, path: &str) -> bool;

/// Settings of an [`Http`](super::Http).
#[derive(Debug, Clone)]
pub struct Settings {
    /// `name/version` of the program.
    pub user_agent: String,
    /// Starts every request id, so that the calls of one run can be told from those of another.
    pub run: String,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Silence (before the answer, or between two pieces of it) after which a read is given up. Other calls are waited for as long as `total_timeout`,
    /// since giving them up leaves their outcome unknown.
    pub read_timeout: Duration,
    /// For a call from start to end.
    pub total_timeout: Duration,
    /// Bytes (after decompression) of a good answer; a longer one is an error.
    pub page_limit: usize,
    /// Bytes (after decompression) of a good answer that is handed on in pieces; a longer one is an error.
    pub stream_limit: u64,
    /// Bytes of an error's body; the rest is cut off.
    pub error_limit: usize,
    /// Answers come as they are sent: what is compressed stays so, and its length is known.
    pub raw: bool,
    /// Hosts that may be spoken to. Apart from loopback, only over TLS.
    pub hosts: HostRule,
    /// When given, nothing but GET, HEAD and the calls that this rule knows as reads is sent.
    pub read_only: Option<ReadRule>,
}

impl Settings {
    /// The defaults, for these hosts.
    pub fn new(hosts: HostRule) -> Self {
        Self {
            user_agent: concat!("footbridge/", env!("CARGO_PKG_VERSION")).to_owned(),
            run: "fb".to_owned(),
            connect_timeout: Duration::from_secs(15),
            // Salesforce executes a query for 2 minutes at most, and ends any call after 10.
            read_timeout: Duration::from_secs(150),
            total_timeout: Duration::from_secs(660),
            page_limit: 256 << 20,
            // Salesforce keeps a page of a bulk job's results below 1 GB.
            stream_limit: 4 << 30,
            error_limit: 1 << 20,
            raw: false,
            hosts,
            read_only: None,
        }
    }
}

impl Settings {
    /// How long a call of this class may be silent.
    pub(crate) fn silence(&self, class: Class) -> Duration {
        match class {
            Class::Read => self.read_timeout.min(self.total_timeout),
            Class::IdempotentWrite | Class::Token | Class::Job => self.total_timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reads_are_given_up_early() {
        let settings = Settings::new(HostRule::suffixes(&[]));
        assert_eq!(settings.silence(Class::Read), Duration::from_secs(150));
        for class in [Class::IdempotentWrite, Class::Token, Class::Job] {
            assert_eq!(settings.silence(class), Duration::from_secs(660), "{class:?}");
        }
    }

    #[test]
    fn a_place_names_the_port_that_is_not_the_schemes_own() {
        for (url, place) in [
            ("https://Reports.example/a?b", "reports.example"),
            ("https://reports.example:443/", "reports.example"),
            ("https://reports.example:80/", "reports.example:80"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://[::1]:8080/", "[::1]:8080"),
        ] {
            assert_eq!(Url::parse(url).map(|url| place_of(&url)).as_deref(), Ok(place));
        }
    }

    #[test]
    fn suffix_rule_lets_through_subdomains_and_loopback_only() {
        let rule = HostRule::suffixes(&[".salesforce.com"]);
        let table = [
            ("https://acme.my.salesforce.com/x", true),
            ("https://ACME.my.SALESFORCE.com/x", true),
            ("https://salesforce.com.evil.example/x", false),
            ("https://evilsalesforce.com/x", false),
            ("https://.salesforce.com/", false),
            ("http://127.0.0.1:8080/x", true),
            ("http://[::1]:8080/x", true),
            ("http://localhost/x", true),
            ("http://localhost.evil.example/x", false),
            ("http://169.254.169.254/latest", false),
            ("http://0.0.0.0/x", false),
        ];
        for (url, allowed) in table {
            let url = match Url::parse(url) {
                Ok(url) => url,
                Err(_) => continue,
            };
            assert_eq!(rule.allows(&url), allowed, "{url}");
        }
    }
}
