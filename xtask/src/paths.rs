//! Where things stand in this checkout.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The root of the repository.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // At run time when cargo says so (a checkout can be moved), else what was compiled in.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        manifest.parent().map_or(manifest.clone(), Path::to_path_buf)
    })
}

/// Cargo's target directory.
pub fn target() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| match std::env::var_os("CARGO_TARGET_DIR") {
        Some(given) => root().join(given),
        None => root().join("target"),
    })
}

/// A place for what the commands themselves keep: logs, virtual environments, data of private services.
pub fn scratch() -> PathBuf {
    if target().starts_with(root()) {
        return target().join("xtask");
    }
    // Several checkouts share this target directory; they must not share what is kept here.
    let own = crate::stamp::sha256(root().to_string_lossy().as_bytes());
    target().join(format!("xtask-{}", &own[..8]))
}

/// The program cargo built under this name in the dev profile.
pub fn dev_binary(name: &str) -> PathBuf {
    target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The program cargo built under this name in the release profile.
pub fn release_binary(name: &str) -> PathBuf {
    target().join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The example cargo built under this name in the release profile.
pub fn release_example(name: &str) -> PathBuf {
    target().join("release").join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The folder of the collection of prompts that the import is tried on, where this machine has one.
///
/// It stands beside the checkout and is no part of it; `XR2_TEST_COLLECTION` names another place.
pub fn collection() -> Option<PathBuf> {
    let folder = match std::env::var_os("XR2_TEST_COLLECTION") {
        Some(given) => root().join(given),
        None => root().parent()?.join("shared").join("data"),
    };
    folder.is_dir().then_some(folder)
}
