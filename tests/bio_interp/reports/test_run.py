import io
import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from bio_interp import BioInterpError
from bio_interp.errors import InputError, MismatchError
from bio_interp.reports import FORMATS, ReportOptions, choose_format, write_report
from bio_interp.reports._writers import TsvWriter
from bio_interp.sequences import Protein

from .conftest import fake_annotate


def breaks_after(count, error=KeyboardInterrupt):
    def annotate(proteins):
        for done, result in enumerate(fake_annotate(proteins)):
            if done == count:
                raise error
            yield result

    return annotate


def many(count):
    return [Protein(f"P{i}", "MDD" + "K" * (i % 50)) for i in range(count)]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        *[("a.tsv", "tsv"), ("a.JSON", "json"), ("a.gff", "gff3"), ("a.gff3", "gff3")],
        *[("a.bed", "bed"), ("a.HTML", "html"), ("a.htm", "html"), ("a.parquet", "parquet")],
    ],
)
def test_the_format_is_guessed_from_the_suffix(name, format):
    assert choose_format(ReportOptions(out=Path(name))) == format


def test_interproscan_tsv_is_chosen_by_name_alone():
    for name in ("iprscan", "interproscan"):
        assert choose_format(ReportOptions(out=Path("a.tsv"), format=name)) == "iprscan"


def test_the_format_is_tsv_in_a_pipe_and_a_table_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert choose_format(ReportOptions()) == "tsv"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert choose_format(ReportOptions()) == "table"


@pytest.mark.parametrize(
    "options",
    [
        ReportOptions(out=Path("calls.docx")),
        ReportOptions(format="json", columns=("start",)),
        ReportOptions(format="gff3", summary=True),
        ReportOptions(out=Path("a.json"), resume=True),
        ReportOptions(format="tsv", resume=True),
        ReportOptions(out=Path("a.html"), resume=True),
        ReportOptions(out=Path("a.parquet"), resume=True),
        ReportOptions(out=Path("a.bed"), summary=True),
        ReportOptions(out=Path("a.html"), columns=("start",)),
        ReportOptions(out=Path("a.tsv"), xrefs={}),
    ],
)
def test_options_that_do_not_go_together_are_refused(options):
    with pytest.raises(InputError):
        choose_format(options)


def test_bytes_are_not_written_to_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert choose_format(ReportOptions(format="parquet")) == "parquet"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(InputError, match="-o FILE, or a pipe"):
        choose_format(ReportOptions(format="parquet"))


def test_a_folder_that_is_not_there_is_an_error_before_any_work(header, tmp_path):
    options = ReportOptions(out=tmp_path / "no/a.tsv")
    with pytest.raises(InputError, match="Make the folder"):
        write_report(breaks_after(0), many(1), header, options)


@pytest.mark.parametrize("suffix", ["tsv", "gff3", "bed", "iprscan"])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(header, tmp_path, suffix):
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    totals = write_report(fake_annotate, many(30), header, ReportOptions(whole, suffix))
    with pytest.raises(KeyboardInterrupt):
        write_report(breaks_after(11), many(30), header, ReportOptions(cut, suffix))
    assert not cut.exists()
    seen = []

    def spy(proteins):
        for protein in proteins:
            seen.append(protein.accession)
            yield from fake_annotate([protein])

    resumed = write_report(spy, many(30), header, ReportOptions(cut, suffix, resume=True))
    assert seen == [f"P{i}" for i in range(11, 30)]
    assert resumed == totals
    assert cut.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([whole.name, cut.name])


def test_bytes_after_the_last_mark_of_a_killed_run_are_written_again(header, tmp_path):
    out = tmp_path / "a.tsv"
    with pytest.raises(KeyboardInterrupt):
        write_report(breaks_after(5), many(9), header, ReportOptions(out=out))
    partial, journal = tmp_path / "a.tsv.partial", tmp_path / "a.tsv.partial.done"
    with partial.open("a") as file:
        file.write("P5\t2\t3\tpfam:PF0")  # a kill between two marks
    with journal.open("a") as file:
        file.write('{"proteins": 6, "byt')
    write_report(fake_annotate, many(9), header, ReportOptions(out=out, resume=True))
    whole = tmp_path / "whole.tsv"
    write_report(fake_annotate, many(9), header, ReportOptions(out=whole))
    assert out.read_bytes() == whole.read_bytes()


