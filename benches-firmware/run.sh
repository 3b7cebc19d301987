#!/bin/sh
# Builds, runs in QEMU, counts instructions, prints the table. Needs Debian's rustc-web, cargo-web,
# rust-web-src, qemu-system-arm, binutils; or rustup's thumbv7em-none-eabi in place of the first three.
set -e
cd "$(dirname "$0")"
target=thumbv7em-none-eabi
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR
flags="-Clink-arg=-Tlink.x -Clink-arg=-L$PWD"
build() {
    if rustup target list --installed 2>/dev/null | grep -q "$target"; then
        RUSTFLAGS="$flags" cargo build -q --release --target $target
    else
        lld=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
        env PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Clinker=$lld $flags" \
            /usr/bin/cargo build -q --release -Zbuild-std=core --target $target
    fi
}
work=$(mktemp -d)
for slots in 1 40; do
    SLOTS=$slots build
    cp "$CARGO_TARGET_DIR/$target/release/timer-future-benches-firmware" "$work/$slots.elf"
    qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native \
        -icount shift=0,sleep=off -singlestep -d exec,nochain,int -D "$work/$slots.log" -kernel "$work/$slots.elf"
done
python3 count.py "$work/40.elf" "$work/40.log" "$work/1.elf" "$work/1.log"
if [ -n "$KEEP" ]; then mv "$work" "$KEEP"; else rm -r "$work"; fi
