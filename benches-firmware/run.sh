#!/bin/sh
# Builds, runs in QEMU and prints the table. Needs rustup's thumbv7em-none-eabi, or Debian's rustc (cross.md).
set -e
cd "$(dirname "$0")"
target=thumbv7em-none-eabi
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR
lld=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
env PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-Clinker=$lld -Clink-arg=-Tlink.x -Clink-arg=-L$PWD" \
    /usr/bin/cargo build -q --release -Zbuild-std=core --target $target
elf=$CARGO_TARGET_DIR/$target/release/timer-future-benches-firmware
log=$(mktemp)
qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native \
    -icount shift=0,sleep=off -singlestep -d exec,nochain,int -D "$log" -kernel "$elf"
python3 count.py "$elf" "$log"
[ -n "$KEEP_LOG" ] && mv "$log" "$KEEP_LOG" || rm -f "$log"
