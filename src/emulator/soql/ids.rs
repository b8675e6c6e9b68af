//! Record ids: 15 characters that heed case, or 18 with a checksum of the case.
//! <https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm>

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18 characters of an id, or nothing if the text is none. An 18-character id whose checksum is wrong is none:
/// where Salesforce forgives that is unconfirmed, and a client must not rely on it.
pub(super) fn long(text: &str) -> Option<String> {
    let short = match text.len() {
        15 => text,
        18 => text.get(..15)?,
        _ => return None,
    };
    if !short.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let mut id = short.to_owned();
    for group in short.as_bytes().chunks(5) {
        let bits = group.iter().enumerate().filter(|(_, b)| b.is_ascii_uppercase()).map(|(i, _)| 1 << i).sum::<usize>();
        id.push(char::from(ALPHABET[bits]));
    }
    (text.len() == 15 || id == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_the_checksum_of_recorded_ones() {
        for id in ["0011Y00003HVMu4QAH", "701E0000000JuFHIA0", "0128M0000004HVOQA2", "001B000000oAiW9IAK"] {
            assert_eq!(long(&id[..15]).as_deref(), Some(id));
            assert_eq!(long(id).as_deref(), Some(id));
        }
        for bad in ["", "001", "0011Y00003HVMu4QAA", "0011y00003hvmu4qah", "0011Y00003HVMu-", "é11Y00003HVMu4"] {
            assert!(long(bad).is_none(), "{bad}");
        }
    }
}
