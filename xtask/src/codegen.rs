//! `cargo xtask codegen`: what is derived from the server's routes and kept in the repository.

use crate::paths::root;
use crate::process::Run;
use crate::{dashboard, paths};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/openapi.json";
const TYPES: &str = "web/src/api/schema.d.ts";

/// Writes both files, or with `--check` says which of them is stale.
pub fn run(arguments: &[String]) -> Result<bool> {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        _ => bail!("codegen knows `--check` and nothing else"),
    };
    crate::tools::require_node()?;
    let web = dashboard::folder();
    if !dashboard::packages_are_current(&web)? {
        dashboard::install(&web).visibly()?;
        dashboard::keep_packages_stamp(&web)?;
    }
    Run::cargo("build").args(["--package", "xr2"]).visibly()?;
    let fresh = generate(&paths::dev_binary("xr2"))?;
    if check {
        let stale = fresh.stale()?;
        for path in &stale {
            println!("{path} is stale; run `cargo xtask codegen`");
        }
        return Ok(stale.is_empty());
    }
    fresh.write()?;
    Ok(true)
}

/// The two texts as they should be.
pub struct Fresh {
    document: String,
    types: String,
}

/// Asks `binary` for its OpenAPI document and derives the client's types from that.
pub fn generate(binary: &Path) -> Result<Fresh> {
    let mut document = Run::new(binary).arg("openapi").stdout()?;
    if !document.ends_with('\n') {
        document.push('\n');
    }
    let folder = paths::scratch().join(format!("codegen-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let types = derive_types(&folder, &document);
    std::fs::remove_dir_all(&folder)?;
    Ok(Fresh { document, types: types? })
}

fn derive_types(folder: &Path, document: &str) -> Result<String> {
    let (input, output) = (folder.join("openapi.json"), folder.join("schema.d.ts"));
    std::fs::write(&input, document)?;
    let program: PathBuf = dashboard::folder().join("node_modules/.bin/openapi-typescript");
    Run::new(program).arg(&input).arg("--output").arg(&output).within(dashboard::folder()).stdout()?;
    std::fs::read_to_string(&output).context("openapi-typescript wrote nothing")
}

impl Fresh {
    fn files(&self) -> [(&'static str, &str); 2] {
        [(DOCUMENT, &self.document), (TYPES, &self.types)]
    }

    /// The files in the repository that differ from what they should be.
    pub fn stale(&self) -> Result<Vec<&'static str>> {
        let differs = |path: &str, text: &str| match std::fs::read_to_string(root().join(path)) {
            Ok(kept) => Ok(kept != text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error).with_context(|| format!("cannot read {path}")),
        };
        let mut stale = Vec::new();
        for (path, text) in self.files() {
            if differs(path, text)? {
                stale.push(path);
            }
        }
        Ok(stale)
    }

    fn write(&self) -> Result<()> {
        for (path, text) in self.files() {
            let file = root().join(path);
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&file, text).with_context(|| format!("cannot write {path}"))?;
            println!("wrote {path}");
        }
        Ok(())
    }
}
