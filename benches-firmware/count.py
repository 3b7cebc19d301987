"""Counts the instructions between mark_begin and mark_end in a QEMU log."""
import re, subprocess, sys

elf, log = sys.argv[1:3]
names = {}
for line in subprocess.check_output(["nm", elf], text=True).split("\n"):
    parts = line.split()
    if len(parts) == 3 and parts[2] in ("mark_begin", "mark_end"):
        names[int(parts[0], 16) & ~1] = parts[2]
counts, running, count = [], False, 0
for line in open(log):
    if not line.startswith("Trace"):
        continue
    pc = int(re.search(r"\[[0-9a-f]+/([0-9a-f]+)/", line).group(1), 16)
    name = names.get(pc)
    if name == "mark_begin":
        running, count = True, 0
    elif name == "mark_end":
        running = False
        counts.append(count)
    elif running:
        count += 1
labels = ["marks", "register latest", "re-poll", "drop", "register earliest", "handler fires one",
          "ready poll", "fires one + inbox", "idle handler", "timeout arm+cancel", "whole delay"]
groups = [counts[i:i + len(labels)] for i in range(0, len(counts), len(labels))]
for i, label in enumerate(labels):
    print(f"{label:20}", *(f"{g[i] - g[0]:6}" for g in groups))
