# Sourced by every script in .ci: where we are, how to fail loudly, and which cargo builds for which
# target. Each script can be called alone, from anywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# A stage never changes the machine's toolchains: without this, rustup answers a missing target in
# rust-toolchain.toml by replacing `stable`.
export RUSTUP_AUTO_INSTALL=0
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

die() {
    printf 'ci: %s\n' "$*" >&2
    exit 1
}

# need TOOL...: stops with the name of the first one that is not there.
need() {
    local tool
    for tool; do
        command -v "$tool" >/dev/null || die "missing tool: $tool (.ci/install gets it)"
    done
}

# Debian's own Rust, with the sources of core and std; used where rustup has no target to offer.
debian_rust() {
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] &&
        [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/core" ]
}

# has_toolchain NAME: rustup has it installed.
has_toolchain() {
    command -v rustup >/dev/null && rustup toolchain list | grep -qE "^$1(-| |\$)"
}

nightly_rust() {
    has_toolchain nightly && [ -e "$(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library/core" ]
}

# build_std ARGS...: a cargo that can build core and std from source. rustup's proxies come first on
# PATH, hence the short one. Its artefacts stay apart from those of the stable toolchain.
build_std() {
    if debian_rust; then
        env PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 \
            CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target/build-std}" /usr/bin/cargo "$@"
    elif nightly_rust; then
        CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target/build-std}" cargo +nightly "$@"
    else
        die "no Rust here can build core from source: wants Debian's rust-web-src," \
            "or 'rustup toolchain install nightly --component rust-src' (.ci/install)"
    fi
}

# bare TARGET ARGS...: cargo for a bare-metal target. A target that rustup installed is used as it is,
# for the others core is built from source (CROSS=build-std does so always).
bare() {
    local target=$1
    shift
    if [ "${CROSS:-}" != build-std ] && command -v rustup >/dev/null &&
        rustup target list --installed | grep -qx "$target"; then
        cargo "$@" --target "$target"
    else
        build_std "$@" -Zbuild-std=core --target "$target"
    fi
}
