//! MLflow: a prompt of its registry read by an alias. A prompt is a registered model with tags there.

use super::{Peer, Same, TEMPLATE, post};
use crate::server::Server;
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const ROUTES: &str = "/api/2.0/mlflow";

pub async fn start(installed: &Path) -> Result<Peer> {
    let folder = installed.join("mlflow/bin");
    let server = Server::start("/health", |_, port| {
        let path = std::env::join_paths(
            [folder.clone()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        )?;
        let mut command = Command::new(folder.join("mlflow"));
        // It starts uvicorn by name.
        command.env("PATH", path).args(["server", "--host", "127.0.0.1", "--port", &port.to_string()]);
        Ok(command)
    })
    .await?;
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    let model = json!({"name": "support-reply", "tags": tags});
    post(server.port, &format!("{ROUTES}/registered-models/create"), "none", &model).await?;
    let version = json!({
        "name": "support-reply", "source": "prompt-template",
        "tags": [
            {"key": "mlflow.prompt.is_prompt", "value": "true"},
            {"key": "mlflow.prompt.text", "value": TEMPLATE},
        ],
    });
    post(server.port, &format!("{ROUTES}/model-versions/create"), "none", &version).await?;
    let alias = json!({"name": "support-reply", "alias": "production", "version": "1"});
    post(server.port, &format!("{ROUTES}/registered-models/alias"), "none", &alias).await?;
    let work =
        Same::get(&format!("{ROUTES}/registered-models/alias?name=support-reply&alias=production"), "none");
    Ok(Peer { name: "MLflow", server, work, rows: Vec::new() })
}
