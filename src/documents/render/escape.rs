//! Text from strangers, made harmless for the place where it is shown. Escaping is a type: what is not wrapped does not get written.
//!
//! Nothing that these types write holds a control character, an escape sequence, a mark that turns the reading direction, or an invisible
//! character. Those are shown as `\n`, `\t`, `\u{202e}` and so on, so that two values that differ look different.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};

/// Characters that cannot be seen or that steer what shows them: controls, line separators, spaces other than the plain one, direction marks,
/// default-ignorable ones (Unicode 16, DerivedCoreProperties), tags.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn visible(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_invisible(c) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Text on one line of a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Terminal<'a>(pub &'a str);

impl Display for Terminal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(self.0.len());
        self.0.chars().for_each(|c| visible(c, &mut out));
        f.pad(&out)
    }
}

/// A value on one line of a terminal: in quotation marks unless it is plain, so that its ends show and it cannot pass for our own words.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '+' | '-' | '/' | '@' | '_' | '%');
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return f.write_str(self.0);
        }
        let mut out = String::from("\"");
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            visible(c, &mut out);
        }
        out.push('"');
        f.write_str(&out)
    }
}

fn entity(c: char, out: &mut String) {
    let _ = write!(out, "&#{};", u32::from(c));
}

/// Breaks what GitHub would turn into a link or a mention after Markdown has been read. Written as an entity, so that the text itself holds no
/// invisible character.
const BREAK: &str = "&#8203;";

/// Words in Markdown (GitHub's), in a table cell or a paragraph: no markup, HTML, link, mention or reference comes of them.
#[derive(Debug, Clone, Copy)]
pub struct Markdown<'a>(pub &'a str);

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = String::with_capacity(self.0.len());
        self.0.chars().for_each(|c| visible(c, &mut shown));
        let mut out = String::with_capacity(shown.len() * 2);
        let mut before = ['\0'; 3];
        for c in shown.chars() {
            let word = before.iter().map(char::to_ascii_lowercase).collect::<String>();
            match c {
                '@' | '#' => {
                    entity(c, &mut out);
                    out.push_str(BREAK);
                }
                '.' if word == "www" => {
                    entity(c, &mut out);
                    out.push_str(BREAK);
                }
                '-' if word.ends_with("gh") => {
                    entity(c, &mut out);
                    out.push_str(BREAK);
                }
                '/' if before[2] == ':' => {
                    out.push_str(BREAK);
                    entity(c, &mut out);
                }
                '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '~' | '>' | '<' | '|' | '&' | '$' | '^' | '!'
                | '=' => {
                    entity(c, &mut out);
                }
                c => out.push(c),
            }
            before = [before[1], before[2], c];
        }
        f.write_str(&out)
    }
}

/// A name or value in Markdown, in the fixed-width face: a code span where its characters are harmless in one, `<code>` and entities otherwise.
#[derive(Debug, Clone, Copy)]
pub struct MarkdownCode<'a>(pub &'a str);

impl Display for MarkdownCode<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || " _.,:;+-%/=()~?".contains(c);
        let text = self.0;
        let ends = text.starts_with(' ') || text.ends_with(' ');
        if !text.is_empty() && text.chars().all(plain) && !ends && !text.contains("//") && !text.contains("www.") {
            return write!(f, "`{text}`");
        }
        let mut shown = String::with_capacity(text.len());
        text.chars().for_each(|c| visible(c, &mut shown));
        let mut out = String::from("<code>");
        for c in shown.chars() {
            if c.is_alphanumeric() || matches!(c, ' ' | ',' | '-' | '+' | '%' | '(' | ')' | ';') {
                out.push(c);
            } else {
                entity(c, &mut out);
            }
        }
        out.push_str("</code>");
        f.write_str(&out)
    }
}

/// A fenced block of Markdown around a text: its fence is longer than any run of backticks in it, and nothing in a line steers or hides.
#[derive(Debug, Clone)]
pub struct MarkdownFence(String);

