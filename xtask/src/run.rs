//! `cargo xtask run`: from a checkout to a running server.

use crate::process::Run;
use crate::{dashboard, paths};
use anyhow::{Result, bail};

/// Builds what is out of date, then becomes the server.
pub fn run(arguments: &[String]) -> Result<()> {
    let extra = match arguments.split_first() {
        None => &[],
        Some((first, rest)) if first == "--" => rest,
        Some((first, _)) => bail!("`{first}` is not understood here; what is meant for xr2 goes behind `--`"),
    };
    dashboard::build()?;
    build_release()?;
    let server =
        Run::new(paths::release_binary("xr2")).args(["serve", "--demo"]).args(with_data_folder(extra));
    become_program(&server)
}

/// The release build of the server with the dashboard inside.
pub fn build_release() -> Result<()> {
    Run::cargo("build").args(["--release", "--package", "xr2", "--features", "ui"]).visibly()
}

/// Data goes to `./xr2-data` unless the caller says otherwise.
fn with_data_folder(extra: &[String]) -> Vec<String> {
    let given = extra.iter().any(|argument| argument == "--data-dir" || argument.starts_with("--data-dir="));
    let mut arguments = if given { Vec::new() } else { vec!["--data-dir".into(), "./xr2-data".into()] };
    arguments.extend_from_slice(extra);
    arguments
}

/// Hands this process over, so that Ctrl-C and the exit status are the server's own.
fn become_program(server: &Run) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let mut command = server.command();
    command.stdin(std::process::Stdio::inherit());
    let error = command.exec();
    bail!("cannot start `{}`: {error}", server.shown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_stands_in_the_checkout_unless_told_otherwise() {
        assert_eq!(with_data_folder(&["--listen=:1".into()]), ["--data-dir", "./xr2-data", "--listen=:1"]);
        assert_eq!(with_data_folder(&["--data-dir=x".into()]), ["--data-dir=x"]);
    }
}
