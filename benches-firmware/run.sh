#!/usr/bin/env bash
# Builds the images, runs each twice in QEMU, counts instructions, weighs, and writes MEASURED.md.
#
#     ./run.sh            everything: a few minutes
#     ./run.sh --check    what CI checks: ours, the promises (README.md); writes nothing
#
# Needs what .ci/install gets, and Python.
source "$(dirname "$0")/../.ci/lib.sh"
need cargo python3 qemu-system-arm
check=
if [ "${1:-}" = --check ]; then check=1; elif [ $# -gt 0 ]; then die "what is '$1'?"; fi
cd benches-firmware
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export PYTHONDONTWRITEBYTECODE=1
images=$CARGO_TARGET_DIR/images
rm -rf "$images"

# Debian's Rust brings no linker for bare metal.
linker=
for lld in "$(rustc --print sysroot 2>/dev/null)"/lib/rustlib/*/bin/rust-lld "$(command -v ld.lld)" \
    /usr/lib/llvm-*/bin/ld.lld; do
    if [ -x "$lld" ]; then linker="-Clinker=$lld" && break; fi
done

# image NAME BOARD TARGET ARGS... -- BINARIES...: those contenders, into $images/NAME.
image() {
    local name=$1 board=$2 target=$3 args=() bins=() binary
    shift 3
    while [ "$1" != -- ]; do args+=("$1") && shift; done
    shift
    for binary; do bins+=(--bin "$binary"); done
    echo "building $name: $*" >&2
    RUSTFLAGS="$linker -Clink-arg=-Tlink.x -Clink-arg=-L$PWD/boards/$board" \
        bare "$target" build -q --release "${args[@]}" "${bins[@]}"
    mkdir -p "$images/$name"
    for binary; do cp "$CARGO_TARGET_DIR/$target/release/$binary" "$images/$name"; done
}
m4() { image "$1" mps2-an386 thumbv7em-none-eabihf "${@:2}"; }
m0() { image "$1" microbit thumbv6m-none-eabi "${@:2}"; }
contenders=(timer_future embassy_time embassy_executor rtic_time floor)

N=40 m4 mps2-an386-40 -- "${contenders[@]}"
N=1 m4 mps2-an386-1 -- timer_future
N=1 m0 microbit-1 --no-default-features --features single-core -- timer_future
if [ -n "$check" ]; then
    N=40 m0 microbit-40 --no-default-features --features single-core -- timer_future
    exec python3 report.py "$images" --check
fi
N=40 m0 microbit-40 --features single-core -- "${contenders[@]}"
N=40 m0 microbit-cs-40 --features critical-section -- timer_future
for n in 40 8 1; do
    WEIGH=1 N=$n m4 mps2-an386-$n-weigh -- "${contenders[@]}" none embassy_none
done
python3 report.py "$images" >MEASURED.new
mv MEASURED.new MEASURED.md
cat MEASURED.md
