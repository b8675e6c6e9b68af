//! The keyring of the operating system, which can hold the key of the store: Keychain on macOS, the Credential Manager on Windows, the Secret
//! Service (GNOME Keyring, KWallet) elsewhere. Built with the feature `keyring`; without it there is none.

use crate::cli::world::World;
use crate::model::Secret;

/// `FOOTBRIDGE_KEYRING=off`: the keyring is not asked (it may ask a person to open it, who is not there at night).
const VARIABLE: &str = "FOOTBRIDGE_KEYRING";

/// What the keyring says.
#[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "no keyring in this build says anything"))]
pub(super) enum Said {
    /// This is the key.
    Key(Secret),
    /// It holds none; or there is no keyring in this build, or it is switched off.
    Nothing,
    /// It does not answer, or is not opened; why.
    Closed(String),
}

/// Whether it may be asked at all.
pub(super) fn is_on(world: &World) -> bool {
    cfg!(feature = "keyring") && world.variable(VARIABLE).is_none_or(|v| !v.trim().eq_ignore_ascii_case("off"))
}

/// The key that it holds.
pub(super) fn look(world: &World) -> Said {
    if is_on(world) { system::look() } else { Said::Nothing }
}

/// Gives it the key, and looks whether it has it.
///
/// # Errors
/// It does not take it; why.
pub(super) fn keep(world: &World, key: &Secret) -> Result<(), String> {
    if !is_on(world) {
        return Err("it is switched off".to_owned());
    }
    system::keep(key)?;
    match system::look() {
        Said::Key(held) if held.expose() == key.expose() => Ok(()),
        Said::Closed(why) => Err(why),
        Said::Key(_) | Said::Nothing => Err("it does not give back what it was given".to_owned()),
    }
}

#[cfg(feature = "keyring")]
mod system {
    use ::keyring::v1::{Entry, Error};

    use super::Said;
    use crate::model::Secret;

    /// Under which names the key lies in it.
    const SERVICE: &str = "footbridge";
    const USER: &str = "key of the log-ins";

    /// What the keyring says, in words that show nothing of what it holds.
    fn why(error: &Error) -> String {
        match error {
            Error::PlatformFailure(why) | Error::NoStorageAccess(why) => why.to_string(),
            Error::NoDefaultStore => match Entry::store_status() {
                Err(Error::PlatformFailure(why) | Error::NoStorageAccess(why)) => why.to_string(),
                _ => "there is none here".to_owned(),
            },
            Error::NotSupportedByStore(what) => what.clone(),
            Error::Ambiguous(_) => format!("it has several entries `{SERVICE}`"),
            _ => "what it holds is no key".to_owned(),
        }
    }

    /// On a thread of its own: it waits for its answer, which a thread that runs tasks may not do.
    fn ask<T: Send>(question: impl FnOnce(&Entry) -> Result<T, Error> + Send) -> Result<T, Error> {
        let asked = std::thread::scope(|scope| {
            scope.spawn(|| Entry::new(SERVICE, USER).and_then(|entry| question(&entry))).join()
        });
        asked.unwrap_or(Err(Error::NoDefaultStore))
    }

    pub(super) fn look() -> Said {
        match ask(Entry::get_password) {
            Ok(text) => Said::Key(Secret::new(text)),
            Err(Error::NoEntry) => Said::Nothing,
            Err(error) => Said::Closed(why(&error)),
        }
    }

    pub(super) fn keep(key: &Secret) -> Result<(), String> {
        ask(|entry| entry.set_password(key.expose())).map_err(|error| why(&error))
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use super::Said;
    use crate::model::Secret;

    pub(super) fn look() -> Said {
        Said::Nothing
    }

    pub(super) fn keep(_: &Secret) -> Result<(), String> {
        Err("this build has none".to_owned())
    }
}
