//! The assertion of the JWT bearer flow (help article "OAuth 2.0 JWT Bearer Flow"): RS256; `iss`, `sub`, `aud`, `exp` at most three minutes ahead.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::model::Secret;
use crate::salesforce::SalesforceError;

/// Seconds until the assertion ends; Salesforce takes at most 180.
const LIFETIME: i64 = 170;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// Signs an assertion. The error never quotes the key.
pub(crate) fn assertion(
    audience: &str,
    client_id: &str,
    username: &str,
    key: &Secret,
    now: Timestamp,
) -> Result<Secret, SalesforceError> {
    let failed = |error: jsonwebtoken::errors::Error| SalesforceError::PrivateKey {
        cause: match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidKeyFormat => "it is not a PEM key of a known form".to_owned(),
            jsonwebtoken::errors::ErrorKind::InvalidRsaKey(_) => "it is not a usable RSA key".to_owned(),
            jsonwebtoken::errors::ErrorKind::InvalidAlgorithm => "it is not an RSA key".to_owned(),
            _ => "signing failed".to_owned(),
        },
    };
    let encoding = EncodingKey::from_rsa_pem(key.expose().as_bytes()).map_err(failed)?;
    let claims = Claims { iss: client_id, sub: username, aud: audience, exp: now.as_second() + LIFETIME };
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &encoding).map(Secret::new).map_err(failed)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine as _;

    /// A fresh RSA key in PEM form.
    pub(crate) fn rsa_key() -> Secret {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        Secret::new(key.serialize_pem())
    }

    #[test]
    fn the_assertion_has_the_documented_claims() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let jwt = assertion("https://login.salesforce.com", "3MVG", "ci@acme.example", &rsa_key(), now).unwrap();
        let parts: Vec<serde_json::Value> = jwt
            .expose()
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0]["alg"], "RS256");
        assert_eq!(
            parts[1],
            serde_json::json!({"iss": "3MVG", "sub": "ci@acme.example", "aud": "https://login.salesforce.com", "exp": 1_790_000_170})
        );
    }

    #[test]
    fn a_bad_key_is_told_without_quoting_it() {
        let body = "-----BEGIN PRIVATE KEY-----\nTUFSS0VEU0VDUkVU\n-----END PRIVATE KEY-----\n";
        for key in ["MARKED-SECRET not a key", body] {
            let error = assertion("a", "b", "c", &Secret::new(key.into()), Timestamp::UNIX_EPOCH).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("MARKED") && !text.contains("TUFSS0"), "{text}");
            assert!(error.is_not_authorised());
        }
    }
}
