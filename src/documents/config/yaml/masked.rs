//! A file's text as it may be shown: what is written where a secret belongs is starred out, byte for byte, so that places stay the same. Works on the
//! text alone, since a file that is not YAML is shown too.

/// Words in a key that say that its value is secret.
const WORDS: [&str; 12] = [
    "token",
    "secret",
    "passw",
    "pasw",
    "pwd",
    "private_key",
    "authorization",
    "authorisation",
    "cookie",
    "api_key",
    "api-key",
    "auth_url",
];
/// Keys that hold one of the words and no secret.
const HARMLESS: [&str; 2] = ["private_key_file", "secret_file"];

/// How the secret keys of age begin.
const AGE_KEY: &str = "AGE-SECRET-KEY";

/// Is a value under this key to be kept from sight?
pub(crate) fn is_sensitive(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !HARMLESS.contains(&key.as_str()) && WORDS.iter().any(|word| key.contains(word))
}

/// Could it be a misspelled one of them? Then its value is not shown either, though nothing is said against it.
fn may_be_sensitive(key: &str) -> bool {
    let folded = key.to_ascii_lowercase();
    let harmless = HARMLESS.contains(&folded.as_str()) || folded.ends_with("__c");
    !harmless
        && (is_sensitive(key) || ["tok", "pass", "cred", "private", "secr"].iter().any(|word| folded.contains(word)))
}

/// The same text, secrets starred out. Same length in bytes.
pub(crate) fn masked(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    // A secret key of age's is known by its first letters, wherever it stands.
    for (start, _) in text.to_ascii_uppercase().match_indices(AGE_KEY) {
        let rest = &text[start..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
        out[start..start + end].fill(b'*');
    }
    let mut at = 0;
    while let Some(found) = text[at..].find([':', '=']) {
        let sign = at + found;
        at = sign + 1;
        if let Some(address) = text[at..].strip_prefix("//") {
            // A user and password before the host of a URL.
            let host = address.find(|c: char| c.is_whitespace() || "/?#\"'".contains(c)).unwrap_or(address.len());
            if let Some(sign) = address[..host].rfind('@') {
                star(&mut out, text, at + 2..at + 2 + sign);
            }
            let end = address.find(|c: char| c.is_whitespace() || "\"'".contains(c)).unwrap_or(address.len());
            if is_webhook(&text[..sign], &address[..end]) {
                star(&mut out, text, at + 2 + host..at + 2 + end);
            }
            continue;
        }
        let before = text[..sign].trim_end_matches([' ', '"', '\'']);
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        let key = &before[start..];
        let query = text.as_bytes()[sign] == b'=';
        // In a URL's query every key that looks secret; in YAML a key that is followed by a value.
        let folded = key.to_ascii_lowercase();
        let in_query = query
            && (matches!(folded.as_str(), "sig" | "key" | "code")
                || ["signature", "credential"].iter().any(|w| folded.contains(w)));
        if !may_be_sensitive(key) && !in_query {
            continue;
        }
        let end = if query { query_end(text, at) } else { value_end(text, at, start) };
        let value = text[at..end].trim().trim_matches(['"', '\'']);
        if value.starts_with(['{', '[']) {
            continue;
        }
        if !value.starts_with("${") || value.matches("${").count() > 1 || !value.ends_with('}') {
            star(&mut out, text, at..end);
        }
        at = end.max(at);
    }
    // Only whole characters were replaced, by as many stars as they had bytes.
    String::from_utf8(out).unwrap_or_default()
}

/// Whoever has a webhook's address can write where it leads: told by its own looks, or by standing under `notices:`.
fn is_webhook(before: &str, address: &str) -> bool {
    let top = before.lines().rev().find(|line| line.starts_with(|c: char| !c.is_whitespace() && c != '#'));
    address.starts_with("hooks.") || address.contains("webhook") || top.is_some_and(|line| line.starts_with("notices"))
}

fn star(out: &mut [u8], text: &str, range: std::ops::Range<usize>) {
    for (i, c) in text[range.clone()].char_indices() {
        if !c.is_whitespace() && !matches!(c, '"' | '\'' | '|' | '>') {
            out[range.start + i..range.start + i + c.len_utf8()].fill(b'*');
        }
    }
}

fn query_end(text: &str, at: usize) -> usize {
    text[at..].find(|c: char| c.is_whitespace() || "&\"',}".contains(c)).map_or(text.len(), |i| at + i)
}

fn value_end(text: &str, at: usize, key: usize) -> usize {
    let rest = &text[at..];
    let value = rest.trim_start_matches(' ');
    let from = at + rest.len() - value.len();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        return value[1..].find(quote).map_or(text.len(), |i| from + i + 2);
    }
    let line_end = value.find('\n').map_or(text.len(), |i| from + i);
    if !value.starts_with(['|', '>', '\n', '\r', '#']) {
        return value.find([',', '}', '\n']).map_or(text.len(), |i| from + i).min(line_end);
    }
    // A block, or a value on the lines after it: everything that is indented more than the key.
    let line_start = text[..key].rfind('\n').map_or(0, |i| i + 1);
    let indent = text[line_start..].len() - text[line_start..].trim_start_matches([' ', '-']).len();
    let mut end = line_end;
    for line in text[line_end..].split_inclusive('\n').skip(1) {
        let own = line.len() - line.trim_start_matches(' ').len();
        if !line.trim().is_empty() && own <= indent {
            break;
        }
        end += line.len();
    }
    end.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_starred_out_and_nothing_moves() {
        for (text, shown) in [
            ("token: abc # x\n", "token: *** * *\n"),
            ("auth: { flow: x, client_secret: \"aé\", b: 1 }", "auth: { flow: x, client_secret: \"***\", b: 1 }"),
            ("token: \"${X}\"\n", "token: \"${X}\"\n"),
            ("private_key_file: keys/a.pem\n", "private_key_file: keys/a.pem\n"),
            ("private_key: |\n  AB\n  CD\nnext: 1\n", "private_key: |\n  **\n  **\nnext: 1\n"),
            ("url: https://a/b?x=1&token=abc&y=2\n", "url: https://a/b?x=1&token=***&y=2\n"),
            ("url: https://me:pass@example.com/a@b\n", "url: https://*******@example.com/a@b\n"),
            ("url: https://hooks.slack.com/T0/b c\n", "url: https://hooks.slack.com***** c\n"),
            ("notices:\n  url: 'https://a.example/x'\n", "notices:\n  url: 'https://a.example**'\n"),
            ("Authorization: Bearer ab\n", "Authorization: ****** **\n"),
            ("key: User ID\n", "key: User ID\n"),
            ("acces_tokn: abc\n", "acces_tokn: ***\n"),
            ("WalkMe_Tokens__c: Tokens used\n", "WalkMe_Tokens__c: Tokens used\n"),
            ("Passes: { type: number, suffix: x }\n", "Passes: { type: number, suffix: x }\n"),
        ] {
            assert_eq!(masked(text), shown);
            assert_eq!(masked(text).len(), text.len());
        }
    }
}
