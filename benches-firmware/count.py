"""Counts the instructions between mark_begin and mark_end in a QEMU log, and prints a table."""
import re
import subprocess
import sys

OPERATIONS = ["marks", "start and poll, the latest", "poll again", "drop", "start and poll, the earliest",
              "interrupt that fires one", "poll that is ready", "interrupt that fires one and sorts in another",
              "interrupt for nothing", "timeout: start, poll, drop", "delay: start, poll, interrupt, poll, drop"]
FLOOR = ["marks", "start and poll, the earliest", "poll again", "interrupt that fires one", "poll that is ready"]


def counts(elf, log):
    names = {}
    for line in subprocess.check_output(["nm", elf], text=True).splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[2] in ("mark_begin", "mark_end"):
            names[int(parts[0], 16) & ~1] = parts[2]
    running, count = False, 0
    for line in open(log):
        if not line.startswith("Trace"):
            continue
        name = names.get(int(re.search(r"\[[0-9a-f]+/([0-9a-f]+)/", line).group(1), 16))
        if name == "mark_begin":
            running, count = True, 0
        elif name == "mark_end":
            running = False
            yield count
        elif running:
            count += 1


def table(elf, log):
    """operation -> counts with 0, 7, 31 pending; and the floor."""
    all = list(counts(elf, log))
    floor, all = all[-len(FLOOR):], all[:-len(FLOOR)]
    groups = [all[i:i + len(OPERATIONS)] for i in range(0, len(all), len(OPERATIONS))]
    rows = {name: [g[i] - g[0] for g in groups] for i, name in enumerate(OPERATIONS)}
    return rows, {name: floor[i] - floor[0] for i, name in enumerate(FLOOR)}


many, _ = table(*sys.argv[1:3])
one, floor = table(*sys.argv[3:5])
print("| instructions | 0 pending | 7 | 31 | N = 1 | floor |")
print("| --- | --- | --- | --- | --- | --- |")
for name in OPERATIONS[1:]:
    cells = [*many[name], one[name][0], floor.get(name, "")]
    print("|", " | ".join(map(str, [name, *cells])), "|")
