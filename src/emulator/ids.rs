//! Salesforce record ids: 15 characters that heed case, 18 with the checksum, and a counter that makes new ones.
//!
//! The checksum (three letters, one for each group of five characters) is described in DOC/object-reference/field-types and was
//! verified on the ids of the recordings.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The three letters that make 15 characters 18.
fn suffix(fifteen: &str) -> String {
    let letter = |group: &[u8]| {
        let mut index = 0;
        for (bit, byte) in group.iter().enumerate() {
            if byte.is_ascii_uppercase() {
                index |= 1 << bit;
            }
        }
        char::from(CHECK[index & 31])
    };
    fifteen.as_bytes().chunks(5).map(letter).collect()
}

/// The 18-character form, or `None` when the text is no id: wrong length, other characters, or a wrong checksum.
pub fn eighteen(text: &str) -> Option<String> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    match text.len() {
        15 => Some(format!("{text}{}", suffix(text))),
        18 => {
            let (fifteen, check) = text.split_at(15);
            (suffix(fifteen) == check).then(|| text.to_owned())
        }
        _ => None,
    }
}

/// The first 15 characters, as many of Salesforce's messages print an id.
pub fn fifteen(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

/// The id number `n` of the object whose ids begin with `prefix`; ids sort as their numbers do.
pub fn nth(prefix: &str, n: u64) -> String {
    let mut digits = [b'0'; 9];
    let mut rest = n;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    // Positions 4 and 5 name the instance, the next is reserved, as in real ids (`00Q` `Em` `0` …).
    let text = format!("{prefix}Em0{}", String::from_utf8_lossy(&digits));
    let check = suffix(&text);
    text + &check
}

/// The number behind an id made by [`nth`]; 0 for others.
pub fn number_of(id: &str) -> u64 {
    let Some(digits) = id.get(6..15).filter(|_| id.get(3..6) == Some("Em0")) else { return 0 };
    digits.bytes().fold(0, |n, b| n * 62 + DIGITS.iter().position(|d| *d == b).unwrap_or(0) as u64)
}

#[cfg(test)]
mod tests {
    use super::{eighteen, fifteen, nth, number_of};

    #[test]
    fn known_ids_check() {
        for id in [
            "0012300000bVTq1AAG",
            "0014C00000ZiUVCQA3",
            "005i00000016PdaAAE",
            "012000000000000AAA",
            "0011Y00003HVMu4QAH",
        ] {
            assert_eq!(eighteen(id).as_deref(), Some(id));
            assert_eq!(eighteen(fifteen(id)).as_deref(), Some(id));
        }
    }

    #[test]
    fn what_is_no_id_is_none() {
        for text in [
            "",
            "0012300000bVTq1",
            "0012300000bvtq1AAG",
            "0012300000bVTq1AAH",
            "0012300000bVTq1AA",
            "0012300000bVT-1AAG",
            "é012300000bVTq1",
        ] {
            let fine = text == "0012300000bVTq1";
            assert_eq!(eighteen(text).is_some(), fine, "{text}");
        }
    }

    #[test]
    fn numbers_and_ids_go_both_ways_and_sort_alike() {
        let mut last = String::new();
        for n in [1, 2, 61, 62, 63, 3843, 3844, 100_000, 238_328, 1_000_000_000] {
            let id = nth("00Q", n);
            assert_eq!(number_of(&id), n);
            assert!(eighteen(&id).is_some());
            assert!(id > last);
            last = id;
        }
    }
}
