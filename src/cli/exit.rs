//! Exit codes. They are documented, tested one by one through the binary, and where several hold the gravest wins.

/// How a command ended, gravest last in [`Exit::weight`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// The plan has changes (with `--detailed-exitcode`).
    Changes,
    /// The run failed.
    Failed,
    /// Applied in part.
    Partial,
    /// A guard refused.
    Held,
    /// The plan is stale.
    Stale,
    /// Bad configuration or usage.
    Usage,
    /// Not authorised, or not the pinned org.
    Unauthorised,
    /// A bug in Footbridge.
    Bug,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Changes => 2,
            Exit::Usage => 3,
            Exit::Held => 4,
            Exit::Stale => 5,
            Exit::Partial => 6,
            Exit::Unauthorised => 7,
            Exit::Bug => 70,
        }
    }

    fn weight(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Changes => 1,
            Exit::Failed => 2,
            Exit::Partial => 3,
            Exit::Held => 4,
            Exit::Stale => 5,
            Exit::Usage => 6,
            Exit::Unauthorised => 7,
            Exit::Bug => 8,
        }
    }

    /// The graver of two.
    pub fn and(self, other: Exit) -> Exit {
        if other.weight() > self.weight() { other } else { self }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_wins() {
        let order = [
            Exit::Bug,
            Exit::Unauthorised,
            Exit::Usage,
            Exit::Stale,
            Exit::Held,
            Exit::Partial,
            Exit::Failed,
            Exit::Changes,
            Exit::Done,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].and(pair[1]), pair[0]);
            assert_eq!(pair[1].and(pair[0]), pair[0]);
        }
        assert_eq!(order.map(Exit::code), [70, 7, 3, 5, 4, 6, 1, 2, 0]);
    }
}
