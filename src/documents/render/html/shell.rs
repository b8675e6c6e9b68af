//! What every page has: head, style, the line at the top, the line at the foot.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::names::up;
use super::text::Text;
use crate::render::wording::moment;

const STYLE: &str = include_str!("style.css");

/// What all pages of one making share.
#[derive(Debug, Clone)]
pub struct Site {
    /// When the pages are made (UTC).
    pub made: Timestamp,
    /// The Footbridge that makes them.
    pub version: String,
}

/// A step on the way to a page: its words, and its file unless it is the page itself.
pub(super) struct Step<'a> {
    pub words: &'a str,
    pub file: Option<String>,
}

/// A page. `file` is where it will lie; a page that stands alone has no way up.
pub(super) fn page(site: &Site, file: &str, title: &str, steps: &[Step<'_>], body: Markup) -> String {
    let up = up(file);
    // Nothing but the style below: no script, no picture, no font from anywhere, whatever a text in the page may try.
    let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (Text(title)) " · Footbridge" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    nav aria-label="You are here" {
                        span.brand { (bridge()) "Footbridge" }
                        ol {
                            @for step in steps {
                                li {
                                    @match &step.file {
                                        Some(file) => a href=(format!("{up}{file}")) { (Text(step.words)) },
                                        None => span aria-current="page" { (Text(step.words)) },
                                    }
                                }
                            }
                        }
                    }
                }
                main id="main" { (body) }
                footer {
                    p { "Made " (moment(site.made)) " by Footbridge " (Text(&site.version)) ". Record ids, field names and counts only: no page holds a key, and a value only where the configuration shows it." }
                }
            }
        }
    }
    .into_string()
}

/// The mark: a bridge.
fn bridge() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            path d="M2 17h20M2 17c3-9 17-9 20 0M7 17v-5M12 17v-6.6M17 17v-5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" {}
        }
    }
}

/// How something ended: a word and a shape, so that neither colour nor shape alone tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    Bad,
    Late,
    Quiet,
}

/// A word with its shape.
pub(super) fn badge(mark: Mark, word: &str) -> Markup {
    let (class, path) = match mark {
        Mark::Good => ("good", "M3 8.5l3.5 3.5L13 4.5"),
        Mark::Bad => ("bad", "M4 4l8 8M12 4l-8 8"),
        Mark::Late => ("late", "M8 3.5V8l3 2M8 1.5a6.5 6.5 0 110 13 6.5 6.5 0 010-13"),
        Mark::Quiet => ("quiet", "M3 8h10"),
    };
    html! {
        span class=(format!("badge {class}")) {
            svg viewBox="0 0 16 16" aria-hidden="true" focusable="false" {
                path d=(path) fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}
            }
            (Text(word))
        }
    }
}

/// A table that may be wider than a phone: it scrolls by itself, by finger or by keys.
pub(super) fn wide(name: &str, table: Markup) -> Markup {
    html! { div.wide role="region" aria-label=(name) tabindex="0" { (table) } }
}
