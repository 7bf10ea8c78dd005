"""Output to what is no file: devices, pipes, links, and disks without room."""

import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from bio_interp.provenance import atomic_path, write_json

ANNOTATE = [sys.executable, "-c", "from bio_interp.cli import main; main()", "annotate"]


@pytest.fixture
def full(tmp_path):
    """A device of our own that has no room: a test must not touch the machine's."""
    path = tmp_path / "full"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        with path.open("wb"):
            pass
    except OSError as error:
        pytest.skip(f"no device can be made here: {error}")
    return path


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "in.fasta"
    path.write_text(">P1\nMKVLITGAGSGIGKATAKLLAEEGAKVVVTDLSEEKLEEAVAELG\n")
    return path


def run(*words):
    command = [*ANNOTATE, *map(str, words), "--atlas", "reference", "--all-features"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("form", ["tsv", "html", "parquet"])
def test_a_full_device_is_an_error_in_words_and_stays_a_device(full, fasta, form):
    done = run(fasta, "-f", form, "-o", full)
    assert (done.returncode, "No space left" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr
    assert "Make room" in done.stderr
    assert stat.S_ISCHR(full.stat().st_mode)
    assert sorted(p.name for p in full.parent.iterdir()) == ["full", "in.fasta"]


def test_standard_output_without_room_is_an_error_in_words(full, fasta):
    with full.open("w") as stream:
        command = [*ANNOTATE, str(fasta), "--atlas", "reference", "--all-features"]
        done = subprocess.run(
            command, stdout=stream, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "Make room" in done.stderr
    assert not {"Traceback", "Exception ignored"} & set(done.stderr.split(":"))


def test_a_closed_standard_output_is_an_error_in_words(fasta):
    words = ["sh", "-c", '"$@" >&-', "sh", *ANNOTATE, str(fasta), "--atlas", "reference"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "standard output; got it is closed" in done.stderr


def test_names_of_files_cannot_drive_the_terminal(tmp_path, fasta):
    hostile = tmp_path / "a\x1b]0;owned\x07\nb.fasta"
    hostile.write_text(fasta.read_text())
    done = run(hostile)
    assert done.returncode == 0, done.stderr
    assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
    header = [line for line in done.stdout.split("\n") if not line.startswith(("#", "P1\t"))]
    assert header == [""] or header[0].startswith("accession")


def test_a_terminated_run_leaves_no_half_file(tmp_path):
    many = tmp_path / "many.fasta"
    many.write_text("".join(f">p{i}\n{'MKVLITGAGSGIGKATAK' * 20}\n" for i in range(2000)))
    command = [*ANNOTATE[:-1], "encode", str(many), "--atlas", "reference"]
    process = subprocess.Popen([*command, "-o", str(tmp_path / "out.npz")], stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".out.npz*")) and time.monotonic() < until:
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert [p.name for p in tmp_path.iterdir()] == ["many.fasta"]


def test_a_named_pipe_gets_the_whole_report(tmp_path, fasta):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    done = run(fasta, "-f", "tsv", "-o", pipe)
    reader.join(60)
    assert done.returncode == 0, done.stderr
    assert "\nP1\t" in read[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_is_followed_and_stays_a_link(tmp_path, fasta):
    (tmp_path / "real").mkdir()
    link = tmp_path / "out.tsv"
    link.symlink_to(tmp_path / "real/calls.tsv")
    done = run(fasta, "-o", link)
    assert done.returncode == 0, done.stderr
    assert link.is_symlink()
    assert "\nP1\t" in (tmp_path / "real/calls.tsv").read_text()


def test_a_file_written_whole_follows_links_and_spares_devices(tmp_path, full):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_json(tmp_path / "link.json", {"new": 1})
    assert (tmp_path / "link.json").is_symlink()
    assert '"new"' in (tmp_path / "real.json").read_text()
    with pytest.raises(OSError, match="No space left"), atomic_path(full) as path:
        path.write_text("anything")
    assert stat.S_ISCHR(full.stat().st_mode)
