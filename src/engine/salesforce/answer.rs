//! Answers of the REST API: is it good, and if not, which error is it, and what does it ask for?
//!
//! Errors are an array `[{"message","errorCode","fields"}]`; in composite replies `statusCode` stands for `errorCode`; a proxy or a maintenance page may
//! answer in HTML, and a 503 may be empty (recordings `error_*.json`, REST API guide).

use serde::Deserialize;

use super::code::session_is_beyond_refresh;
use super::error::{MESSAGE_LIMIT, clip, excerpt, status_treatment, without};
use super::{ApiError, ErrorCode, Fault, SalesforceError, Treatment};
use crate::model::Secret;
use crate::net::{Response, Verdict, retry_after};

#[derive(Deserialize)]
struct FaultWire {
    #[serde(default, alias = "statusCode")]
    #[serde(rename = "errorCode")]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    fields: Option<Vec<String>>,
}

impl FaultWire {
    /// Secrets go first: a text that is cut in the middle of one would not be recognised any more.
    fn read(self, secrets: &[&Secret]) -> Fault {
        let code = self.code.map_or_else(|| "(no code)".to_owned(), |code| without(code, secrets));
        let fields = self.fields.unwrap_or_default();
        Fault {
            code: ErrorCode::parse(&code),
            message: clip(&without(self.message.unwrap_or_default(), secrets), MESSAGE_LIMIT),
            fields: fields.into_iter().map(|field| without(field, secrets)).collect(),
        }
    }
}

/// Reads the entries of an error's body; empty when it is not in Salesforce's form.
pub fn faults(body: &[u8]) -> Vec<Fault> {
    faults_without(body, &[])
}

/// The same without these secrets, which a server may have sent back.
pub(crate) fn faults_without(body: &[u8], secrets: &[&Secret]) -> Vec<Fault> {
    let wires: Vec<FaultWire> = match serde_json::from_slice(body) {
        Ok(wires) => wires,
        // Some resources answer with the object alone.
        Err(_) if body.trim_ascii_start().starts_with(b"{") => match serde_json::from_slice::<FaultWire>(body) {
            Ok(wire) => vec![wire],
            Err(_) => return Vec::new(),
        },
        Err(_) => return Vec::new(),
    };
    wires.into_iter().filter(|w| w.code.is_some()).map(|w| w.read(secrets)).collect()
}

fn is_html(response: &Response) -> bool {
    let kind = response.header("content-type").unwrap_or_default();
    kind.contains("html") || response.body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
}

/// JSON that begins and does not end: cut off on a sound connection, as a proxy may do.
fn is_cut(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let closing = match body.first() {
        Some(b'{') => b'}',
        Some(b'[') => b']',
        _ => return false,
    };
    body.len() < 2 || body.last() != Some(&closing)
}

/// What an answer asks for.
pub(crate) fn treatment(response: &Response) -> Treatment {
    if let Some(fault) = faults(&response.body).first() {
        let by_code = fault.treatment();
        // A code that says nothing of it leaves the word to a passing status.
        return match (by_code, &fault.code) {
            (Treatment::Fatal, ErrorCode::Other(_)) => {
                status_treatment(response.status, retry_after(response).is_some())
            }
            _ => by_code,
        };
    }
    let text = String::from_utf8_lossy(&response.body[..response.body.len().min(4000)]);
    match response.status.as_u16() {
        401 if session_is_beyond_refresh(&text) => Treatment::Fatal,
        _ => status_treatment(response.status, retry_after(response).is_some()),
    }
}

/// The classifier of REST answers for the retry table.
pub(crate) fn verdict(response: &Response) -> Verdict {
    if response.status.is_success() {
        return match is_html(response) {
            true => Verdict::Fatal,
            false if is_cut(&response.body) => Verdict::Lost { after: None },
            false => Verdict::Done,
        };
    }
    let after = retry_after(response);
    match treatment(response) {
        Treatment::RefreshSession => Verdict::Refresh,
        Treatment::RetryLater | Treatment::Lock => Verdict::Retry { after },
        Treatment::Uncertain => Verdict::Lost { after },
        Treatment::Narrow | Treatment::StopRun | Treatment::Consequence | Treatment::Fatal => Verdict::Fatal,
    }
}

/// The error of an answer that is not good. Secrets that the server sent back are taken out.
pub(crate) fn error(response: &Response, version: &str, secrets: &[&Secret]) -> SalesforceError {
    let status = response.status.as_u16();
    if response.status.is_redirection() && status != 300 && status != 304 {
        let to = response
            .header("location")
            .and_then(|to| url::Url::parse(to).ok())
            .and_then(|to| to.host_str().map(|h| clip(h, 255)))
            .unwrap_or_else(|| "another place".to_owned());
        return SalesforceError::Redirected { status, to };
    }
    let mut faults = faults_without(&response.body, secrets).into_iter();
    if let Some(fault) = faults.next() {
        let more: Vec<Fault> = faults.take(9).collect();
        if status == 410 {
            return SalesforceError::VersionRetired { version: version.to_owned() };
        }
        let request_id = response.header("x-sfdc-request-id").map(|id| clip(id, 64));
        return ApiError { status, fault, more, request_id }.into();
    }
    if status == 410 {
        return SalesforceError::VersionRetired { version: version.to_owned() };
    }
    if response.status.is_success() && is_cut(&response.body) {
        // Its beginning may hold values of records, so it is not shown.
        return malformed("a call", "its JSON ends in the middle");
    }
    let treatment = if response.status.is_success() { Treatment::Uncertain } else { treatment(response) };
    let words = excerpt(without(String::from_utf8_lossy(&response.body).into_owned(), secrets).as_bytes());
    if words.is_empty() {
        SalesforceError::Status { status, treatment }
    } else {
        SalesforceError::Foreign { status, excerpt: words, treatment }
    }
}

