"""Counts and weighs the images that run.sh has built; writes the tables, or checks what is promised.

    report.py IMAGES            prints MEASURED.md
    report.py IMAGES --check    prints the tables of what was built; status 1 if a promise is broken
"""
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import count
from elf import Elf

PENDING = (0, 7, 31, 38)
M4, M0 = "mps2-an386", "microbit"
# How long interrupts may be masked by us, in instructions.
MASKED_AT_MOST = {M4: 0, M0: 10}
DELAY = "a whole delay().await"

# column -> (directory of images, image); what is missing is left out
COLUMNS = {
    M4: {
        "timer-future": ("mps2-an386-40", "timer_future"),
        "timer-future, `N` = 1": ("mps2-an386-1", "timer_future"),
        "embassy-time, generic queue": ("mps2-an386-40", "embassy_time"),
        "embassy-time, integrated queue": ("mps2-an386-40", "embassy_executor"),
        "rtic-time": ("mps2-an386-40", "rtic_time"),
        "floor": ("mps2-an386-40", "floor"),
    },
    M0: {
        "timer-future": ("microbit-40", "timer_future"),
        "timer-future, `N` = 1": ("microbit-1", "timer_future"),
        "timer-future, `critical-section`": ("microbit-cs-40", "timer_future"),
        "embassy-time, generic queue": ("microbit-40", "embassy_time"),
        "embassy-time, integrated queue": ("microbit-40", "embassy_executor"),
        "rtic-time": ("microbit-40", "rtic_time"),
        "floor": ("microbit-40", "floor"),
    },
}
# What we set out to reach on the Cortex-M4.
AIMS = {
    "interrupt that fires one": "80 / 100 / 130",
    "start and poll, the latest": "130",
    "start and poll, the earliest": "160",
    "poll again": "60",
    "drop, the latest": "55",
    "drop, the earliest": "55",
    DELAY: "300 / 330 / 330",
}
WEIGHED = {
    # row -> (image, what it is weighed against, the sizes N it is built with)
    "timer-future": ("timer_future", "none", (40, 8)),
    "timer-future, `N` = 1": ("timer_future", "none", (1,)),
    "embassy-time, generic queue": ("embassy_time", "none", (40, 8)),
    "embassy-time, integrated queue": ("embassy_executor", "embassy_none", (40, 8)),
    "rtic-time": ("rtic_time", "none", (40, 8)),
    "floor": ("floor", "none", (40, 8)),
}


def measure(images, check):
    """board -> column -> (counts, sizes); every image runs twice, and must give the same counts. The check
    spares the peers the second time."""
    jobs = [(board, title, str(images / directory / name))
            for board, columns in COLUMNS.items() for title, (directory, name) in columns.items()
            if (images / directory / name).exists()]
    jobs += [job for job in jobs if not check or job[1].startswith("timer-future")]
    results = {}
    with ProcessPoolExecutor(2) as pool:
        runs = pool.map(count.count, [path for _, _, path in jobs], [board for board, _, _ in jobs])
        for (board, title, path), run in zip(jobs, runs):
            before = results.setdefault(board, {}).setdefault(title, run)
            if before != run:
                raise SystemExit(f"{path}: two runs differ\n{before}\n{run}")
    return results


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cells(columns, name, show):
    """One for each column: the operation with 0, 7 and 31 others pending, or with none."""
    for counts, _ in columns.values():
        yield " / ".join(show(counts[name, p]) for p in PENDING if (name, p) in counts)


def instructions(name):
    if name.startswith("interrupt"):
        return lambda c: str(c.handler) if c.interrupts else "none"
    if name == DELAY:
        return lambda c: str(c.task + c.handler)
    return lambda c: f"{c.task} + {c.handler}" if c.interrupts else str(c.task)


def tables(board, columns):
    operations = list(dict.fromkeys(name for counts, _ in columns.values() for name, _ in counts))
    rows = []
    for name in operations:
        rows.append([name, *cells(columns, name, instructions(name)), AIMS.get(name, "")])
        if name == DELAY:
            rows.append(["its interrupts", *cells(columns, DELAY, lambda c: str(c.interrupts)), "1"])
    head = ["instructions", *columns, "aim"]
    if board != M4:
        head, rows = head[:-1], [row[:-1] for row in rows]
    yield markdown(head, rows)
    rows = [[name, *cells(columns, name, lambda c: str(c.masked))] for name in operations]
    yield markdown(["longest run with interrupts masked", *columns], rows)


