//! HTTP clients of the tests, to speak to the emulator beside the program.

/// A client with its defaults.
pub fn client() -> reqwest::Client {
    builder().build().unwrap()
}

/// A client to be settled further. The program's own installs the TLS library's provider for itself; here nobody else does.
pub fn builder() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}
