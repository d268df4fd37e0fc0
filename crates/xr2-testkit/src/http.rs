//! HTTP clients for tests.

/// A client to be built. In a build of the whole workspace it can speak TLS, and then asks for cryptography even where it
/// speaks plain HTTP; so there is some.
pub fn http() -> reqwest::ClientBuilder {
    // An error says that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Answers are to be seen as they came, compressed or not.
    reqwest::Client::builder().no_proxy().no_gzip()
}
