//! The assertion of the JWT bearer flow (help article "OAuth 2.0 JWT Bearer Flow"): RS256; `iss`, `sub`, `aud`, `exp` at most three minutes ahead.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;

use crate::model::Secret;
use crate::salesforce::SalesforceError;

/// `{"alg":"RS256","typ":"JWT"}`: the one algorithm that Salesforce takes.
const HEADER: &[u8] = br#"{"alg":"RS256","typ":"JWT"}"#;
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
    let failed = |cause: &str| SalesforceError::PrivateKey { cause: cause.to_owned() };
    let claims = Claims { iss: client_id, sub: username, aud: audience, exp: now.as_second() + LIFETIME };
    let claims = serde_json::to_vec(&claims).map_err(|_| failed("the claims cannot be written"))?;
    let key = rsa(key).map_err(failed)?;
    let mut jwt = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(HEADER), BASE64_URL_SAFE_NO_PAD.encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), jwt.as_bytes(), &mut signature)
        .map_err(|_| failed("signing failed"))?;
    jwt.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
    Ok(Secret::new(jwt))
}

/// The key of a PEM text, PKCS#8 or PKCS#1.
fn rsa(pem: &Secret) -> Result<RsaKeyPair, &'static str> {
    let key =
        PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_| "it is not a PEM key of a known form")?;
    match &key {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err("it is not an RSA key"),
    }
    .map_err(|_| "it is not a usable RSA key (2048 bits at least)")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An RSA key in PEM form, of the tests alone.
    pub(crate) fn rsa_key() -> Secret {
        Secret::new(include_str!("../../../../tests/keys/tests-only-private.pem").to_owned())
    }

    #[test]
    fn the_assertion_has_the_documented_claims() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let jwt = assertion("https://login.salesforce.com", "3MVG", "ci@acme.example", &rsa_key(), now).unwrap();
        let parts: Vec<serde_json::Value> = jwt
            .expose()
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
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
