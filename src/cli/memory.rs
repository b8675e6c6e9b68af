//! What planning may take of the machine: `--memory`, the cores, the folder for what does not fit.

use std::path::Path;
use std::sync::Arc;

use super::exit::Exit;
use super::failure::Failure;
use super::repository::scratch;
use super::world::World;
use crate::diag::{Code, Diagnostic};
use crate::reconcile::{Budget, ReconcileError};

/// The budget of a plan in a repository.
pub fn budget(world: &World, root: &Path) -> Budget {
    let root = root.to_owned();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Budget { bytes: world.memory, threads, scratch: Arc::new(move || scratch(&root)) }
}

/// Why planning stopped.
pub fn failure(error: &ReconcileError) -> Failure {
    let ReconcileError::Scratch { full, .. } = error else { return Failure::bug(error.to_string()) };
    let help = if *full {
        "free space on the disk of `.footbridge/tmp`, or give the plan more memory, such as `--memory 2GiB`"
    } else {
        "mend the folder `.footbridge/tmp`, or give the plan more memory, such as `--memory 2GiB`"
    };
    let diagnostic =
        Diagnostic::error(Code::FileUnwritable, error.to_string()).note("nothing was written to Salesforce");
    Failure::new(Exit::Failed, diagnostic.help(help))
}

/// `--memory`: a number of bytes, with a unit. `256MiB`, `2GiB`, `800MB`.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no amount of memory; write `256MiB` or `2GiB`");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    let bytes = number.checked_mul(unit).ok_or_else(wrong)?;
    if bytes < 1 << 20 { Err("less than 1MiB cannot be kept".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory() {
        for (text, bytes) in [("512MiB", 512 << 20), ("2 GiB", 2 << 30), ("64m", 64 << 20), ("3MB", 3_000_000)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "12", "MiB", "1.5GiB", "-1MiB", "10KiB", "99999999999999999999GiB", "18446744073709551615GiB"]
        {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
