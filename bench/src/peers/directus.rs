//! Directus: a collection of prompts, an item read by a filter on its slug with a static token.

use super::{Peer, Same, TEMPLATE, post};
use crate::server::Server;
use anyhow::{Result, bail};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

const TOKEN: &str = "bench-token-of-the-administrator";

pub async fn start(installed: &Path) -> Result<Peer> {
    let folder = installed.join("directus");
    let database = folder.join("bench.sqlite3");
    let _ = std::fs::remove_file(&database);
    let status = command(&folder, &database, 0, "bootstrap").stdout(Stdio::null()).status()?;
    if !status.success() {
        bail!("its database could not be made");
    }
    let server =
        Server::start("/server/ping", |_, port| Ok(command(&folder, &database, port, "start"))).await?;
    let collection = json!({
        "collection": "prompts", "schema": {}, "meta": {},
        "fields": [
            {"field": "id", "type": "integer", "schema": {"is_primary_key": true, "has_auto_increment": true}},
            {"field": "slug", "type": "string", "schema": {"is_unique": true}},
            {"field": "content", "type": "text", "schema": {}},
        ],
    });
    post(server.port, "/collections", TOKEN, &collection).await?;
    let item = json!({"slug": "support-reply", "content": TEMPLATE});
    post(server.port, "/items/prompts", TOKEN, &item).await?;
    let work = Same::get("/items/prompts?filter[slug][_eq]=support-reply&limit=1", TOKEN);
    Ok(Peer { name: "Directus", server, work, rows: Vec::new() })
}

fn command(folder: &Path, database: &Path, port: u16, what: &str) -> Command {
    let modules = folder.join("node_modules");
    let mut command = Command::new(folder.join("node"));
    command
        .arg(modules.join("directus/cli.js"))
        .arg(what)
        .current_dir(folder)
        .env("DB_CLIENT", "sqlite3")
        .env("DB_FILENAME", database)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("KEY", "bench")
        .env("SECRET", "a secret for a benchmark on loopback only")
        .env("ADMIN_EMAIL", "admin@example.com")
        .env("ADMIN_PASSWORD", "correct horse battery staple")
        .env("ADMIN_TOKEN", TOKEN)
        .env("TELEMETRY", "false");
    command
}
