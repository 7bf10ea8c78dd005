"""Real processes: pipes, signals, permissions, full disks, bombs."""

import ctypes
import gzip
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import zstandard
from _cases import LETTERS, fasta, protein
from _processes import (
    COMMAND,
    SECONDS,
    WRITING,
    Bench,
    Faults,
    concepts,
    encode,
    judge,
    run,
    split,
)

BOMB_MB = 700
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/capability.h


def live_cases(folder: Path, *, quick: bool) -> Iterator[tuple[str, str, Faults]]:
    """Run the processes; give kind, name and faults of each."""
    rng = Random(0)
    many = folder / "many.fasta"
    many.write_bytes(
        fasta([(f"protein_of_a_long_name_{i:05}", protein(rng, 200, 400)) for i in range(300)])
    )
    some = folder / "some.fasta"
    some.write_bytes(fasta([(f"p{i}", protein(rng, 200, 400)) for i in range(100)]))
    bench = Bench(folder, folder / "good/atlas", folder / "good.fasta", some, many)
    bench.proteins.write_bytes(fasta([("P1", LETTERS * 4), ("P2", LETTERS[::-1] * 3)]))
    for number, (kind, name, check) in enumerate(_CASES):
        if not quick or number % 9 == 1:
            yield kind, f"{kind}/{name}", check(bench)


def _early_reader(bench: Bench) -> Faults:
    process = subprocess.Popen(
        [*COMMAND, *bench.annotate(bench.many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    return judge(process.wait(SECONDS), err, (0, 141, -13))


def _closed(bench: Bench, redirection: str, codes: tuple[int, ...]) -> Faults:
    source = "-" if redirection.startswith("<") else str(bench.proteins)
    script = f'"$@" {redirection}'
    words = ["sh", "-c", script, "sh", *COMMAND, *bench.annotate(source)]
    done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False)
    return judge(done.returncode, done.stderr.decode(), codes)


def _cut_pipe(bench: Bench) -> Faults:
    content = gzip.compress(bench.proteins.read_bytes())[:-9]
    return run(bench.annotate("-"), (1,), input=content)[1]


def _full_device(tokens: Callable[[Bench], list[str]]) -> Callable[[Bench], Faults]:
    def check(bench: Bench) -> Faults:
        with Path("/dev/full").open("wb") as full:
            return run(tokens(bench), (1,), stdout=full)[1]

    return check


def _named_pipe(bench: Bench, what: str) -> Faults:
    """Name a pipe as the output: it gets the bytes, and is not replaced by a file."""
    folder = bench.fresh()
    readers: list[subprocess.Popen[bytes]] = []
    for name in ("a.tsv", "a.npz", "s.tsv"):
        os.mkfifo(folder / name)
        readers.append(subprocess.Popen(["cat", folder / name], stdout=subprocess.DEVNULL))
    try:
        _, faults = run(WRITING[what](bench, folder), (0, 1))
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
    kept = all(path.is_fifo() for path in folder.iterdir())
    return faults if kept else {**faults, "lost": "the pipe was replaced by a file"}


def _signalled(bench: Bench, number: signal.Signals, codes: tuple[int, ...]) -> Faults:
    """Stop annotate once it has finished some proteins; what it finished must be taken up again."""
    folder = bench.fresh()
    whole, out = folder / "whole.tsv", folder / "out.tsv"
    _, faults = run(bench.annotate(bench.many, "-o", str(whole)), (0,))
    code, err = _stopped(bench.annotate(bench.many, "-o", str(out)), folder, number)
    faults |= judge(code, err, codes)
    if code == 0:
        return faults  # it was too quick to be stopped
    if out.exists() or not any(folder.glob("out.tsv.partial*")):
        faults["lost"] = f"after the signal there are {sorted(p.name for p in folder.iterdir())}"
    _, more = run(bench.annotate(bench.many, "-o", str(out), "--resume"), (0,))
    if not more and out.read_bytes() != whole.read_bytes():
        faults["lost"] = "the resumed file is not that of a run without interruption"
    return faults | more


def _stopped(tokens: list[str], folder: Path, number: signal.Signals) -> tuple[int, str]:
    process = subprocess.Popen([*COMMAND, *tokens], stderr=subprocess.PIPE)
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        marks = list(folder.glob("out.*.done"))
        if any(len(path.read_text().split("\n")) > 2 for path in marks):
            break
        if any(p.name.startswith(".out") for p in folder.iterdir()):
            time.sleep(1)
            break
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    return process.returncode, err.decode()


def _encode_signalled(bench: Bench, number: signal.Signals, codes: tuple[int, ...]) -> Faults:
    folder = bench.fresh()
    tokens = ["encode", str(bench.many), "--atlas", str(bench.atlas)]
    code, err = _stopped([*tokens, "-o", str(folder / "out.npz")], folder, number)
    faults = judge(code, err, codes)
    left = sorted(p.name for p in folder.iterdir())
    if code and left:
        faults["lost"] = f"half a file is left: {left}"
    return faults


def _limited(bench: Bench, tokens: list[str], out: str, *, mounted: bool) -> Faults:
    """Write to a disk of 16 KiB (tmpfs, or a limit on the size of files where none may be made)."""
    folder = bench.fresh()
    if mounted:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], capture_output=True
        )
        if made.returncode:
            return {}
    limit = None if mounted else _limit_files
    try:
        _, faults = run([*tokens, "-o", str(folder / out)], (1,), preexec_fn=limit)
        target = folder / out
        if target.is_file() or (target / "annotations.json").exists():
            faults["lost"] = f"a file that looks whole: {target.name}"
        left = [p.name for p in folder.rglob(".*")]
        return {**faults, "lost": f"left behind: {left}"} if left else faults
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], capture_output=True)


