//! Why a call has no answer. Texts hold the URL without its query, and never a header or a body.

use url::Url;

/// May the server have got the request?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Surely not.
    No,
    /// It may have, and may have acted on it.
    Maybe,
}

/// Kinds of network trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The host's name was not found.
    Name,
    /// No connection.
    Connect,
    /// No connection in time.
    ConnectTimeout,
    /// The server's certificate is not trusted, or TLS failed otherwise.
    Tls,
    /// The time was up after the request may have been sent.
    Timeout,
    /// The connection broke before an answer came.
    Reset,
    /// The connection broke, or fell silent, in the middle of the answer.
    Cut,
}

impl Trouble {
    /// May the server have got the request?
    pub fn sent(self) -> Sent {
        match self {
            Trouble::Name | Trouble::Connect | Trouble::ConnectTimeout | Trouble::Tls => Sent::No,
            Trouble::Timeout | Trouble::Reset | Trouble::Cut => Sent::Maybe,
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Trouble::Name => "the host's name was not found",
            Trouble::Connect => "no connection could be made",
            Trouble::ConnectTimeout => "no connection could be made in time",
            Trouble::Tls => "no trusted connection could be made",
            Trouble::Timeout => "no answer came in time",
            Trouble::Reset => "the connection broke before an answer came",
            Trouble::Cut => "the connection broke in the middle of the answer",
        }
    }
}

/// A call without an answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NetError {
    /// The host rule says no.
    #[error("{host} is not a host that Footbridge may speak to; nothing was sent")]
    HostRefused {
        /// The host.
        host: String,
    },
    /// Plain HTTP to another machine, another scheme, or a user name in the URL.
    #[error("{host} would be spoken to without TLS, or with a password in the address; nothing was sent")]
    Insecure {
        /// The host.
        host: String,
    },
    /// The read-only switch is on.
    #[error("{method} {path} could change something, and this client only reads; nothing was sent")]
    ReadOnly {
        /// Method.
        method: String,
        /// Path without query.
        path: String,
    },
    /// The client or the request could not be built.
    #[error("the HTTP request could not be built: {cause}")]
    Build {
        /// What was wrong.
        cause: String,
    },
    /// The network failed.
    #[error("{method} {url}: {} ({cause}){}", trouble.as_str(), tried(*tries))]
    Failed {
        /// What kind.
        trouble: Trouble,
        /// Method.
        method: String,
        /// URL without query.
        url: String,
        /// The chain of causes, in the words of the network stack.
        cause: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The answer is longer than the limit.
    #[error("{method} {url}: the answer is longer than {limit} bytes and was not read to its end")]
    TooLarge {
        /// Method.
        method: String,
        /// URL without query.
        url: String,
        /// Limit in bytes.
        limit: usize,
    },
}

fn tried(tries: u32) -> String {
    if tries > 1 { format!(", tried {tries} times") } else { String::new() }
}

impl NetError {
    /// May the server have got the request?
    pub fn sent(&self) -> Sent {
        match self {
            NetError::HostRefused { .. }
            | NetError::Insecure { .. }
            | NetError::ReadOnly { .. }
            | NetError::Build { .. } => Sent::No,
            NetError::Failed { trouble, .. } => trouble.sent(),
            NetError::TooLarge { .. } => Sent::Maybe,
        }
    }
}

/// A URL as it may be shown: scheme, host and path only.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// Silence as a cause.
pub(crate) fn silent(silence: std::time::Duration) -> String {
    format!("nothing came for {} seconds", silence.as_secs())
}

/// Reads the kind of trouble out of an error of the HTTP library.
pub(crate) fn trouble_of(error: &reqwest::Error, answering: bool) -> Trouble {
    if answering {
        return Trouble::Cut;
    }
    if error.is_dns() {
        return Trouble::Name;
    }
    if error.is_connect() {
        if error.is_timeout() {
            return Trouble::ConnectTimeout;
        }
        let causes = causes(error);
        let final_words = ["certificate", "corrupt message", "peer is incompatible", "fatal alert"];
        if final_words.iter().any(|word| causes.contains(word)) {
            return Trouble::Tls;
        }
        return Trouble::Connect;
    }
    if error.is_timeout() { Trouble::Timeout } else { Trouble::Reset }
}

/// The chain of causes on one line, without the URL and of limited length.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.is_empty() {
        parts.push(if error.is_timeout() { "time-out".to_owned() } else { "no further cause was given".to_owned() });
    }
    let mut text = parts.join(": ");
    if text.len() > 300 {
        let mut end = 300;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_has_no_query_and_no_password() {
        let url = Url::parse("https://me:pw@acme.example/query?q=SELECT+Email#x").unwrap();
        assert_eq!(shown(&url), "https://acme.example/query");
    }
}
