"""Runs an image in QEMU, which logs every instruction; counts those between the marks, and the masked ones.

PRIMASK is followed by decoding what is executed: `cpsid i` and `cpsie i`; `msr primask, rN` with the value that
rN has there (QEMU logs the registers, when asked to). The run with interrupts masked is the instructions
after the one that masks, up to and including the one that unmasks. A handler is not masked by being one.
"""
import os
import re
import subprocess
import tempfile

from elf import Elf

TRACE = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/")
REWOUND = re.compile(r"cpu_io_recompile: rewound execution of TB to ([0-9a-f]+)")
STOPPED = re.compile(r"Stopped execution of TB chain before \S+ \[([0-9a-f]+)\]")
REGISTER = re.compile(r"R(\d\d)=([0-9a-f]+)")


class Count:
    """One operation: instructions of the task, of interrupt handlers; how many of the latter; the longest
    masked run."""

    def __init__(self):
        self.task = self.handler = self.interrupts = self.masked = 0

    def __repr__(self):
        return f"{self.task} {self.handler} {self.interrupts} {self.masked}"

    def __eq__(self, other):
        return repr(self) == repr(other)


class Machine:
    def __init__(self, elf):
        self.elf = elf
        functions = elf.functions()
        self.marks = {functions[name][0]: name for name in ("mark_begin", "mark_end")}
        # Neither the marks nor what stands for hardware is counted.
        self.apart = [r for name, r in functions.items() if name.startswith(("mark_", "hardware_"))]
        assert len(self.apart) == 6, functions
        self.kinds = {}
        self.last = None  # the instruction before this line: its address, and registers if logged
        self.depth = self.run = 0
        self.masked = False
        self.current = None
        self.counts = []

    def kind(self, address):
        if address not in self.kinds:
            first = self.elf.halfword(address)
            kind = None
            if first in (0xB672, 0xB662):
                kind = "mask" if first == 0xB672 else "unmask"
            elif first & 0xFFF0 == 0xF380 and self.elf.halfword(address + 2) == 0x8810:
                kind = first & 15
            elif first & 0xFFF0 == 0xF380 and self.elf.halfword(address + 2) & 0xFF in (0x11, 0x12):
                raise ValueError(f"BASEPRI is written at {address:#x}: not followed here")
            self.kinds[address] = kind, any(a <= address < b for a, b in self.apart)
        return self.kinds[address]

    def execute(self):
        """The last instruction was really executed."""
        if self.last is None:
            return
        address, registers = self.last
        self.last = None
        mark = self.marks.get(address)
        if mark == "mark_begin":
            assert not self.masked and not self.depth
            self.current = Count()
        elif mark == "mark_end":
            assert not self.masked and not self.depth
            self.counts.append(self.current)
            self.current = None
        kind, apart = self.kind(address)
        if self.current is not None and not apart:
            if self.depth:
                self.current.handler += 1
            else:
                self.current.task += 1
            if self.masked:
                self.run += 1
                self.current.masked = max(self.current.masked, self.run)
        if kind is None:
            return
        masked = registers[kind] & 1 == 1 if isinstance(kind, int) else kind == "mask"
        if masked != self.masked:
            self.masked, self.run = masked, 0

    def line(self, line):
        if match := TRACE.match(line):
            self.execute()
            self.last = int(match[1], 16), {}
        elif line.startswith("R"):
            # Logged after the instruction's address, before it runs.
            if self.last and isinstance(self.kind(self.last[0])[0], int):
                for number, value in REGISTER.findall(line):
                    self.last[1][int(number)] = int(value, 16)
        elif match := REWOUND.match(line) or STOPPED.match(line):
            # It comes once more.
            if self.last and self.last[0] == int(match[1], 16):
                self.last = None
        elif line.startswith("...taking pending"):
            self.execute()
            assert not self.masked
            self.depth += 1
            if self.current is not None:
                self.current.interrupts += 1
        elif line.startswith("Exception return"):
            self.execute()
            self.depth -= 1


def uses_msr(elf):
    text = next(s for s in elf.sections if s[0] == ".text")
    code = elf.data[text[4]:text[4] + text[5]]
    return re.search(rb"[\x80-\x8f]\xf3\x10\x88", code) is not None


def step_flags():
    """QEMU renamed the option."""
    text = subprocess.run(["qemu-system-arm", "-help"], capture_output=True, text=True).stdout
    return ["-accel", "tcg,one-insn-per-tb=on"] if "one-insn-per-tb" in text else ["-singlestep"]


def count(path, board):
    """(operation, others pending) -> Count, without what the marks themselves cost; and the bytes of a future,
    and those of a task."""
    elf = Elf(path)
    machine = Machine(elf)
    log = "exec,nochain,int" + (",cpu" if uses_msr(elf) else "")
    with tempfile.TemporaryFile("w+") as console:
        # A pipe of its own for the log: QEMU writes it by lines, and stderr in smaller pieces.
        read, write = os.pipe()
        qemu = subprocess.Popen(
            ["timeout", "120", "qemu-system-arm", "-M", board, "-nographic", "-semihosting-config",
             "enable=on,target=native", "-icount", "shift=0,sleep=off", *step_flags(), "-d", log,
             "-D", f"/dev/fd/{write}", "-kernel", path],
            stdin=subprocess.DEVNULL, stdout=console, pass_fds=[write])
        os.close(write)
        with open(read, errors="replace") as lines:
            for line in lines:
                machine.line(line)
        status = qemu.wait()
        console.seek(0)
        lines = console.read().splitlines()
    if status:
        raise SystemExit(f"{path}: status {status} after {lines[-1:]}")
    sizes = next([int(n) for n in line.split()[1:]] for line in lines if line.startswith("bytes "))
    names = [tuple(line.split("|")) for line in lines if "|" in line]
    counts, marks = {}, None
    assert len(names) == len(machine.counts), (len(names), len(machine.counts))
    for (name, pending), c in zip(names, machine.counts):
        if name == "the marks":
            marks = c
            assert not c.handler and not c.masked
            continue
        c.task -= marks.task
        counts[name, int(pending)] = c
    return counts, sizes
