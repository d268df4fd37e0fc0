//! The commands of the repository: `cargo xtask run`, `test`, `bench`, `dist`, `codegen`, `layout`, `checksums`.
#![expect(clippy::print_stdout, reason = "a command line tool talks on standard output")]

use anyhow::{Result, bail};

mod bench;
mod codegen;
mod dashboard;
mod dist;
mod layout;
mod paths;
mod process;
mod run;
mod services;
mod stamp;
mod summary;
mod test;
mod tools;

const HELP: &str = "\
cargo xtask <command>

  run [-- ARGS]             build the dashboard and the release binary, start `xr2 serve --demo` with data in ./xr2-data
  test [OPTIONS] [FILTER]   every check there is; the last line is `N passed, N failed`
      --only AREA             rust, web, sdks, e2e or lint; may be given several times, or as a list with commas
      --verbose               show the output of every step as it comes
      --list                  name the steps and stop
  bench [NAME] [-- ARGS]    measure (bench/README.md says what there is) into bench/results/
  dist                      the release archive: dist/xr2-<version>-<target>.tar.gz
  codegen [--check]         docs/openapi.json and the dashboard's typed client, from the server's routes
  with-engines COMMAND…     the command beside a private PostgreSQL and Redis, for working on one test
  layout                    the rules about where things stand, alone
  checksums                 list the migrations that are not yet in the list of checksums
";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(true) => {}
        Ok(false) => std::process::exit(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::exit(1);
        }
    }
}

/// Runs one command; `false` means that it ran and found something wrong.
fn dispatch(arguments: &[String]) -> Result<bool> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(false);
    };
    match command.as_str() {
        "run" => run::run(rest).map(|()| true),
        "test" => test::run(rest),
        "bench" => bench::run(rest).map(|()| true),
        "dist" => no_arguments(rest).and_then(|()| dist::run()).map(|()| true),
        "codegen" => codegen::run(rest),
        "with-engines" => services::with_engines(rest),
        "layout" => no_arguments(rest).and_then(|()| layout::run()),
        "checksums" => no_arguments(rest).and_then(|()| layout::checksums::append_missing()).map(|()| true),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(true)
        }
        other => bail!("there is no command `{other}`; `cargo xtask help` lists them"),
    }
}

fn no_arguments(rest: &[String]) -> Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(first) => bail!("`{first}` is not understood here; `cargo xtask help` lists what is"),
    }
}
