"""The file of hashes: none of its own is denied, few others are taken for one, and a damaged file is told."""

import hashlib
import io
import random

import pytest

from kit import hash_filter
from kit.hash_filter import HashFilter, Unusable


def sha1(text):
    return hashlib.sha1(text.encode(), usedforsecurity=False).digest()


def make(path, hashes, count=None):
    return hash_filter.build(path, [b"".join(hashes)], len(hashes) if count is None else count, lambda _done: None)


@pytest.mark.parametrize("count", [1, 50, 1_000, 30_000])
@pytest.mark.parametrize("order", [sorted, list], ids=["sorted", "as it comes"])
def test_every_hash_is_found_and_two_bytes_are_enough(tmp_path, count, order):
    hashes = order(sha1(str(n)) for n in range(count))

    assert make(tmp_path / "filter", hashes) == count

    known = HashFilter(tmp_path / "filter")
    assert all(one in known for one in hashes)
    assert known.count == count
    assert (tmp_path / "filter").stat().st_size <= max(2 * count, hash_filter.HEADER + hash_filter.SMALLEST)


def test_few_others_are_taken_for_one_of_them(tmp_path):
    make(tmp_path / "filter", [sha1(str(n)) for n in range(100_000)])

    known = HashFilter(tmp_path / "filter")

    assert sum(sha1(f"other {n}") in known for n in range(100_000)) < 100  # of a thousand fewer than one
    assert known.measured_mistakes(20_000) < 0.002
    assert 0.0004 < known.expected_mistakes() < 0.001


def test_parts_that_lie_far_apart_are_filled_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(hash_filter, "COPIED", 0)
    hashes = [sha1(str(n)) for n in range(5_000)]
    make(tmp_path / "in the file", hashes)
    monkeypatch.undo()
    make(tmp_path / "in a copy", hashes)

    assert (tmp_path / "in the file").read_bytes() == (tmp_path / "in a copy").read_bytes()


def damage(data, how):
    return {
        "cut off": data[:-1],
        "cut off in its head": data[:20],
        "empty": b"",
        "longer": data + b"\0",
        "another file": b"\x7fELF" + data[4:],
        "another count": data[:11] + bytes([data[11] ^ 1]) + data[12:],
        "another version": data[:8] + b"\0\2" + data[10:],
    }[how]


@pytest.mark.parametrize(
    "how",
    ["cut off", "cut off in its head", "empty", "longer", "another file", "another count", "another version"],
)
def test_a_damaged_file_is_told(tmp_path, how):
    make(tmp_path / "filter", [sha1(str(n)) for n in range(1_000)])
    (tmp_path / "filter").write_bytes(damage((tmp_path / "filter").read_bytes(), how))

    with pytest.raises(Unusable, match=r"cut off|damaged|no filter|not a filter|version"):
        HashFilter(tmp_path / "filter")


def read(data):
    bad = []
    hashes = b"".join(hash_filter.read_lines(io.BytesIO(data), bad.append))
    return [hashes[n : n + 20] for n in range(0, len(hashes), 20)], sum(bad)


def test_lines_are_read_in_the_forms_that_lists_have(monkeypatch):
    one, two = sha1("one"), sha1("two")
    monkeypatch.setattr(hash_filter, "CHUNK", 64)  # bytes, so that lines lie across two
    upper, lower = one.hex().upper().encode(), two.hex().encode()

    assert read(upper + b":37615252\r\n" + lower + b":1\r\n") == ([one, two], 0)
    assert read(upper + b"\n\n" + lower) == ([one, two], 0)
    assert read(upper + b":1 \n" + lower + b"\t") == ([one, two], 0)
    assert read(upper[:39] + b":1\nhello\n" + upper + b"0:1\n" + lower + b":x\n" + upper + b":2\n") == ([one], 4)
    assert read(b"\0" * 500 + b"\n" + lower) == ([two], 1)
    assert read(b"") == ([], 0)


@pytest.mark.parametrize("blank", [b" ", b"\t", b"1", b" \t"])
def test_a_line_that_goes_on_for_a_mebibyte_is_read_in_one_go(blank):
    one = sha1("one").hex().encode()
    long = blank * (1 << 20)

    assert read(long + b"x\n" + one + b"\n" + one + b":1" + long + b"x\n") == ([sha1("one")], 2)


def test_a_line_with_a_carriage_return_in_it_is_counted_as_bad():
    one = sha1("one").hex().encode()
    assert read(b"a\rb\n\rb\n" + one + b"\rb\n\r\n" + one + b"\r\n") == ([sha1("one")], 3)


def test_a_line_without_end_takes_no_memory(monkeypatch):
    monkeypatch.setattr(hash_filter, "CHUNK", 64)
    longest = 0
    original = hash_filter._hashes_in

    def watch(lines, bad):
        nonlocal longest
        longest = max(longest, len(lines))
        return original(lines, bad)

    monkeypatch.setattr(hash_filter, "_hashes_in", watch)

    found, bad = read(b"x" * 100_000 + b"\n" + sha1("one").hex().encode())

    assert (found, bad) == ([sha1("one")], 1)
    assert longest <= 200


def test_until_it_is_whole_the_old_file_stays(tmp_path):
    path = tmp_path / "filter"
    make(path, [sha1("old")])
    before = path.read_bytes()

    def cut():
        yield sha1("new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hash_filter.build(path, cut(), 1_000, lambda _done: None)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_odd_list_breaks_nothing(monkeypatch):
    monkeypatch.setattr(hash_filter, "CHUNK", 100)
    chance = random.Random(7)  # noqa: S311
    for _ in range(200):
        parts = [sha1("x").hex().encode(), b":", b"\n", b"\r\n", b"1", b"z", b"\xff", b" ", b"\r"]
        found, bad = read(b"".join(chance.choices(parts, k=40)))
        assert all(one == sha1("x") for one in found)
        assert bad >= 0
