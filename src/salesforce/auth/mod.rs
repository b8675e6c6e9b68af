//! Log-ins without a person: how a token is got, renewed and kept. The one place that sees secrets.

mod jwt;
mod login;
mod session;
mod token;

pub use login::{Login, jwt_audience};
pub use session::KeepRefreshToken;
pub(crate) use session::{Access, Session, SessionSettings};
pub(crate) use token::TokenEndpoint;
pub use token::{TokenError, TokenErrorCode};

#[cfg(test)]
pub(crate) use jwt::tests::rsa_key as test_key;
