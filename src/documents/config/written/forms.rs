//! What a pattern of the schemas asks for, in words.

use super::integration::{DURATION, NAME};
use super::orgs::API_VERSION;
use super::project::{AUTHOR, BRANCH, REMOTE};
use super::report::{HEADER_NAME, REGION, SIZE};
use super::schedule::{DATES, DAYS, HOURS};
use super::shapes::PERCENT;

/// The form that a pattern stands for, and an example.
pub(in crate::config) fn form(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        NAME => "small letters, digits and hyphens (at most 63), such as `logins-to-leads`",
        PERCENT => "a whole number or a percentage, such as `30` or `30%`",
        DURATION => "a number and `s`, `m`, `h` or `d`, such as `26h`",
        API_VERSION => "a version such as \"66.0\"",
        REGION => "a region's name, such as `eu-central-1`",
        SIZE => "a number and `KB`, `MB` or `GB`, such as `500MB`",
        BRANCH => "a branch's name: letters, digits, `.`, `_`, `-` and `/`, such as `footbridge-runs`",
        REMOTE => "the name of a remote, such as `origin`, and not its address",
        AUTHOR => "a name and an address, such as `Acme Bot <bot@acme.example>`",
        HEADER_NAME => "a header's name: letters, digits and hyphens",
        DAYS => "weekdays such as `mon to fri` or `sat, sun`",
        HOURS => "hours such as `08:00 to 18:00`",
        DATES => "days such as \"2026-12-20 to 2027-01-03\" (in quotes)",
        r"^[A-Z]{3}$" => "an ISO currency code, such as `EUR`",
        r"^([,;|:^~]|tab)$" => "one of \",\" \";\" \"|\" \":\" \"^\" \"~\" or `tab`",
        r#"^(["']|none)$"# => "'\"', \"'\" or `none`",
        r"^sha256:[0-9a-f]{64}$" => "`sha256:` and 64 hexadecimal digits, as `sha256sum FILE` prints them",
        _ => return None,
    })
}
