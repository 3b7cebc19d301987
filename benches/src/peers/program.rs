//! Which program runs a peer: this one, or the same built once more.
//!
//! tokio's per-worker timers have no stable switch, and `--cfg tokio_unstable` changes its other flavours too. So
//! they are measured by a second build.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

const UNSTABLE: &str = "--cfg tokio_unstable";

/// Whether this program cannot measure it itself.
pub fn is_elsewhere(who: &str) -> bool {
    who == "tokio-alt" && !cfg!(tokio_unstable)
}

/// The program that measures a peer. `None` if it cannot be built; why is on stderr.
pub fn of(who: &str) -> Option<PathBuf> {
    static UNSTABLE_BUILD: OnceLock<Option<PathBuf>> = OnceLock::new();
    if is_elsewhere(who) {
        return UNSTABLE_BUILD.get_or_init(build).clone();
    }
    env::current_exe().ok()
}

fn build() -> Option<PathBuf> {
    eprintln!("\nbuilding with {UNSTABLE}");
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = package.join("target/tokio-unstable");
    let status = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", UNSTABLE)
        .status()
        .ok()?;
    let name = env!("CARGO_PKG_NAME");
    let program = target.join("release").join(name);
    status
        .success()
        .then(|| program.with_extension(env::consts::EXE_EXTENSION))
}
