//! An org's id, written into a file of configuration: one place of the text changes, comments and layout stay.

use crate::diag::Diagnostics;
use crate::model::{EnvironmentName, OrgId};

use super::yaml::{Node, Tree, parse, text_of};

/// Why an org's id was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinProblem {
    /// The file is not what it was when it was loaded.
    #[error("it is no valid YAML any more")]
    Unreadable,
    /// The org or its environment is not there.
    #[error("the environment is not in it any more")]
    Absent,
    /// The text is laid out in a way that this cannot write into.
    #[error("it is written in a form that cannot be added to")]
    Form,
}

/// A file's text with the id in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The whole new text.
    pub text: String,
    /// The line of the id, from 1.
    pub line: usize,
}

fn tree(text: &str) -> Option<Tree> {
    let mut found = Diagnostics::new();
    let source = text_of("orgs.yaml", text.as_bytes(), &mut found)?;
    let (tree, _) = parse(&source, &mut found)?;
    (!found.has_errors()).then_some(tree)
}

/// Writes the id of an environment's org into the text of its file: in place of the one that is there, else after `domain`.
///
/// # Errors
/// The text is not what it should be; nothing is changed then.
pub fn pin(text: &str, org: &str, environment: EnvironmentName, id: OrgId) -> Result<Pinned, PinProblem> {
    let (mark, body) = text.strip_prefix('\u{FEFF}').map_or(("", text), |body| ("\u{FEFF}", body));
    let before = tree(body).ok_or(PinProblem::Unreadable)?;
    let settings = before.child(org).and_then(|(_, tree)| tree.child(environment.as_str())).map(|(_, tree)| tree);
    let settings = settings.ok_or(PinProblem::Absent)?;
    let (range, written) = place(body, settings, id).ok_or(PinProblem::Form)?;
    let changed = format!("{}{written}{}", &body[..range.start], &body[range.end..]);
    // The only proof that the text says what it said, and the id besides.
    let mut wanted = before.to_json();
    wanted[org][environment.as_str()]["org_id"] = id.as_str().into();
    if tree(&changed).map(|tree| tree.to_json()) != Some(wanted) {
        return Err(PinProblem::Form);
    }
    let upto = range.start + written.find(id.as_str()).unwrap_or(0);
    let line = 1 + changed[..upto].matches('\n').count();
    Ok(Pinned { text: format!("{mark}{changed}"), line })
}

/// Where a value of one line ends: a comment after it is not part of it.
fn end_of(text: &str, value: &Tree) -> usize {
    let raw = &text[value.range.clone()];
    let quoted = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let length = match quoted {
        Some(quote) => raw[1..].find(quote).map(|at| at + 2),
        None => raw.find(char::is_whitespace),
    };
    value.range.start + length.unwrap_or(raw.len())
}

