"""The page about structures: its code runs, and its numbers are those of the last measurement."""

import doctest
import json
import re
from pathlib import Path

from bio_interp.structures import LARGEST, MIN_COVERAGE, MIN_IDENTITY, SHORTEST
from bio_interp_structures import ANNOTATOR
from bio_interp_structures._concepts import Settings, bands, shown

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto-structures.md").read_text()
ATOM = "ATOM  {:5}  CA  {} A{:4}    {:8.3f}   0.000   0.000  1.00 20.00           C"


def test_the_code_of_the_page_runs(blocks, tmp_path, monkeypatch, capsys):
    residues = ["LYS", "THR", "ALA", "TYR", "ILE", "ALA", "LYS", "GLN", "ARG", "GLN"]
    lines = [ATOM.format(i, name, 98 + i, 3.8 * i) for i, name in enumerate(residues)]
    (tmp_path / "mine.pdb").write_text("\n".join([*lines, "END"]))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(blocks("howto-structures.md", "python")[0], names)
    assert capsys.readouterr().out.splitlines() == [
        "Place(accession='P12345', position=6)",
        "[ResidueId(chain='A', author=102, insertion='')]",
        "(33, 3)",
        "A P12345 alignment 1.0 1.0 ",
        "{}",
    ]
    exec(blocks("howto-structures.md", "python")[1], names)
    # CA on a line, 3.8 A apart: none is within 8 A of one three residues on
    assert names["pairs"].shape == (0, 2)
    assert len(names["metal"]) == len(names["other"]) == 10
    exec(blocks("howto-structures.md", "python")[2], names)
    assert names["table"].height == len(names["states"].states) == 10


def test_the_example_of_concepts_runs_as_shown(blocks):
    (code,) = blocks("howto-structures.md", "pycon")
    name = "howto-structures.md"
    report: list[str] = []
    test = doctest.DocTestParser().get_doctest(code, {}, name, name, 0)
    done = doctest.DocTestRunner().run(test, out=report.append)
    assert done.attempted >= 10
    assert not done.failed, "".join(report)


def test_the_page_names_every_concept_and_option():
    for concept in (*shown("dssp", Settings()), *shown("psea", Settings())):
        assert f"`{concept}`" in PAGE, concept
    for band in bands():
        assert f"`{band}`" in PAGE or f"`{band.rpartition('/')[2]}`" in PAGE, band
    for option in Settings.__dataclass_fields__:
        assert f"`{option}`" in PAGE or f"--option.{option}" in PAGE, option
        assert f"``{option}``" in (ANNOTATOR.annotate.__doc__ or ""), option


def test_the_agreement_of_the_page_is_that_of_the_last_run():
    run = json.loads((ROOT / "benchmarks/results/structure_concepts.json").read_text())
    text = " ".join(PAGE[PAGE.index("### Which secondary") : PAGE.index("## Get")].split())
    assert not run["quick"]
    for name, method in (("mkdssp 4.2.2", "dssp"), ("P-SEA (biotite)", "psea")):
        score = run[method]
        helix, strand = (
            f"{score[s]['precision']:.3f}, {score[s]['recall']:.3f}" for s in ("helix", "strand")
        )
        assert f"| {name} | {score['agreement']:.3f} | {helix} | {strand} | " in text
    own, rows = run["mkdssp_on_the_own_files"], run["annotator"]["rows"]
    assert f"{own['residues']:,} residues; the other" in text
    assert (own["agreement"], own["failed"]) == (1.0, [])
    assert f"by {own['surface_mean_difference']:.2f} Å² on average" in text
    assert f"{sum(rows.values()):,} annotations of {len(rows)} concepts" in text
    for kind in ("HELIX", "STRAND"):
        known = run["uniprot"][f"uniprot:{kind}"]
        assert f"{known['both']} of {known['both'] + known['uniprot_only']}" in text
    assert len(run["uniprot"]["uniprot:DISULFID"]["uniprot_only"]) == 3


def test_the_limits_of_the_page_are_those_of_the_code():
    assert f"residues below {MIN_IDENTITY:g};" in PAGE
    assert MIN_COVERAGE == 0.5
    assert "below half of the resolved" in PAGE
    assert f"fewer than {SHORTEST} residues" in PAGE
    assert LARGEST == 1 << 30
    assert "larger than 1 GiB" in PAGE


def test_the_numbers_of_the_page_are_those_of_the_last_run():
    run = json.loads((ROOT / "benchmarks/results/residue_mapping.json").read_text())
    text = " ".join(PAGE[PAGE.index("## How well") :].split())
    score, naive = run["with_records"], run["number_taken_for_position"]
    known = score["right"] + score["wrong"] + score["refused"]
    assert not run["quick"]
    assert f"of {known:,} residues with a known position {score['right']:,} are right" in text
    assert score["refused"] == 0
    assert {k: score[k] for k in ("right", "wrong", "refused")} == {
        k: run["by_alignment_alone"][k] for k in ("right", "wrong", "refused")
    }
    assert f"is right for {naive['right']:,}" in text
    assert round(10 * naive["wrong"] / known) == 3
    assert f"Of {run['wrong_proteins']['pairs']} pairs" in text
    assert run["wrong_proteins"]["mapped"] == []
    own = run["own_records"]["by_authors_numbers"]
    assert (own["wrong"], own["refused"]) == (0, 0)
    assert re.search(rf"{own['right']:,} of {own['right']:,} residues", text)
