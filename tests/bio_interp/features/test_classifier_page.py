import re
from pathlib import Path

import bio_interp

PAGE = Path(__file__).parents[3] / "docs/howto-classifier.md"


def test_the_page_runs_and_finds_a_planted_label(toy_source, tmp_path, monkeypatch, capsys):
    fasta, labels = [], ["accession\tlabel\tcluster"]
    for index in range(30):
        motif = "WHWHWC" if index % 2 else "GAGSAG"
        fasta.append(f">P{index}\nMKVLEEAIVL{'DE' * (index % 5)}{motif}TTRK\n")
        labels.append(f"P{index}\t{index % 2}\t{index // 3}")
    (tmp_path / "proteins.fasta").write_text("".join(fasta))
    (tmp_path / "labels.tsv").write_text("\n".join(labels) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bio_interp, "load_atlas", lambda _: toy_source, raising=False)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(blocks) == 2
    assert (names["scores"] > 0.9).all()
    assert "toy-atlas/f" in capsys.readouterr().out
