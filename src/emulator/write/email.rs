//! Is a text an e-mail address by Salesforce's syntax check?

const IN_LOCAL: &str = "!#$%&'*+-/=?^_`{|}~.";

/// `local@domain.tld`: no spaces, plain ASCII, no dot at either end, a top-level domain of letters (or `xn--`).
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || IN_LOCAL.as_bytes().contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.');
    let label_fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    let top_fits = top.len() >= 2 && (top.bytes().all(|b| b.is_ascii_alphabetic()) || top.starts_with("xn--"));
    local_fits && domain.contains('.') && domain.split('.').all(label_fits) && top_fits
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses_and_others() {
        for text in [
            "a@b.co",
            "A.B+c@d-e.example.com",
            "o'neil@x.org",
            "35057220+vebutoki@bamigu.example.com",
            "x@xn--p1ai.xn--p1ai",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a@",
            "a b@c.co",
            "a@b.co.",
            "a@.b.co",
            ".a@b.co",
            "a.@b.co",
            "a@b..co",
            "a@b.c",
            "a@é.com",
            "a@b@c.co",
            "Not a real email address",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
