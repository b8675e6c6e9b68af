//! The key of the store: an age identity, or a passphrase.

use std::fmt;
use std::io::{Read, Write};

use age::secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use super::VaultProblem;
use crate::model::Secret;

/// Characters that a passphrase has at least.
const SHORTEST: usize = 12;
/// log2 of the rounds of scrypt: a few tenths of a second, 64 MB.
const WORK: u8 = 16;
/// More than this is no file of ours.
const MOST_WORK: u8 = 20;

/// The key. `Debug` says its kind only.
#[derive(Clone)]
pub enum Key {
    /// `AGE-SECRET-KEY-1…`, as `age-keygen` makes it.
    Identity(age::x25519::Identity),
    /// A passphrase, stretched by scrypt.
    Passphrase(SecretString),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Key::Identity(_) => "Key(identity)",
            Key::Passphrase(_) => "Key(passphrase)",
        })
    }
}

impl Key {
    /// Reads a key: an age identity by its first letters (a file of `age-keygen` with its comments, too), anything else is a passphrase.
    ///
    /// # Errors
    /// A broken identity, or a passphrase that is too short.
    pub fn read(text: &Secret) -> Result<Self, VaultProblem> {
        let lines = text.expose().lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (first, more) = (lines.next().unwrap_or_default(), lines.next());
        if first.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY")) {
            let bad =
                |_| VaultProblem::BadKey { why: "the key begins as an age identity (AGE-SECRET-KEY-1…) and is none" };
            return first.parse().map(Key::Identity).map_err(bad);
        }
        if more.is_some() {
            return Err(VaultProblem::BadKey { why: "the key has several lines and is no age identity" });
        }
        let passphrase = text.expose().trim();
        if passphrase.chars().count() < SHORTEST {
            return Err(VaultProblem::BadKey { why: "a passphrase has twelve characters at least" });
        }
        Ok(Key::Passphrase(SecretString::from(passphrase.to_owned())))
    }

    /// A new identity, and its text for a key file.
    pub fn generate() -> (Self, Secret) {
        let identity = age::x25519::Identity::generate();
        let text = Secret::new(identity.to_string().expose_secret().to_owned());
        (Key::Identity(identity), text)
    }

    pub(super) fn encrypt(&self, plain: &[u8]) -> std::io::Result<Vec<u8>> {
        let failed = |e: age::EncryptError| std::io::Error::other(e.to_string());
        let mut out = Vec::with_capacity(plain.len() + 400);
        let public;
        let scrypt;
        let recipient: &dyn age::Recipient = match self {
            Key::Identity(identity) => {
                public = identity.to_public();
                &public
            }
            Key::Passphrase(passphrase) => {
                let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK);
                scrypt = recipient;
                &scrypt
            }
        };
        let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient)).map_err(failed)?;
        let mut writer = encryptor.wrap_output(&mut out)?;
        writer.write_all(plain)?;
        writer.finish()?;
        Ok(out)
    }

    pub(super) fn decrypt(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
        let scrypt;
        let identity: &dyn age::Identity = match self {
            Key::Identity(identity) => identity,
            Key::Passphrase(passphrase) => {
                let mut identity = age::scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(MOST_WORK);
                scrypt = identity;
                &scrypt
            }
        };
        let mut reader = age::Decryptor::new_buffered(sealed)?.decrypt(std::iter::once(identity))?;
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        reader.read_to_end(&mut plain)?;
        Ok(plain)
    }
}
