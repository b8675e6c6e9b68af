//! A part of `footbridge orgs check` before every plan. Describe tells which right is missing, at no cost; only then is it asked who the user is.

use super::connect::Connected;
use super::grants::check_command;
use super::ground::Target;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::render::escape::Terminal;

/// Could a permission set be what is missing?
fn is_right(diagnostic: &Diagnostic) -> bool {
    matches!(
        diagnostic.code,
        Code::ObjectAbsent
            | Code::ObjectNotReadable
            | Code::ObjectNotUpdateable
            | Code::FieldAbsent
            | Code::FieldNotUpdateable
    )
}

/// Adds to the last such problem who lacks the right, as far as the org tells, and the command that writes the permission set.
pub async fn who(connected: &Connected, target: Target<'_>, problems: Diagnostics) -> Diagnostics {
    let mut problems: Vec<Diagnostic> = problems.into_iter().collect();
    let Some(at) = problems.iter().rposition(is_right) else { return problems.into_iter().collect() };
    let command = check_command(&target.integration.org.value, target.environment);
    let mut told = problems.remove(at);
    if let Some(user) = user(connected).await {
        told = told.note(user);
    }
    told = told
        .help(format!("`{command}` lists every right that is missing, and writes the permission set that grants them"));
    problems.insert(at, told);
    problems.into_iter().collect()
}

/// `the user is ci@acme.example (profile Integration), with the permission sets A, B`. No error: it is a word more, and nothing depends on it.
async fn user(connected: &Connected) -> Option<String> {
    let client = &connected.client;
    let user = client.session_user().await.ok().flatten();
    let mut text = match (&connected.username, user) {
        (Some(name), _) => format!("the user is {}", Terminal(name)),
        (None, Some(user)) => {
            let name = client.username_of(user).await.ok().flatten()?;
            format!("the user is {}", Terminal(&name))
        }
        (None, None) => return None,
    };
    let user = user?;
    if let Some(profile) = client.profile_of(user).await.ok().flatten() {
        text.push_str(&format!(" (profile {})", Terminal(&profile)));
    }
    if let Ok(sets) = client.access_sets(user).await {
        let labels: Vec<String> =
            sets.iter().filter(|set| !set.of_profile).map(|set| Terminal(&set.label).to_string()).collect();
        text.push_str(&match labels.len() {
            0 => ", without a permission set".to_owned(),
            1 => format!(", with the permission set {}", labels[0]),
            _ => format!(", with the permission sets {}", labels.join(", ")),
        });
    }
    Some(text)
}