impl MarkdownFence {
    /// Around this text.
    pub fn around(text: &str) -> Self {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        Self("`".repeat(longest.max(2) + 1))
    }

    /// The fence itself, as it opens and closes.
    pub fn mark(&self) -> &str {
        &self.0
    }

    /// A line between, without its line end.
    pub fn line(&self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        line.chars().for_each(|c| visible(c, &mut out));
        // What a job prints is read for commands: `::name::` at the start of a line, `##[name]` anywhere.
        if out.trim_start_matches([' ', '+', '-']).starts_with("::") {
            out = out.replacen("::", ": :", 1);
        }
        out.replace("##[", "## [")
    }
}

/// At most so many characters, with the number of all that there are where some are left out.
pub fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            Cow::Owned(format!("{}… ({} characters)", &text[..at], super::grouped(text.chars().count() as u64)))
        }
    }
}

/// A value as JSON: indented, invisible characters as `\u…`, a line end after it.
pub fn json_text(value: &impl serde::Serialize) -> String {
    json_visible(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// JSON text with every invisible character as `\u…`. The text must be JSON already: such characters stand within strings only.
pub fn json_visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_invisible(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_terminal_gets_no_controls() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a\u{1b}[31mred", "a\\u{1b}[31mred"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("a\u{a0}b\u{200b}", "a\\u{a0}b\\u{200b}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("Łukasz 日本", "Łukasz 日本"),
        ] {
            assert_eq!(Terminal(text).to_string(), shown);
        }
    }

    #[test]
    fn values_cannot_pass_for_our_words() {
        for (text, shown) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("(blank)", "\"(blank)\""),
            ("a → b", "\"a → b\""),
            ("say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""),
            ("", "\"\""),
        ] {
            assert_eq!(Quoted(text).to_string(), shown);
        }
    }

    #[test]
    fn markdown_makes_nothing_of_it() {
        for (text, shown) in [
            ("ask @team", "ask &#64;&#8203;team"),
            ("see #12 or GH-12", "see &#35;&#8203;12 or GH&#45;&#8203;12"),
            ("a|b `c` <script>", "a&#124;b &#96;c&#96; &#60;script&#62;"),
            ("https://x.example", "https:&#8203;&#47;/x.example"),
            ("www.x.example", "www&#46;&#8203;x.example"),
            ("[a](b)", "&#91;a&#93;(b)"),
            ("two\nlines", "two&#92;nlines"),
        ] {
            assert_eq!(Markdown(text).to_string(), shown);
        }
        assert_eq!(MarkdownCode("WalkMe_NPS__c").to_string(), "`WalkMe_NPS__c`");
        assert_eq!(MarkdownCode("a`|@b").to_string(), "<code>a&#96;&#124;&#64;b</code>");
    }

    #[test]
    fn long_text_says_how_long_it_is() {
        assert_eq!(clipped("abc", 3), "abc");
        assert_eq!(clipped(&"x".repeat(1234), 2), "xx… (1,234 characters)");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_comes_out(text in any::<String>(), tail in "[@|`<>#\u{1b}\u{202e}\r\na-z/:]{0,20}") {
            let text = format!("{text}{tail}");
            for shown in [Terminal(&text).to_string(), Quoted(&text).to_string(), Markdown(&text).to_string(), MarkdownCode(&text).to_string()] {
                prop_assert!(!shown.chars().any(is_invisible), "{shown:?}");
            }
            for shown in [Markdown(&text).to_string(), MarkdownCode(&text).to_string()] {
                let inner = shown.trim_start_matches("<code>").trim_end_matches("</code>").trim_matches('`').to_owned();
                prop_assert!(!inner.contains(['|', '`', '<', '>', '@', '[', ']']) && !inner.contains("://"), "{inner:?}");
            }
        }

        #[test]
        fn json_stays_the_same_value(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let shown = json_visible(&json);
            prop_assert!(!shown.chars().any(is_invisible));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
