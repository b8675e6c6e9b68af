//! The `Retry-After` header: seconds, or a date (RFC 9110, 10.2.3).

use std::time::Duration;

use super::Response;

/// How long the server asks to wait. A date is taken relative to the answer's own `Date`, since no clock is read here; without one it is not understood.
pub fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    let now = jiff::fmt::rfc2822::parse(response.header("date")?.trim()).ok()?.timestamp();
    Some(Duration::from_secs(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let mut headers = http::HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, http::HeaderValue::from_static(value));
        }
        retry_after(&Response {
            status: http::StatusCode::SERVICE_UNAVAILABLE,
            headers,
            body: Vec::new(),
            cut: false,
            request_id: String::new(),
        })
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        let date = ("date", "Sat, 21 Nov 2026 10:00:00 GMT");
        assert_eq!(asked(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(asked(&[("retry-after", "Sat, 21 Nov 2026 10:01:05 GMT"), date]), Some(Duration::from_secs(65)));
        assert_eq!(asked(&[("retry-after", "Sat, 21 Nov 2026 09:00:00 GMT"), date]), Some(Duration::ZERO));
        assert_eq!(asked(&[("retry-after", "Sat, 21 Nov 2026 10:01:05 GMT")]), None);
        assert_eq!(asked(&[("retry-after", "-3")]), None);
        assert_eq!(asked(&[("retry-after", "soon")]), None);
        assert_eq!(asked(&[]), None);
    }
}
