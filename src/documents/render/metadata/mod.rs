//! What Salesforce deploys, as XML: permission sets, External Client Apps, manifests. Source format (`….permissionset-meta.xml`), the elements by name, as
//! Salesforce's own tools write them. No file of these ever holds a secret: nothing here is given one.

mod access;
mod app;
mod xml;

pub use access::{FieldGrant, ObjectGrant, PermissionSet};
pub use app::{ADMIN_APPROVED, App, Refreshing};
pub use xml::{MARK, manifest};

/// One file of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The metadata type.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Below the folder of a package, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Folders, endings and types of what is written here, by the folder's name (Metadata API guide, "File Suffix and Directory Location" of each type).
pub const KINDS: [(&str, &str, &str); 5] = [
    ("externalClientApps", "eca", "ExternalClientApplication"),
    ("extlClntAppGlobalOauthSets", "ecaGlblOauth", "ExtlClntAppGlobalOauthSettings"),
    ("extlClntAppOauthPolicies", "ecaOauthPlcy", "ExtlClntAppOauthConfigurablePolicies"),
    ("extlClntAppOauthSettings", "ecaOauth", "ExtlClntAppOauthSettings"),
    ("permissionsets", "permissionset", "PermissionSet"),
];

impl File {
    /// A file of a type of [`KINDS`].
    fn new(kind: &'static str, name: &str, text: String) -> Self {
        let (folder, ending, _) = KINDS.iter().find(|(.., k)| *k == kind).copied().unwrap_or(("", "", ""));
        Self { kind, name: name.to_owned(), path: format!("{folder}/{name}.{ending}-meta.xml"), text }
    }
}
