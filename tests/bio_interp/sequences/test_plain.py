"""Compressed files, bombs and names that no terminal should see."""

import gzip
import sys
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from bio_interp.errors import BioInterpError, InputError, SequenceError
from bio_interp.sequences import _fasta as fasta_module
from bio_interp.sequences import _plain as plain_module
from bio_interp.sequences import _swissprot as swissprot_module
from bio_interp.sequences import bounded_lines, open_plain, read_proteins

PACKERS = [bytes, gzip.compress, zstandard.compress]


@pytest.mark.parametrize("pack", PACKERS)
def test_a_file_is_read_whatever_its_compression(pack, tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(pack(b"one\ntwo\n"))
    with open_plain(path) as file:
        assert file.read() == b"one\ntwo\n"


@pytest.mark.parametrize("pack", PACKERS[1:])
def test_a_cut_file_is_never_taken_for_a_whole_one(pack, tmp_path: Path) -> None:
    packed = pack(b"one\ntwo\n" * 50)
    for length in range(5, len(packed)):
        path = tmp_path / "given"
        path.write_bytes(packed[:length])
        with pytest.raises((OSError, EOFError)), open_plain(path) as file:
            file.read()


def test_damage_within_a_gzip_member_is_no_error_of_zlib(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(bytes(range(256)) * 20))
    packed[20:40] = bytes(20)
    path = tmp_path / "given"
    path.write_bytes(packed)
    with pytest.raises((OSError, EOFError)), open_plain(path) as file:
        file.read()


@pytest.mark.parametrize(("pack", "megabytes"), [(gzip.compress, 64), (zstandard.compress, 512)])
def test_a_bomb_is_unpacked_piece_by_piece(pack, megabytes: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(pack(b"A" * (1 << 22)) * (megabytes // 4))
    tracemalloc.start()
    try:
        with open_plain(path) as file:
            total = 0
            while block := file.read(1 << 16):
                total += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == megabytes << 20
    assert peak < megabytes << 18


def test_a_line_that_memory_may_not_hold_is_refused_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_module, "LONGEST", 100)
    path = tmp_path / "given"
    path.write_text(">a\n" + "M" * 99 + "\n" + "M" * 101 + "\n")
    with pytest.raises(InputError, match=r"line 3 of .*given"):
        list(read_proteins(path))
    with path.open() as text, pytest.raises(InputError, match="line 3 of it"):
        list(bounded_lines(text, "it"))


@pytest.mark.parametrize("start", [">a\n", "ID   X_Y   Reviewed;   9 AA.\n"])
def test_a_record_that_memory_may_not_hold_is_refused(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (fasta_module, swissprot_module):
        monkeypatch.setattr(module, "LONGEST", 1000)
    path = tmp_path / "given"
    path.write_text(start + "     MKVLL\n" * 200)
    with pytest.raises(SequenceError, match=r"characters; got .*line \d+ of"):
        list(read_proteins(path))


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\x07", "a\x7fb", "\u202eabc", "P1\u200b2"])
def test_a_name_with_control_characters_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_text(f">first\nMKV\n>{name} x\nMKV\n")
    with pytest.raises(SequenceError, match="line 3 of") as told:
        list(read_proteins(path))
    assert str(told.value).isprintable()


def test_a_flat_record_with_control_characters_in_its_accession_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_text(
        "ID   X_Y   Reviewed;   3 AA.\nAC   P\x1b[1m;\nSQ   SEQUENCE   3 AA;\n     MKV\n//\n"
    )
    with pytest.raises(SequenceError, match=r"accession 'P.x1b") as told:
        list(read_proteins(path))
    assert str(told.value).isprintable()


def test_control_characters_of_a_description_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_text(">a red \x1b[31m text\u202e\tend\nMKV\n")
    (protein,) = read_proteins(path)
    assert protein.description == "red \ufffd[31m text\ufffd end"


def test_a_message_is_printable_and_not_endless() -> None:
    error = BioInterpError("a name", f"\x1b]0;x\x07{'y' * 10_000} in my.fasta", "Rename it.")
    assert str(error).isprintable()
    assert len(str(error)) < 4000
    assert str(error).endswith("in my.fasta. Rename it.")
    assert error.got.startswith("\x1b")


def test_standard_input_that_is_closed_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="closed"):
        list(read_proteins("-"))
