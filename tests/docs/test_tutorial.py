def test_the_cells_run_and_say_what_the_page_says(blocks, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path))
    monkeypatch.setenv("BIO_INTERP_OFFLINE", "1")
    names: dict = {}
    for number, cell in enumerate(blocks("tutorial.md", "{code-cell} python"), 1):
        exec(compile(cell, f"cell {number} of tutorial.md", "exec"), names)
    out = capsys.readouterr().out
    assert number >= 8
    assert out.count("no_known_concept") == 2
    assert "--min-precision 0.5 shows some" in out
    first = names["calls"].row(0, named=True)
    assert (first["accession"], first["start"], first["end"]) == ("P02945", 26, 41)
    assert first["name"] == "Helix"
    assert 0.6 < first["precision"] < 0.72  # "about one in three such calls is wrong"
    assert names["unirep"].links.concepts.height == 185
    assert "=" in names["view"].draw(width=100)
    assert len(names["strongest"]) == 5


def test_the_proteins_are_those_of_the_examples(blocks, docs):
    from bio_interp import read_proteins

    names: dict = {}
    exec(blocks("tutorial.md", "{code-cell} python")[0], names)
    known = {
        p.accession: p.sequence for p in read_proteins(docs.parent / "examples/proteins.fasta")
    }
    assert names["proteins"] == {name: known[name] for name in ("P02945", "P06493")}
