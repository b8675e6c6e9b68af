//! Where journals lie: names of files, and that nobody else on the machine may read them (they hold record ids and values).

use std::fs::{DirBuilder, OpenOptions};
use std::path::Path;

use crate::model::{Digest, OrgId};

/// Makes a folder that only this user may enter, where it is missing.
pub(in crate::apply) fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Files made with these options are this user's alone.
pub(in crate::apply) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes the names in a folder durable. Where folders cannot be opened (Windows) there is nothing to do.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { std::fs::File::open(path)?.sync_all() } else { Ok(()) }
}

/// What the files of one integration and org are called. Names that no file can have are told apart by a digest.
pub(in crate::apply) fn stem(integration: &str, org_id: OrgId) -> String {
    format!("{}.{org_id}", plain(integration))
}

/// Letters, digits, `-` and `_`; anything else is replaced, and a digest of the whole name added.
pub(super) fn plain(name: &str) -> String {
    let kept: String = name
        .chars()
        .take(60)
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
        .collect();
    if kept == name && !kept.is_empty() { kept } else { format!("{kept}~{}", Digest::of(name.as_bytes()).short()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder_or_fall_together() {
        assert_eq!(plain("logins-to-leads"), "logins-to-leads");
        let tricky = ["../x", "a/b", "a.b", "", "ä", "ö", "CON:", &"x".repeat(200)];
        let made: std::collections::HashSet<_> = tricky.iter().map(|name| plain(name)).collect();
        assert_eq!(made.len(), tricky.len());
        assert!(made.iter().all(|name| !name.contains(['/', '.', ':']) && name.len() < 90));
    }
}
