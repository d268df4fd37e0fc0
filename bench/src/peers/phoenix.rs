//! Arize Phoenix: a prompt read by its name, newest version.

use super::{Peer, Same, TEMPLATE, post};
use crate::server::Server;
use anyhow::Result;
use serde_json::json;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

pub async fn start(installed: &Path) -> Result<Peer> {
    let program = installed.join("phoenix/bin/phoenix");
    let traces = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let server = Server::start("/healthz", |folder, port| {
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", port.to_string())
            .env("PHOENIX_GRPC_PORT", traces.to_string())
            .env("PHOENIX_WORKING_DIR", folder)
            .env("PHOENIX_TELEMETRY_ENABLED", "false");
        Ok(command)
    })
    .await?;
    let prompt = json!({
        "prompt": {"name": "support-reply"},
        "version": {
            "model_provider": "OPENAI", "model_name": "gpt-4o",
            "template": {"type": "chat", "messages": [{"role": "user", "content": TEMPLATE}]},
            "template_type": "CHAT", "template_format": "MUSTACHE",
            "invocation_parameters": {"type": "openai", "openai": {}},
        },
    });
    post(server.port, "/v1/prompts", "none", &prompt).await?;
    let work = Same::get("/v1/prompts/support-reply/latest", "none");
    Ok(Peer { name: "Phoenix", server, work, rows: Vec::new() })
}