def _limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))


def _disk(make: Callable[[Bench], list[str]], out: str, *, mounted: bool) -> Callable[..., Faults]:
    return lambda bench: _limited(bench, make(bench), out, mounted=mounted)


def _forbidden(bench: Bench, what: str) -> Faults:
    """Run where a file or folder is closed to the user."""
    folder = bench.fresh()
    target, out = folder / "given", folder / "out"
    out.mkdir()
    tokens = bench.annotate(bench.proteins, "-o", str(out / "a.tsv"))
    if what == "atlas":
        tokens[3] = str(target)
        target.mkdir()
        (target / "atlas.json").write_text("{}")
    else:
        target.write_bytes(bench.proteins.read_bytes())
    if what == "proteins":
        tokens[1] = str(target)
    if what == "annotations":
        tokens = ["concepts", str(target), "-o", str(out / "table")]
    if what.startswith("out "):
        tokens = WRITING[what[4:]](bench, out)
    target.chmod(0)
    out.chmod(0o555)
    return run(tokens, (1,), preexec_fn=_obey_modes)[1]


def _obey_modes() -> None:
    """Take from root the right to open whatever is closed to it."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for right in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            libc.prctl(_PR_CAPBSET_DROP, right, 0, 0, 0)


def _occupied(bench: Bench, what: str) -> Faults:
    """Write where a folder or a file stands in the way."""
    folder = bench.fresh()
    for name in ("a.tsv", "a.npz", "s.tsv"):
        (folder / name).mkdir()
    (folder / "table").write_text("a file")
    return run(WRITING[what](bench, folder), (1,))[1]


def _under_a_file(bench: Bench, what: str) -> Faults:
    path = bench.fresh() / "file"
    path.write_text("a file")
    return run(WRITING[what](bench, path), (1,))[1]


def _bomb(bench: Bench, suffix: str, *, annotations: bool) -> Faults:
    """Give 2 GiB of one letter in a file of a few KiB; memory must stay far below that."""
    pack = gzip.compress if suffix == "gz" else zstandard.compress
    start = b"ID   A_B   Reviewed;   9 AA.\nCC   " if annotations else b">bomb\n"
    path = bench.fresh() / f"bomb.{suffix}"
    path.write_bytes(pack(start) + pack(b"A" * (1 << 24)) * 128)
    tokens = bench.annotate(path)
    if annotations:
        tokens = ["concepts", str(path), "-o", str(path.with_name("table"))]
    with subprocess.Popen(
        [*COMMAND, *tokens], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        err = process.stderr.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    faults = judge(process.returncode, err, (1,))
    megabytes = used.ru_maxrss >> 10
    return faults if megabytes < BOMB_MB else {**faults, "lost": f"{megabytes} MB of memory"}


_STOPS = ((signal.SIGINT, (0, 130)), (signal.SIGTERM, (0, 143, -15)))
_WRITERS: tuple[tuple[Callable[[Bench], list[str]], str], ...] = (
    (lambda bench: bench.annotate(bench.some), "out.tsv"),
    (encode, "out.npz"),
    (encode, "out.parquet"),
    (concepts, "table"),
    (split, "split.tsv"),
)
_CASES: list[tuple[str, str, Callable[[Bench], Faults]]] = [
    ("pipe", "a reader that leaves early", _early_reader),
    ("pipe", "standard output closed", lambda b: _closed(b, ">&-", (0, 1))),
    ("pipe", "standard input closed", lambda b: _closed(b, "<&-", (1,))),
    ("pipe", "standard input empty", lambda b: _closed(b, "</dev/null", (1,))),
    ("pipe", "a cut gzip stream", _cut_pipe),
    ("disk", "annotate to a full device", _full_device(lambda b: b.annotate(b.proteins))),
    ("disk", "plugins to a full device", _full_device(lambda _: ["plugins"])),
    *(
        ("occupied", f"{w} a pipe", lambda b, w=w: _named_pipe(b, w))
        for w in ("tsv", "npz", "split")
    ),
    *(
        ("disk", f"{out} on a full disk ({'tmpfs' if m else 'limit'})", _disk(make, out, mounted=m))
        for make, out in _WRITERS
        for m in (True, False)
    ),
    *(
        ("signal", f"{number.name} in annotate", lambda b, n=number, c=codes: _signalled(b, n, c))
        for number, codes in _STOPS
    ),
    *(
        ("signal", f"{n.name} in encode", lambda b, n=n, c=codes: _encode_signalled(b, n, c))
        for n, codes in _STOPS
    ),
    *(
        ("permission", what, lambda b, w=what: _forbidden(b, w))
        for what in ("proteins", "annotations", "atlas", *(f"out {name}" for name in WRITING))
    ),
    *(("occupied", what, lambda b, w=what: _occupied(b, w)) for what in WRITING),
    *(("occupied", f"{what} in a file", lambda b, w=what: _under_a_file(b, w)) for what in WRITING),
    *(
        (
            "bomb",
            f"{s} {'annotations' if a else 'proteins'}",
            lambda b, s=s, a=a: _bomb(b, s, annotations=a),
        )
        for s in ("gz", "zst")
        for a in (False, True)
    ),
]