def weigh(images, results):
    rows = []
    for title, (name, base, sizes) in WEIGHED.items():
        weighed = [weigh_one(images, n, name, base) for n in sizes]
        slope = ""
        if len(sizes) == 2:
            slope = f"{(weighed[0][1] - weighed[1][1]) / (sizes[0] - sizes[1]):g}"
        future, task = results[M4][title][1]
        n = sizes[0]
        rows.append([title, weighed[0][0], f"{weighed[0][1]} (`N` = {n})" if slope != "0" else weighed[0][1],
                     slope, future, task])
    none, embassy = (Elf(images / "mps2-an386-40-weigh" / base).flash_and_ram() for base in ("none", "embassy_none"))
    return none, embassy, markdown(
        ["bytes, Cortex-M4", "flash", "static RAM", "for each of `N`", "a future", "a task's place"], rows)


def weigh_one(images, n, name, base):
    directory = images / f"mps2-an386-{n}-weigh"
    with_, without = (Elf(directory / image).flash_and_ram() for image in (name, base))
    return [a - b for a, b in zip(with_, without)]


def broken(results):
    """What was promised of ours and does not hold."""
    for board, columns in results.items():
        for title, (counts, _) in columns.items():
            if not title.startswith("timer-future") or "critical-section" in title:
                continue
            for (name, pending), c in counts.items():
                at = f"{board}, {title}: {name}, {pending} pending"
                if c.masked > MASKED_AT_MOST[board]:
                    yield f"{at}: {c.masked} instructions masked, at most {MASKED_AT_MOST[board]} are promised"
                if name == DELAY and c.interrupts != 1:
                    yield f"{at}: {c.interrupts} interrupts, 1 is promised"


def blind(results):
    """What is known of others and of the Cortex-M0 and was not seen: then nothing was seen of ours either."""
    rtic, embassy = results[M4]["rtic-time"][0], results[M4]["embassy-time, generic queue"][0]
    if rtic[DELAY, 0].interrupts != 2:
        yield "rtic-time pends a second interrupt for each delay; it was not counted"
    if min(c.masked for c in (rtic[DELAY, 0], embassy[DELAY, 0])) < 20:
        yield "rtic-time and embassy-time mask for longer than was counted"
    # `msr primask` is followed in another way.
    if not 3 <= results[M0]["timer-future"][0]["drop, the latest", 0].masked:
        yield "on a Cortex-M0 every compare-and-swap masks interrupts; it was not counted"


def versions(image):
    rustc = re.search(rb"rustc version [0-9.]+", image.read_bytes())[0].decode()
    lock = Path(__file__).with_name("Cargo.lock").read_text()
    found = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock))
    peers = ["embassy-time", "embassy-time-queue-utils", "embassy-executor", "rtic-time", "atomic-waker",
             "portable-atomic"]
    qemu = subprocess.run(["qemu-system-arm", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return ", ".join(f"{name} {found[name]}" for name in peers) + f"; {rustc}; {qemu}."


TEXT = """\
# Measured

Written by `./run.sh`; do not edit. How to read it, and how it is measured, is in README.md.

{versions}

## Cortex-M4 (mps2-an386, thumbv7em-none-eabihf)

With 0 / 7 / 31 other timers pending. *a + b*: *b* more in an interrupt that the operation pends itself.

{m4}
{m4_masked}
## Cortex-M0, no compare-and-swap (microbit, thumbv6m-none-eabi)

timer-future and the floor with portable-atomic's `unsafe-assume-single-core`, unless the column says otherwise.

{m0}
{m0_masked}
## Flash and RAM

An image with two tasks that await, minus the same image without timers ({none[0]} bytes of flash and {none[1]} of
RAM; under embassy-executor {embassy[0]} and {embassy[1]}).

{sizes}"""


def main():
    images, check = Path(sys.argv[1]), "--check" in sys.argv
    results = measure(images, check)
    faults = [*broken(results), *blind(results)]
    if check:
        for board, columns in results.items():
            print(f"{board}\n\n" + "\n".join(tables(board, columns)))
    else:
        m4, m4_masked = tables(M4, results[M4])
        m0, m0_masked = tables(M0, results[M0])
        none, embassy, sizes = weigh(images, results)
        print(TEXT.format(versions=versions(images / "mps2-an386-40" / "timer_future"), m4=m4, m4_masked=m4_masked,
                          m0=m0, m0_masked=m0_masked, none=none, embassy=embassy, sizes=sizes), end="")
    for fault in faults:
        print(fault, file=sys.stderr)
    if check and faults:
        sys.exit(1)


main()
