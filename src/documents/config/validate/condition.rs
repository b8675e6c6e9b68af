//! `where:` must be one SOQL condition that can stand in parentheses: whatever it holds, it cannot end the parentheses or add a clause.
//! What SOQL makes of it in detail is for the org to say.

/// Clauses that may not follow.
const CLAUSES: [&str; 10] = [
    "ORDER BY",
    "GROUP BY",
    "LIMIT",
    "OFFSET",
    "HAVING",
    "FOR VIEW",
    "FOR UPDATE",
    "FOR REFERENCE",
    "WITH",
    "ALL ROWS",
];

/// What is wrong, if anything is.
pub(super) fn check(condition: &str) -> Result<(), String> {
    let trimmed = condition.trim();
    if trimmed.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut outside = String::new();
    let mut depth = 0usize;
    let mut chars = trimmed.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                loop {
                    match chars.next() {
                        None => return Err("a single quote is not closed".to_owned()),
                        Some('\\') => {
                            chars.next();
                        }
                        Some('\'') => break,
                        Some(_) => {}
                    }
                }
                outside.push('\'');
            }
            '(' => {
                depth += 1;
                outside.push(' ');
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("a closing parenthesis without an opening one")?;
                outside.push(' ');
            }
            '"' => return Err("SOQL writes text in single quotes".to_owned()),
            ';' => return Err("a semicolon has no place in it".to_owned()),
            c if c.is_control() && c != '\n' => return Err("a control character".to_owned()),
            c if depth == 0 => outside.push(if c.is_whitespace() { ' ' } else { c.to_ascii_uppercase() }),
            _ => {}
        }
    }
    if depth > 0 {
        return Err("a parenthesis is not closed".to_owned());
    }
    let words = outside.split_whitespace().collect::<Vec<_>>().join(" ");
    let padded = format!(" {words} ");
    if words.starts_with("WHERE ") {
        return Err("leave out the word WHERE".to_owned());
    }
    if words.starts_with("SELECT ") {
        return Err("only the condition, not a whole query".to_owned());
    }
    if let Some(clause) = CLAUSES.iter().find(|clause| padded.contains(&format!(" {clause} "))) {
        return Err(format!("{clause} has no place in it"));
    }
    if words.ends_with(" AND") || words.ends_with(" OR") || words.ends_with(" NOT") || words.starts_with("AND ") {
        return Err("something is missing beside AND, OR or NOT".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_condition_and_nothing_that_could_leave_its_parentheses() {
        for good in [
            "IsConverted = false",
            "Name LIKE 'O\\'Brien%' AND (Status IN ('a', 'b') OR Score__c > 3)",
            "Id IN (SELECT LeadId FROM CampaignMember WHERE x = 1 ORDER BY x LIMIT 1)",
            "CreatedDate = LAST_N_DAYS:30",
            "Name = 'a) OR (x; LIMIT 5 --'",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            " ",
            "a = 'x",
            "(a = 1",
            "a = 1) OR (b = 2",
            "a = 1; DELETE",
            "a = 1 ORDER BY b",
            "a = 1 limit 5",
            "WHERE a = 1",
            "a = \"x\"",
            "SELECT Id FROM Lead",
            "a = 'x\\'",
            "a = 1 AND",
            "a = 1 for\nupdate",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