/// The error of a good answer whose JSON is not as documented.
pub(crate) fn malformed(what: &'static str, detail: impl std::fmt::Display) -> SalesforceError {
    SalesforceError::Malformed { what, detail: clip(&detail.to_string(), 200) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, StatusCode};

    fn response(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: body.as_bytes().to_vec(),
            cut: false,
            request_id: "t-1".into(),
        }
    }

    fn fault(code: &str, message: &str) -> String {
        serde_json::json!([{"message": message, "errorCode": code}]).to_string()
    }

    #[test]
    fn verdicts_of_answers() {
        let retry = Verdict::Retry { after: None };
        let lost = Verdict::Lost { after: None };
        let s3 = Some(std::time::Duration::from_secs(3));
        let ra = [("retry-after", "3")];
        let html = [("content-type", "text/html")];
        type Line<'l> = (u16, &'l [(&'static str, &'static str)], String, Verdict);
        let table: Vec<Line<'_>> = vec![
            (200, &[], "{}".into(), Verdict::Done),
            (204, &[], "".into(), Verdict::Done),
            (200, &[], "{\"totalSize\":1,\"records\":[{\"Id\":".into(), lost),
            (200, &[], "[{}".into(), lost),
            (200, &[], " [] ".into(), Verdict::Done),
            (200, &html, "<html>Log in</html>".into(), Verdict::Fatal),
            (200, &[], "  <html>".into(), Verdict::Fatal),
            (302, &[], "".into(), Verdict::Fatal),
            (400, &[], fault("MALFORMED_QUERY", "x"), Verdict::Fatal),
            (400, &[], fault("UNABLE_TO_LOCK_ROW", "x"), retry),
            (400, &[], fault("QUERY_TIMEOUT", "x"), Verdict::Fatal),
            (401, &[], fault("INVALID_SESSION_ID", "Session expired or invalid"), Verdict::Refresh),
            (401, &[], fault("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"), Verdict::Fatal),
            (401, &[], fault("INVALID_SESSION_ID", "Connected app is not attached to Agent"), Verdict::Fatal),
            (401, &[], "".into(), Verdict::Refresh),
            (401, &[], "Connected app is not attached to Agent".into(), Verdict::Fatal),
            (403, &[], fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), Verdict::Fatal),
            (403, &[], fault("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), retry),
            (403, &[], "Bad_OAuth_Token".into(), Verdict::Fatal),
            (403, &[], fault("API_DISABLED_FOR_ORG", "x"), Verdict::Fatal),
            (404, &[], fault("NOT_FOUND", "x"), Verdict::Fatal),
            (406, &[], "".into(), retry),
            (410, &[], "".into(), Verdict::Fatal),
            (414, &[], "".into(), Verdict::Fatal),
            (420, &html, "<html>setting things up</html>".into(), retry),
            (429, &ra, "".into(), Verdict::Retry { after: s3 }),
            (431, &[], "".into(), Verdict::Fatal),
            (500, &[], fault("UNKNOWN_EXCEPTION", "x"), lost),
            (500, &[], fault("UNABLE_TO_LOCK_ROW", "x"), retry),
            (500, &[], fault("NEVER_HEARD_OF", "x"), lost),
            (400, &[], fault("NEVER_HEARD_OF", "x"), Verdict::Fatal),
            (502, &html, "<html>".into(), lost),
            (503, &[], fault("SERVER_UNAVAILABLE", "busy"), retry),
            (503, &html, "<html>Sorry</html>".into(), lost),
            (503, &ra, "".into(), Verdict::Retry { after: s3 }),
            (504, &[], "".into(), lost),
        ];
        for (status, headers, body, expected) in table {
            assert_eq!(verdict(&response(status, headers, &body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn errors_are_typed_and_hide_secrets() {
        let token = Secret::new("00Dxx!SECRET-TOKEN".into());
        let echo = "you sent 00Dxx!SECRET-TOKEN";
        // The cut of a long text falls into the token.
        let late = format!("{}00Dxx!SECRET-TOKEN", "x".repeat(MESSAGE_LIMIT - 18));
        let named = serde_json::json!([{"message": "m", "errorCode": echo, "fields": [echo]}]).to_string();
        let bodies = [
            (400, fault("STRING_TOO_LONG", &late)),
            (400, named),
            (502, "<p>?token=00Dxx%21SECRET-TOKEN</p>".to_owned()),
            (400, fault("STRING_TOO_LONG", echo)),
            (502, format!("<html>{echo}</html>")),
            (200, format!("<html>{echo}</html>")),
            (410, fault("NOT_FOUND", echo)),
            (302, echo.to_owned()),
        ];
        for (status, body) in bodies {
            let error = error(&response(status, &[], &body), "66.0", &[&token]);
            for text in [format!("{error}"), format!("{error:?}")] {
                assert!(!text.contains("SECRET-TOKEN"), "{text}");
            }
        }
    }

    #[test]
    fn a_retired_version_and_a_redirect_have_their_own_errors() {
        assert!(matches!(error(&response(410, &[], ""), "20.0", &[]), SalesforceError::VersionRetired { .. }));
        let away = error(&response(301, &[("location", "https://login.example/x?secret=1")], ""), "66.0", &[]);
        assert!(matches!(&away, SalesforceError::Redirected { to, .. } if to == "login.example"), "{away:?}");
    }

    #[test]
    fn a_long_message_is_cut() {
        let error = error(&response(400, &[], &fault("STRING_TOO_LONG", &"é".repeat(200_000))), "66.0", &[]);
        assert_eq!(error.api().unwrap().fault.message.chars().count(), MESSAGE_LIMIT + 1);
    }
}
