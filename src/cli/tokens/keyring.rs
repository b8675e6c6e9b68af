//! The keyring of the operating system, which can hold the key of the store: Keychain on macOS, the Credential Manager on Windows, the Secret
//! Service (GNOME Keyring, KWallet) elsewhere. Built with the feature `keyring`; without it there is none.

use std::time::Duration;

use crate::cli::world::World;
use crate::model::Secret;

/// `off`: the keyring is not asked (it may ask a person to open it, who is not there at night). In CI it is not asked unless this says `on`.
const VARIABLE: &str = "FOOTBRIDGE_KEYRING";
/// How long a person may take to open it.
const OPENING: Duration = Duration::from_secs(60);
/// How long it may take where no person is; less than a signal may wait.
const UNATTENDED: Duration = Duration::from_secs(3);

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
    let said = world.variable(VARIABLE).map(|v| v.trim().to_ascii_lowercase());
    cfg!(feature = "keyring")
        && match said.as_deref() {
            Some("off" | "no" | "0" | "false") => false,
            None | Some("") => !world.is_ci(),
            Some(_) => true,
        }
}

/// How it is waited for.
#[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "nothing is waited for in this build"))]
struct Waiting<'a> {
    longest: Duration,
    /// Says that it is waited for.
    told: &'a dyn Fn(),
}

/// Asks it a question in the way that fits who is there.
fn waiting<T>(world: &World, question: impl FnOnce(&Waiting<'_>) -> T) -> T {
    let told = || world.say("waiting for this system's keyring: it may have to be opened");
    question(&Waiting { longest: if world.asks { OPENING } else { UNATTENDED }, told: &told })
}

/// The key that it holds.
pub(super) fn look(world: &World) -> Said {
    if is_on(world) { waiting(world, system::look) } else { Said::Nothing }
}

/// Gives it the key, and looks whether it has it.
///
/// # Errors
/// It does not take it; why.
pub(super) fn keep(world: &World, key: &Secret) -> Result<(), String> {
    if !is_on(world) {
        return Err("it is switched off".to_owned());
    }
    waiting(world, |waiting| system::keep(key, waiting))?;
    match waiting(world, system::look) {
        Said::Key(held) if held.expose() == key.expose() => Ok(()),
        Said::Closed(why) => Err(why),
        Said::Key(_) | Said::Nothing => Err("it does not give back what it was given".to_owned()),
    }
}

#[cfg(feature = "keyring")]
mod system {
    use std::sync::mpsc;
    use std::time::Duration;

    use ::keyring::v1::{Entry, Error};

    use super::{Said, Waiting};
    use crate::model::Secret;

    /// After this time a person is told what it is that takes so long.
    const SOON: Duration = Duration::from_secs(1);
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

    /// On a thread of its own: it waits for its answer, which a thread that runs tasks may not do, and perhaps for a person, perhaps for ever.
    fn ask<T: Send + 'static>(
        waiting: &Waiting<'_>,
        question: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, String> {
        let (answer, answered) = mpsc::channel();
        std::thread::spawn(move || answer.send(Entry::new(SERVICE, USER).and_then(|entry| question(&entry))));
        if let Ok(answer) = answered.recv_timeout(SOON) {
            return Ok(answer);
        }
        (waiting.told)();
        let silent = |_| format!("it gave no answer within {} seconds; it may be locked", waiting.longest.as_secs());
        answered.recv_timeout(waiting.longest - SOON).map_err(silent)
    }

    pub(super) fn look(waiting: &Waiting<'_>) -> Said {
        match ask(waiting, Entry::get_password) {
            Ok(Ok(text)) => Said::Key(Secret::new(text)),
            Ok(Err(Error::NoEntry)) => Said::Nothing,
            Ok(Err(error)) => Said::Closed(why(&error)),
            Err(silence) => Said::Closed(silence),
        }
    }

    pub(super) fn keep(key: &Secret, waiting: &Waiting<'_>) -> Result<(), String> {
        let key = key.clone();
        ask(waiting, move |entry| entry.set_password(key.expose()))?.map_err(|error| why(&error))
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use super::{Said, Waiting};
    use crate::model::Secret;

    pub(super) fn look(_: &Waiting<'_>) -> Said {
        Said::Nothing
    }

    pub(super) fn keep(_: &Secret, _: &Waiting<'_>) -> Result<(), String> {
        Err("this build has none".to_owned())
    }
}
