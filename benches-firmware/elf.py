"""The little of an ELF file that is needed here: 32-bit, little-endian."""
import struct


class Elf:
    def __init__(self, path):
        self.data = open(path, "rb").read()
        assert self.data[:6] == b"\x7fELF\x01\x01", path
        offset, = struct.unpack_from("<I", self.data, 0x20)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x2E)
        # name, type, flags, address, offset, size, link
        headers = [struct.unpack_from("<7I", self.data, offset + i * size) for i in range(count)]
        self.sections = [(self._string(headers[names][4] + h[0]), *h[1:]) for h in headers]

    def _string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def functions(self):
        """name -> (first address, address after the last)"""
        found = {}
        for _, kind, _, _, offset, size, link in self.sections:
            if kind != 2:
                continue
            for at in range(offset, offset + size, 16):
                name, value, length, info = struct.unpack_from("<IIIB", self.data, at)
                if info & 15 == 2:
                    found[self._string(self.sections[link][4] + name)] = (value & ~1, (value & ~1) + length)
        return found

    def halfword(self, address):
        for _, kind, flags, start, offset, size, _ in self.sections:
            if kind == 1 and flags & 4 and start <= address < start + size:
                return struct.unpack_from("<H", self.data, offset + address - start)[0]
        raise ValueError(f"no code at {address:#x}")

    def flash_and_ram(self):
        """Bytes that are loaded, and bytes that are written to: .data counts in both, the stack in none."""
        flash = ram = 0
        for name, kind, flags, start, _, size, _ in self.sections:
            if not flags & 2:
                continue
            if kind != 8:
                flash += size
            if flags & 1:
                ram += size
        return flash, ram