def test_what_is_finished_is_not_overwritten_unless_asked(header, tmp_path):
    out = tmp_path / "a.tsv"
    with pytest.raises(KeyboardInterrupt):
        write_report(breaks_after(5), many(9), header, ReportOptions(out=out))
    with pytest.raises(InputError, match="5 proteins finished"):
        write_report(fake_annotate, many(9), header, ReportOptions(out=out))
    totals = write_report(fake_annotate, many(9), header, ReportOptions(out=out, resume=False))
    assert totals.proteins == 9


def test_other_settings_or_other_proteins_do_not_mix_with_an_unfinished_run(header, tmp_path):
    out = tmp_path / "a.tsv"
    with pytest.raises(KeyboardInterrupt):
        write_report(breaks_after(5), many(9), header, ReportOptions(out=out))
    options = ReportOptions(out=out, columns=("start",), resume=True)
    with pytest.raises(MismatchError, match="settings"):
        write_report(fake_annotate, many(9), header, options)
    for others in (many(9)[::-1], many(3)):
        with pytest.raises(MismatchError, match="begins with"):
            write_report(fake_annotate, others, header, ReportOptions(out=out, resume=True))
    write_report(fake_annotate, many(9), header, ReportOptions(out=out, resume=True))


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "table"])
def test_an_error_at_the_first_protein_leaves_no_file_behind(header, tmp_path, form):
    def annotate(proteins):
        raise BioInterpError("a", "b", "C.")
        yield

    with pytest.raises(BioInterpError):
        write_report(annotate, many(3), header, ReportOptions(tmp_path / "a", form))
    assert list(tmp_path.iterdir()) == []


def test_a_protein_that_was_written_but_not_counted_is_not_written_twice(
    header, tmp_path, monkeypatch
):
    whole, cut = tmp_path / "whole.tsv", tmp_path / "cut.tsv"
    write_report(fake_annotate, many(9), header, ReportOptions(out=whole))
    write = TsvWriter.write

    def interrupted(self, result):
        write(self, result)
        if result.protein.accession == "P6":
            raise KeyboardInterrupt

    monkeypatch.setattr(TsvWriter, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(fake_annotate, many(9), header, ReportOptions(out=cut))
    monkeypatch.setattr(TsvWriter, "write", write)
    write_report(fake_annotate, many(9), header, ReportOptions(out=cut, resume=True))
    assert cut.read_bytes() == whole.read_bytes()


def test_an_interrupted_json_keeps_its_finished_calls_readable(header, tmp_path):
    out = tmp_path / "a.json"
    with pytest.raises(KeyboardInterrupt):
        write_report(breaks_after(4), many(9), header, ReportOptions(out=out))
    content = json.loads((tmp_path / "a.json.partial").read_text())
    assert (len(content["proteins"]), content["complete"]) == (4, False)


@pytest.mark.parametrize("form", ["json", "html", "parquet"])
def test_a_format_that_cannot_go_on_says_so_and_is_not_overwritten_unless_asked(
    header, tmp_path, form
):
    options = ReportOptions(tmp_path / "a", form)
    with pytest.raises(KeyboardInterrupt):
        write_report(breaks_after(5), many(9), header, options)
    with pytest.raises(InputError, match="this format cannot go on"):
        write_report(fake_annotate, many(9), header, options)
    again = ReportOptions(tmp_path / "a", form, resume=False)
    assert write_report(fake_annotate, many(9), header, again).proteins == 9
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "table"])
def test_memory_does_not_grow_with_the_number_of_proteins(header, tmp_path, form, monkeypatch):
    monkeypatch.setattr("bio_interp.reports._writers._BATCH", 2_000)
    monkeypatch.setattr("bio_interp.reports._parquet._ROWS", 20)

    def peak(count):
        options = ReportOptions(out=tmp_path / f"{count}.{form}", format=form)
        stream = (Protein(f"P{i}", "MDK") for i in range(count))
        tracemalloc.start()
        write_report(fake_annotate, stream, header, options)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    few, many = 450, 1650
    peak(few)  # imports
    # one call kept a protein would be 300 bytes or more
    assert peak(many) - peak(few) < 100 * (many - few)
