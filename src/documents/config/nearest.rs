//! The nearest name: what a person may have meant.

/// The candidate that is nearest to what was written, if one is near at all. Case and the choice of `-` or `_` count little.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let folded = fold(written);
    candidates
        .into_iter()
        .map(|candidate| {
            let other = fold(candidate);
            (strsim::jaro_winkler(&folded, &other), strsim::damerau_levenshtein(&folded, &other), candidate)
        })
        .filter(|(likeness, edits, candidate)| {
            let other = fold(candidate);
            let within =
                other.len() >= 3 && (folded.starts_with(&other) || folded.len() >= 3 && other.starts_with(&folded));
            *edits <= 1 || *likeness >= 0.84 || (*edits <= candidate.chars().count() / 3) || within
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, _, candidate)| candidate)
}

/// `did you mean …?` where a name is near, else the list of what there is, if any.
pub(super) fn suggestion<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = nearest(written, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<&str> = candidates.into_iter().take(40).collect();
    if all.is_empty() { None } else { Some(format!("there is: {}", quoted(&all))) }
}

/// `a`, `b` and `c`, in back quotes.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let keys = ["fields", "where", "when_blank", "on_bad_value", "object"];
        assert_eq!(nearest("feilds", keys), Some("fields"));
        assert_eq!(nearest("whenBlank", keys), Some("when_blank"));
        assert_eq!(nearest("Object", keys), Some("object"));
        assert_eq!(nearest("jwt_bearer", ["access_token", "jwt"]), Some("jwt"));
        assert_eq!(nearest("zebra", keys), None);
        assert_eq!(suggestion("zebra", ["a", "b"]).unwrap(), "there is: `a`, `b`");
    }
}
