//! Settings: layers, and errors that name the key.

use std::io::Write;

use xr2_server::config::{Config, DEFAULT_TOML, Override, Registration};

fn load(file: Option<&str>, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, String> {
    let file = file.map(|text| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    });
    let env: Vec<(String, String)> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let read = move |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let flags: Vec<Override> =
        flags.iter().map(|(key, value)| Override { key: (*key).into(), value: (*value).into() }).collect();
    Config::load(file.as_ref().map(|file| file.path()), &read, &flags).map_err(|error| error.to_string())
}

fn error(file: Option<&str>, env: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    load(file, env, flags).expect_err("the settings are taken")
}

#[test]
fn flags_beat_environment_beats_file_beats_defaults() {
    let file = "listen = \"127.0.0.1:1\"\n[auth]\nsession_days = 1\nattempts_per_account = 1\n";
    let env = [("XR2_LISTEN", "127.0.0.1:2"), ("XR2_AUTH_SESSION_DAYS", "2")];
    let config = load(Some(file), &env, &[("listen", "127.0.0.1:3")]).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.session_lifetime().num_days(), 2);
    assert_eq!(config.auth.attempts_per_account, 1);
    assert_eq!(config.auth.attempts_per_network, 100);
}

#[test]
fn a_documented_file_holds_the_defaults() {
    let by_file = load(Some(DEFAULT_TOML), &[], &[]).unwrap();
    assert_eq!(format!("{by_file:?}"), format!("{:?}", load(None, &[], &[]).unwrap()));
    let secrets = [
        ("secret_key", "hidden-key"),
        ("database", "postgres://a:hidden-word@b/c"),
        ("metrics.token", "hidden-token"),
        ("redis", "redis://user:hidden-word@b:6379"),
    ];
    assert!(!format!("{:?}", load(None, &[], &secrets).unwrap()).contains("hidden"));
}

#[test]
fn other_programs_names_are_understood() {
    let config = load(None, &[("DATABASE_URL", "postgres://a@b/c")], &[]).unwrap();
    assert_eq!(config.database_url(), "postgres://a@b/c");
    let both = [("DATABASE_URL", "postgres://a@b/c"), ("XR2_DATABASE", "sqlite:x.db")];
    assert_eq!(load(None, &both, &[]).unwrap().database_url(), "sqlite:x.db");
}

#[test]
fn an_unknown_name_is_told_with_the_nearest() {
    assert!(
        error(Some("listn = \"127.0.0.1:1\""), &[], &[])
            .contains("listn: there is no such setting; did you mean listen?")
    );
    let message = error(Some("[auth]\nsession_dayz = 3\n"), &[], &[]);
    assert!(message.contains("auth.session_dayz") && message.contains("auth.session_days"), "{message}");
    assert!(
        error(Some("[nothing]\nlike = \"this\"\n"), &[], &[]).contains("nothing: there is no such setting")
    );
    assert!(error(None, &[], &[("no.such", "1")]).contains("--no-such: there is no such setting"));
}

#[test]
fn a_wrong_value_names_its_key() {
    assert!(error(Some("listen = 8000"), &[], &[]).contains("listen: expected string, found integer"));
    assert!(error(Some("auth = 1"), &[], &[]).contains("auth: is a section, written [auth]"));
    assert!(error(Some("listen = "), &[], &[]).contains("is not valid TOML"));
    assert!(
        error(None, &[("XR2_AUTH_SESSION_DAYS", "many")], &[])
            .contains("XR2_AUTH_SESSION_DAYS: expected a whole number")
    );
    assert!(error(None, &[], &[("listen", "everywhere")]).starts_with("listen: "));
    assert!(error(None, &[], &[("trusted_proxies", "10.0.0.0/8,home")]).contains("trusted_proxies"));
    assert!(error(None, &[], &[("auth.registration", "maybe")]).starts_with("auth.registration: "));
    for (key, value) in [
        ("public_url", "xr2.example.com"),
        ("public_url", "https://xr2.example.com/"),
        ("database", "mysql://x"),
        ("auth.session_days", "0"),
        ("auth.attempts_per_account", "0"),
        ("auth.argon2_memory_kib", "1"),
        ("auth.argon2_iterations", "0"),
        ("limits.content_bytes", "10"),
        ("postgres.max_connections", "1"),
    ] {
        let message = error(None, &[], &[(key, value)]);
        assert!(message.starts_with(&format!("{key}: ")), "{message}");
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let message = error(None, &[], &[("public_url", "nowhere"), ("auth.session_days", "0")]);
    assert!(message.contains("public_url: ") && message.contains("auth.session_days: "), "{message}");
}

#[test]
fn registration_depends_on_where_the_server_listens() {
    let of = |listen: &str| load(None, &[], &[("listen", listen)]).unwrap().registration();
    assert_eq!(of("127.0.0.1:8000"), Registration::Open);
    assert_eq!(of("[::1]:8000"), Registration::Open);
    assert_eq!(of("0.0.0.0:8000"), Registration::Invite);
    for behind_a_proxy in [("public_url", "https://xr2.example.com"), ("trusted_proxies", "127.0.0.1")] {
        let config = load(None, &[], &[("listen", "127.0.0.1:8000"), behind_a_proxy]).unwrap();
        assert_eq!(config.registration(), Registration::Invite, "{behind_a_proxy:?}");
    }
    let closed = load(None, &[], &[("auth.registration", "closed")]).unwrap();
    assert_eq!(closed.registration(), Registration::Closed);
}

#[test]
fn the_secret_key_is_generated_once_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().display().to_string();
    let config = load(None, &[], &[("data_dir", &data_dir)]).unwrap();
    let first = config.secret_key().unwrap();
    assert_eq!(config.secret_key().unwrap().check_value(), first.check_value());
    let path = directory.path().join("secret.key");
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777,
        0o600
    );
    std::fs::write(&path, "garbage").unwrap();
    let message = config.secret_key().unwrap_err().to_string();
    assert!(message.contains("64 hexadecimal digits"), "{message}");

    let given = [("secret_key", "zz"), ("data_dir", &data_dir)];
    let message = load(None, &[], &given).unwrap().secret_key().unwrap_err().to_string();
    assert!(message.starts_with("secret_key: ") && !message.contains("zz"), "{message}");
    let both = [("secret_key", "aa"), ("secret_key_file", "bb")];
    assert!(error(None, &[], &both).contains("not both"));
}
