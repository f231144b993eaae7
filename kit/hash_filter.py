"""A file that remembers SHA-1 hashes in two bytes each: it never denies one of its own, and mistakes few others.

It is a Bloom filter (CACM 13, 7; 1970), after a header of HEADER bytes. Of a hash, the first four bytes choose
a window of the filter, the other sixteen choose PROBES bits in that window. So hashes that come in order fill the file
from its start to its end.
Processes map the file into memory and share it.
"""

import mmap
import os
import re
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

SIZE = 20  # bytes of a SHA-1 hash
PROBES = 8
BYTES_PER_HASH = 2
WINDOW = 8192  # bytes: 16 bits can count its bits
SMALLEST = 64  # bytes, of a filter for few hashes
BIT = (1, 2, 4, 8, 16, 32, 64, 128)  # looked up, which is quicker than shifting

SPLIT = struct.Struct(f">I{PROBES}H")  # a hash: its window, and its bits
HEAD = struct.Struct(">8sHQQ")  # MAGIC, VERSION, hashes, bytes of the filter; then the CRC-32 of these
HEADER = 32  # bytes
MAGIC, VERSION = b"sha1bits", 1

CHUNK = 1 << 20  # bytes read at once
COPIED = 1 << 23  # bytes of the filter that are copied at most, to be filled more quickly than in the file
# SHA-1 in hex, and perhaps how often it was seen; any other line, whole, is found as an empty hash. Nothing may be
# tried in a second way from the middle of a line: long ones would take hours.
LINE = re.compile(rb"^(?:([0-9A-Fa-f]{40})(?::\d++)?[ \t]*+\r?$|[^\r\n].*+|\r.++)", re.MULTILINE)


class Unusable(Exception):
    """The file is no filter, or is damaged; the text says how."""


class HashFilter:
    """The filter in the file at `path`, mapped into memory. `count` is the number of hashes it was made for.

    Raises Unusable if the file is no filter or has been cut off, and OSError if it can't be read.
    """

    def __init__(self, path: str | Path) -> None:
        with open(path, "rb") as file:  # noqa: PTH123 also of a file descriptor's path
            self.count, size = _read_head(file)
            self._bits = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._window, self._places, self._shift = _layout(size)

    def __contains__(self, digest: bytes) -> bool:
        """Returns whether the SHA-1 hash `digest`, 20 bytes, was added; for few others also True, by mistake."""
        start, *bits = SPLIT.unpack(digest)
        base = HEADER + (start * self._places >> 32)
        return all(self._bits[base + (bit >> self._shift)] >> (bit & 7) & 1 for bit in bits)

    def expected_mistakes(self, looks: int = 1_000) -> float:
        """Returns which share of other hashes the filter is expected to take for its own.

        That is computed from how many bits are set in windows that are spread over it, no more than `looks`.
        """
        starts = range(HEADER, HEADER + self._places, -(-self._places // looks))
        windows = (int.from_bytes(self._bits[start : start + self._window]) for start in starts)
        return sum((window.bit_count() / (8 * self._window)) ** PROBES for window in windows) / len(starts)

    def measured_mistakes(self, tries: int = 100_000) -> float:
        """Returns which share of `tries` random hashes the filter takes for its own."""
        return sum(os.urandom(SIZE) in self for _ in range(tries)) / tries


def build(path: str | Path, hashes: Iterable[bytes], count: int, progress: Callable[[int], None]) -> int:
    """Writes a filter for `count` hashes to `path`, and returns how many it has added.

    Each of `hashes` is any number of SHA-1 hashes, 20 bytes each, one after the other; `progress` is called with how
    many are added so far. The file takes its place when it is whole; until then, and whatever is raised, there is what
    was there before. Raises OSError if it can't be written.
    """
    target = Path(path)
    size = max(SMALLEST, BYTES_PER_HASH * count - HEADER)
    descriptor, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "r+b") as file:
            added = _fill(file, size, hashes, progress)
            file.seek(0)
            file.write(_head(added, size))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)  # mkstemp lets only its own user read: web servers have another
        Path(draft).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(draft).unlink()
        raise
    return added


