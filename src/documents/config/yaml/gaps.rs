//! What stands between the scalars of a YAML text. The tree does not show anchors, tags, aliases and directives; between scalars there is nothing else
//! but indicators, comments and white space, so they are found there.

use std::ops::Range;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    Anchor,
    Alias,
    Tag,
    Directive,
}

/// Scans the text outside `scalars` (sorted, not overlapping).
pub(crate) fn oddities(text: &str, scalars: &[Range<usize>]) -> Vec<(Oddity, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    for scalar in scalars {
        if scalar.start > at {
            scan(text, at..scalar.start, &mut found);
        }
        at = at.max(scalar.end);
    }
    scan(text, at..text.len(), &mut found);
    found
}

fn scan(text: &str, gap: Range<usize>, found: &mut Vec<(Oddity, Range<usize>)>) {
    let bytes = text.as_bytes();
    let mut at = gap.start;
    while at < gap.end {
        let before = at.checked_sub(1).map(|i| bytes[i]);
        let starts_line = before.is_none_or(|b| b == b'\n');
        let oddity = match bytes[at] {
            b'#' if before.is_none_or(|b| b.is_ascii_whitespace()) => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            b'%' if starts_line => Oddity::Directive,
            b'&' => Oddity::Anchor,
            b'*' => Oddity::Alias,
            b'!' => Oddity::Tag,
            _ => {
                at += 1;
                continue;
            }
        };
        let length = text[at..]
            .find(
                |c: char| {
                    if oddity == Oddity::Directive { c == '\n' } else { c.is_whitespace() || ",[]{}".contains(c) }
                },
            )
            .unwrap_or(text.len() - at)
            .max(1);
        found.push((oddity, at..at + length));
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_outside_scalars_and_comments() {
        let text = "a: &x 1 # not &this\nb: *x\nc: !t 'a!b &c'\n";
        let scalars = [0..1, 6..7, 20..21, 26..27, 32..41].map(|r: Range<usize>| r);
        let found = oddities(text, &scalars);
        let shown: Vec<_> = found.iter().map(|(o, r)| (*o, &text[r.clone()])).collect();
        assert_eq!(shown, [(Oddity::Anchor, "&x"), (Oddity::Alias, "*x"), (Oddity::Tag, "!t")]);
    }
}
