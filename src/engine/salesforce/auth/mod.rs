//! Log-ins: how a token is got, renewed, kept and ended. The one place that sees secrets.

mod door;
mod jwt;
mod keeper;
mod login;
mod session;
mod token;

pub use door::{Authorization, DeviceCode, Door, Grant, Polled};
pub use keeper::{Kept, Renewed, TokenKeeper, Turn};
pub use login::{Handed, Login, Outside, jwt_audience};
pub(crate) use session::{Access, Session, SessionSettings};
pub(crate) use token::TokenEndpoint;
pub use token::{TokenError, TokenErrorCode};

#[cfg(test)]
pub(crate) use jwt::tests::rsa_key as test_key;
