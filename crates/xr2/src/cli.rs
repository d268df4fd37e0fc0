//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use uuid::Uuid;
use xr2_server::config::Override;

/// A self-hosted headless CMS for AI prompts.
#[derive(Debug, Parser)]
#[command(name = "xr2", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What xr2 can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server
    Serve(Serve),
    /// Bring in prompts from a CSV file or a folder of Markdown patterns
    Import(Import),
    /// Help people who are locked out, and look after background jobs
    #[command(subcommand)]
    Admin(Admin),
    /// Ask a running server whether it is well; for containers
    Healthcheck(Healthcheck),
    /// Print the OpenAPI document
    Openapi,
    /// Print every setting with its default
    Config,
}

/// Where the server's settings come from. Flags beat environment (XR2_LISTEN, …) beats file.
#[derive(Debug, Args)]
pub struct Settings {
    /// Settings file; `xr2 config` prints all there are
    #[arg(long, value_name = "FILE", env = "XR2_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the embedded database and generated files [default: ./xr2-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// sqlite:PATH or postgres://… [default: SQLite in the data directory]
    #[arg(long, value_name = "ADDRESS")]
    pub database: Option<String>,
    /// redis://…, for several nodes on one PostgreSQL
    #[arg(long, value_name = "ADDRESS")]
    pub redis: Option<String>,
    /// Any other setting, such as --set auth.registration=closed
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl Settings {
    /// The flags as overrides of settings.
    pub fn overrides(&self) -> anyhow::Result<Vec<Override>> {
        let named = [("data_dir", &self.data_dir), ("database", &self.database), ("redis", &self.redis)];
        let mut all: Vec<Override> = named
            .into_iter()
            .filter_map(|(key, value)| value.clone().map(|value| Override { key: key.to_owned(), value }))
            .collect();
        for pair in &self.set {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| anyhow::anyhow!("--set {pair}: expected KEY=VALUE"))?;
            all.push(Override { key: key.trim().to_owned(), value: value.to_owned() });
        }
        Ok(all)
    }
}

/// `xr2 serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Settings
    #[command(flatten)]
    pub settings: Settings,
    /// Address and port [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Answer requests, and do nothing in the background (unless --worker is given as well)
    #[arg(long)]
    pub api: bool,
    /// Work in the background, all queues or those named, and answer nothing but probes (unless --api is given as well)
    #[arg(long, value_name = "QUEUES", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub worker: Option<String>,
    /// Speak TLS with this certificate and its chain (PEM); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<String>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<String>,
    /// Fill an empty server with a demo workspace and print how to sign in
    #[arg(long)]
    pub demo: bool,
    /// Also write what the demo prints, as JSON readable by you alone
    #[arg(long, value_name = "FILE", requires = "demo")]
    pub credentials_file: Option<PathBuf>,
}

impl Serve {
    /// Its own flags as overrides of settings.
    pub fn overrides(&self) -> Vec<Override> {
        let mut all = Vec::new();
        let mut set =
            |key: &str, value: &str| all.push(Override { key: key.to_owned(), value: value.to_owned() });
        if let Some(listen) = &self.listen {
            set("listen", listen);
        }
        if let Some(file) = &self.tls_certificate {
            set("tls.certificate", file);
        }
        if let Some(file) = &self.tls_key {
            set("tls.key", file);
        }
        match (self.api, self.worker.is_some()) {
            (true, true) => set("roles", "api,worker"),
            (true, false) => set("roles", "api"),
            (false, true) => set("roles", "worker"),
            (false, false) => {}
        }
        if let Some(queues) = &self.worker {
            set("queues", queues);
        }
        all
    }
}

/// `xr2 import`
#[derive(Debug, Args)]
pub struct Import {
    /// A CSV file (columns act or title, prompt or content, …), a Markdown file, or a folder of patterns
    pub path: PathBuf,
    /// Settings
    #[command(flatten)]
    pub settings: Settings,
    /// Workspace to import into; needed when there are several
    #[arg(long, value_name = "SLUG")]
    pub workspace: Option<String>,
    /// Only tell what would happen
    #[arg(long)]
    pub dry_run: bool,
    /// Import as versions that are not live yet
    #[arg(long)]
    pub no_publish: bool,
    /// How variables are written: dollar (${Name: default}), braces ({{ name }}), none [default: found out]
    #[arg(long, value_name = "NOTATION")]
    pub variables: Option<String>,
}

/// `xr2 admin`
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Set a new random password and print it; ends all sessions of that person
    ResetPassword(Person),
    /// Make somebody the operator of this server
    MakeOperator(Person),
    /// Print the set-up link, while nobody has an account yet
    SetupLink {
        /// Settings
        #[command(flatten)]
        settings: Settings,
    },
    /// List accounts
    ListUsers {
        /// Settings
        #[command(flatten)]
        settings: Settings,
    },
    /// List background jobs that were given up, or have them tried again
    Jobs(AdminJobs),
}

/// `xr2 admin jobs`
#[derive(Debug, Args)]
pub struct AdminJobs {
    /// Settings
    #[command(flatten)]
    pub settings: Settings,
    /// Have this one tried again; may be given several times
    #[arg(long, value_name = "ID", conflicts_with = "retry_all")]
    pub retry: Vec<Uuid>,
    /// Have all of them tried again
    #[arg(long)]
    pub retry_all: bool,
}

/// Somebody with an account.
#[derive(Debug, Args)]
pub struct Person {
    /// Their e-mail address
    pub email: String,
    /// Settings
    #[command(flatten)]
    pub settings: Settings,
}

/// `xr2 healthcheck`
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Settings
    #[command(flatten)]
    pub settings: Settings,
    /// Address of the server [default: the one it listens on]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
}