/// What to replace, and by what.
fn place(text: &str, settings: &Tree, id: OrgId) -> Option<(std::ops::Range<usize>, String)> {
    let Node::Map(entries) = &settings.node else { return None };
    let entry = |name: &str| entries.iter().find(|(key, _)| key.text == name);
    if let Some((key, value)) = entry("org_id") {
        if value.range.is_empty() {
            let colon = key.range.end + text.get(key.range.end..)?.find(':')? + 1;
            return Some((colon..colon, format!(" {id}")));
        }
        return Some((value.range.start..end_of(text, value), id.to_string()));
    }
    let (key, value) = entry("domain")?;
    let after = end_of(text, value);
    let line_start = text[..key.range.start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line_start..key.range.start];
    if !indent.bytes().all(|b| b == b' ') || text.as_bytes().get(settings.range.start) == Some(&b'{') {
        // Inside braces.
        return Some((after..after, format!(", org_id: {id}")));
    }
    let rest = &text[after..];
    let end = after + rest.find('\n').unwrap_or(rest.len());
    let (end, newline) = if text[..end].ends_with('\r') {
        (end - 1, "\r\n")
    } else {
        (end, if text.contains("\r\n") { "\r\n" } else { "\n" })
    };
    Some((end..end, format!("{newline}{indent}org_id: {id}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SANDBOX: EnvironmentName = EnvironmentName::Sandbox;

    fn id() -> OrgId {
        OrgId::parse("00D000000000002EAA").unwrap()
    }

    fn pinned(text: &str) -> Result<Pinned, PinProblem> {
        pin(text, "acme", SANDBOX, id())
    }

    #[test]
    fn comments_and_layout_stay() {
        let head = "footbridge: 1\nkind: orgs\n";
        let table = [
            // Added after the domain, whose comment stays with it.
            (
                "# ours\nacme:\n  sandbox:   # uat\n    domain: x.my.salesforce.com   # Setup\n    auth: { flow: device, client_id: a }\n",
                "# ours\nacme:\n  sandbox:   # uat\n    domain: x.my.salesforce.com   # Setup\n    org_id: 00D000000000002EAA\n    auth: { flow: device, client_id: a }\n",
                7,
            ),
            // Replaced.
            (
                "acme:\n  sandbox:\n    org_id: '00D000000000001EAA' # old\n    domain: x\n",
                "acme:\n  sandbox:\n    org_id: 00D000000000002EAA # old\n    domain: x\n",
                5,
            ),
            (
                "acme:\n  sandbox:\n    org_id:\n    domain: x\n",
                "acme:\n  sandbox:\n    org_id: 00D000000000002EAA\n    domain: x\n",
                5,
            ),
            // Inside braces, on one line and on several.
            (
                "acme: { sandbox: { domain: \"x\", auth: { flow: device } } }\n",
                "acme: { sandbox: { domain: \"x\", org_id: 00D000000000002EAA, auth: { flow: device } } }\n",
                3,
            ),
            (
                "acme:\n  sandbox: {\n    domain: x,\n    api_version: \"66.0\" }\n",
                "acme:\n  sandbox: {\n    domain: x, org_id: 00D000000000002EAA,\n    api_version: \"66.0\" }\n",
                5,
            ),
            (
                "acme:\n  sandbox:\n    domain: \"x\"   # it's \"ours\"\n    # next\n    api_version: \"66.0\"\n",
                "acme:\n  sandbox:\n    domain: \"x\"   # it's \"ours\"\n    org_id: 00D000000000002EAA\n    # next\n    api_version: \"66.0\"\n",
                6,
            ),
            // The last line, without its end.
            ("acme:\n  sandbox:\n    domain: x", "acme:\n  sandbox:\n    domain: x\n    org_id: 00D000000000002EAA", 6),
            // The right one of two.
            (
                "acme:\n  production: { domain: y }\n  sandbox: { domain: x }\nother: { sandbox: { domain: z } }\n",
                "acme:\n  production: { domain: y }\n  sandbox: { domain: x, org_id: 00D000000000002EAA }\nother: { sandbox: { domain: z } }\n",
                5,
            ),
        ];
        for (before, after, line) in table {
            let wanted = Pinned { text: format!("{head}{after}"), line };
            assert_eq!(pinned(&format!("{head}{before}")), Ok(wanted.clone()));
            assert_eq!(pinned(&wanted.text).map(|p| p.text), Ok(wanted.text.clone()), "pinned twice");
            let windows = |text: &str| format!("\u{FEFF}{}", format!("{head}{text}").replace('\n', "\r\n"));
            assert_eq!(pinned(&windows(before)).map(|p| p.text), Ok(windows(after)));
        }
    }

    #[test]
    fn what_cannot_be_written_into_is_left() {
        assert_eq!(pinned("acme: [\n"), Err(PinProblem::Unreadable));
        assert_eq!(pinned("other: { sandbox: { domain: x } }\n"), Err(PinProblem::Absent));
        assert_eq!(pinned("acme: { production: { domain: x } }\n"), Err(PinProblem::Absent));
        assert_eq!(pinned("acme: { sandbox: word }\n"), Err(PinProblem::Form));
        assert_eq!(pinned("acme: { sandbox: { api_version: \"66.0\" } }\n"), Err(PinProblem::Form));
    }
}