def read_lines(file: BinaryIO, bad: Callable[[int], None]) -> Iterator[bytes]:
    """Yields the hashes of a list, many at once, 20 bytes each. Its lines are SHA-1 in hex, perhaps with ":count".

    Calls `bad` with the number of lines that are neither that nor empty. Memory stays flat, whatever the file holds.
    """
    rest = b""
    while chunk := file.read(CHUNK):
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        if not newline and len(rest) > CHUNK:
            rest = b"?"  # no line is that long: what follows, up to its end, is no hash either
        yield _hashes_in(whole, bad)
    yield _hashes_in(rest, bad)


def _hashes_in(lines: bytes, bad: Callable[[int], None]) -> bytes:
    found: list[bytes] = LINE.findall(lines)
    if wrong := found.count(b""):
        bad(wrong)
    return bytes.fromhex(b"".join(found).decode())


def _fill(file: BinaryIO, size: int, hashes: Iterable[bytes], progress: Callable[[int], None]) -> int:
    """Writes the bits of `hashes` into `file`, after a header of zeros, and returns how many they were."""
    # Written, not only promised: on a full disk a mapped page would end the process without a word.
    file.writelines(bytes(min(CHUNK, HEADER + size - start)) for start in range(0, HEADER + size, CHUNK))
    file.flush()
    added = 0
    with mmap.mmap(file.fileno(), 0) as bits:
        for some in hashes:
            _add(bits, some, size)
            added += len(some) // SIZE
            progress(added)
        bits.flush()
    return added


def _add(bits: mmap.mmap, hashes: bytes, size: int) -> None:
    """Sets the bits of `hashes`. In a sorted list they lie close together: then a copy of that part is filled."""
    window, places, shift = _layout(size)
    starts = [HEADER + (start * places >> 32) for start, *_bits in SPLIT.iter_unpack(hashes)]
    first, end = min(starts, default=0), max(starts, default=0) + window
    if end - first > COPIED:
        _set(bits, 0, starts, hashes, shift)
    else:
        part = bytearray(bits[first:end])
        _set(part, first, starts, hashes, shift)
        bits[first:end] = bytes(part)


def _set(bits: bytearray | mmap.mmap, first: int, starts: list[int], hashes: bytes, shift: int) -> None:
    # No inner loop: this is what a list of a billion hashes waits for.
    for start, (_start, one, two, three, four, five, six, seven, eight) in zip(
        starts, SPLIT.iter_unpack(hashes), strict=True
    ):
        base = start - first
        bits[base + (one >> shift)] |= BIT[one & 7]
        bits[base + (two >> shift)] |= BIT[two & 7]
        bits[base + (three >> shift)] |= BIT[three & 7]
        bits[base + (four >> shift)] |= BIT[four & 7]
        bits[base + (five >> shift)] |= BIT[five & 7]
        bits[base + (six >> shift)] |= BIT[six & 7]
        bits[base + (seven >> shift)] |= BIT[seven & 7]
        bits[base + (eight >> shift)] |= BIT[eight & 7]


def _layout(size: int) -> tuple[int, int, int]:
    """Returns the shape of a filter of `size` bytes.

    That is the bytes of a window, at how many places a window can begin, and by how many bits a number of 16 bits must
    be shifted to choose a byte of the window; its last three bits choose one of that byte.
    """
    window = min(WINDOW, 1 << (size.bit_length() - 1))
    return window, size - window + 1, 17 - window.bit_length()


def _head(count: int, size: int) -> bytes:
    fields = HEAD.pack(MAGIC, VERSION, count, size)
    return (fields + zlib.crc32(fields).to_bytes(4, "big")).ljust(HEADER, b"\0")


def _read_head(file: BinaryIO) -> tuple[int, int]:
    """Returns the number of hashes and the bytes of the filter. Raises Unusable, or OSError if it can't be read."""
    head = file.read(HEADER)
    if not head.startswith(MAGIC):
        raise Unusable("is not a filter of hashes")
    if len(head) < HEADER:
        raise Unusable("has been cut off")
    _magic, version, count, size = HEAD.unpack_from(head)
    if head != _head(count, size):
        raise Unusable("is damaged" if version == VERSION else f"is of version {version}, which this site can't read")
    if (there := os.fstat(file.fileno()).st_size) != HEADER + size:
        raise Unusable(f"has {there:,} bytes, not {HEADER + size:,}: it has been cut off or is damaged")
    return count, size
