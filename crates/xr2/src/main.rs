//! The xr2 program: arguments and wiring, nothing else.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::Parser;

/// Answers are put together from many small pieces on few threads. With this allocator that costs a tenth less, and what
/// is allocated together stays together when the heap is large.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("xr2: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xr2: {error:#}");
            ExitCode::FAILURE
        }
    }
}
