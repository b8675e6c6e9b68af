//! Where the pages lie, one beside the other. No name from a file or an org becomes a path as it is.

use crate::model::{EnvironmentName, OrgId};
use crate::runlog::safe_segment;

/// The page of an integration in an environment of an org.
pub fn history_file(integration: &str, environment: EnvironmentName, org_id: OrgId) -> String {
    format!("integrations/{}/{environment}-{}.html", safe_segment(integration), org_id.as_str())
}

/// The page of a run.
pub fn run_file(integration: &str, org_id: OrgId, id: &str) -> String {
    format!("runs/{}/{}/{}.html", safe_segment(integration), org_id.as_str(), safe_segment(id))
}

/// The way from a page to the folder of all pages: `../` for each folder that it lies in.
pub(super) fn up(file: &str) -> String {
    "../".repeat(file.matches('/').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_folder() {
        let org = OrgId::parse("00D000000000001EAA").unwrap();
        for name in ["../../etc", "a/b", "..", "<script>", "x\u{202e}y"] {
            let file = run_file(name, org, name);
            assert!(file.split('/').all(|step| !step.is_empty() && !step.starts_with('.')), "{file}");
            assert!(file.matches('/').count() == 3 && file.is_ascii(), "{file}");
            assert_eq!(up(&file), "../../../");
        }
    }
}
