//! A report in an object store: S3 (or what speaks its language), Azure Blob Storage, Google Cloud Storage. The part that speaks to them is the cargo
//! feature `object-stores`.

use std::fs::File;

use super::fetch::{FetchError, Fetched};
use crate::net::{Budget, Settings};

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Amazon S3, or a store that speaks its language.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
}

impl std::fmt::Display for StoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::S3 => "S3",
            Self::Azure => "Azure Blob Storage",
            Self::Gcs => "Google Cloud Storage",
        })
    }
}

impl StoreKind {
    /// The variables that its credentials come from, for people.
    pub fn needs(self) -> &'static str {
        match self {
            Self::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, where they are temporary)",
            Self::Azure => {
                "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN or (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET)"
            }
            Self::Gcs => {
                "GOOGLE_APPLICATION_CREDENTIALS (a file), GOOGLE_SERVICE_ACCOUNT_KEY (its text) or GOOGLE_OAUTH_ACCESS_TOKEN"
            }
        }
    }
}

/// Why a store gave no report. Never a signature, a key, or the store's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// This build has no object stores.
    #[error("this build of Footbridge reads no object stores")]
    NotBuiltIn,
    /// Nothing in the environment says how to log in.
    #[error("nothing says how to log in to {kind}: it takes {}", kind.needs())]
    NoCredentials {
        /// Which store.
        kind: StoreKind,
    },
    /// What the environment says cannot be used.
    #[error("the log-in to {kind} cannot be used: {why}")]
    BadCredentials {
        /// Which store.
        kind: StoreKind,
        /// Why.
        why: &'static str,
    },
    /// No object has this name.
    #[error("there is no such object, or it may not be seen{}", coded(code))]
    Absent {
        /// The store's own code.
        code: Option<String>,
    },
    /// The store says no.
    #[error("the store refuses{}", coded(code))]
    Refused {
        /// The store's own code.
        code: Option<String>,
    },
    /// No object fits the pattern.
    #[error("none of {seen} objects fits {pattern}")]
    NoneFits {
        /// The pattern.
        pattern: String,
        /// Objects in the folder.
        seen: usize,
    },
    /// Something else.
    #[error("the store answered with an error{}", coded(code))]
    Other {
        /// The store's own code.
        code: Option<String>,
    },
}

fn coded(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
}

/// A report in an object store.
pub struct ObjectReport<'a> {
    /// Which kind of store.
    pub kind: StoreKind,
    /// The bucket; with Azure the container.
    pub bucket: String,
    /// The object's key; with `newest` the last part is a pattern.
    pub key: String,
    /// Of the objects that fit, the one that was changed last.
    pub newest: bool,
    /// The store's address, where it is not the kind's own: https, or http on loopback.
    pub endpoint: Option<String>,
    /// The bucket's region.
    pub region: Option<String>,
    /// Reads a variable of the environment.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The most that is fetched, in bytes.
    pub limit: u64,
    /// How HTTP is spoken. The hosts are the store's own, whatever stands here.
    pub settings: Settings,
    /// Repeats and waits.
    pub budget: Budget,
}

impl ObjectReport<'_> {
    /// Fetches it into `file`, which is empty.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn fetch(&self, file: File) -> Result<Fetched, FetchError> {
        #[cfg(feature = "object-stores")]
        return super::through::fetch(self, file).await;
        #[cfg(not(feature = "object-stores"))]
        {
            drop(file);
            Err(StoreError::NotBuiltIn.into())
        }
    }
}
