//! A SOQL statement in a URL's query, with the least escaping that the way to the server allows.
//!
//! Bare: what RFC 3986 lets stand in a query and neither form decoding (`&`, `+`) nor intermediaries (`;`) take for something else. A space is `+`.
//! The apostrophe would be allowed too, but the URL standard that HTTP clients follow escapes it in queries, so it is counted as it is sent: `%27`.

/// What each byte takes: one where it stands bare, or three.
const LENGTHS: [u8; 256] = {
    let mut lengths = [3; 256];
    let mut byte: u8 = 0;
    while byte < 0x7f {
        if bare(byte) || byte == b' ' {
            lengths[byte as usize] = 1;
        }
        byte += 1;
    }
    lengths
};

const fn bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'(' | b')' | b'*' | b',' | b'=' | b':' | b'@' | b'/' | b'?'
        )
}

/// The statement as the value of `q`.
pub fn encode_query(text: &str) -> String {
    let mut out = String::with_capacity(encoded_len(text));
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if bare(byte) => out.push(char::from(byte)),
            byte => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
                }
            }
        }
    }
    out
}

/// Bytes of [`encode_query`]'s result.
pub fn encoded_len(text: &str) -> usize {
    text.bytes().map(|byte| usize::from(LENGTHS[usize::from(byte)])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_only_what_must_be() {
        assert_eq!(
            encode_query("SELECT Id,Email FROM Lead WHERE Email IN ('a+b@x.de','ü&;#%')"),
            "SELECT+Id,Email+FROM+Lead+WHERE+Email+IN+(%27a%2Bb@x.de%27,%27%C3%BC%26%3B%23%25%27)"
        );
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_was_counted_and_decodes_back(text in "\\PC*|[ -~\\n\\r\\t]*") {
            let encoded = encode_query(&text);
            prop_assert_eq!(encoded.len(), encoded_len(&text));
            let url = url::Url::parse(&format!("https://acme.my.salesforce.com/services/data/v66.0/query?q={encoded}")).unwrap();
            let expected = format!("q={encoded}");
            prop_assert_eq!(url.query(), Some(expected.as_str()), "the URL type escapes nothing further");
            let back: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(back, vec![("q".to_owned(), text)]);
        }
    }
}
