"""A small atlas made by hand, with names that would like to be more than text."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from bio_interp.atlas import (
    EXAMPLES,
    FEATURES,
    Atlas,
    AtlasInfo,
    Call,
    FeatureTrack,
    ProteinResult,
    ProteinStatus,
    ProteinView,
)
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.reports.site import write_site
from bio_interp.sequences import Protein

WIDTH = 70  # features: three files of data
HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><svg onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "\u2028\u2029'); document.title='owned'; ('",
    '"];document.title="owned";["',
    "__proto__",
    "../../etc/passwd",
    "a\tb\r\nc\u202egnp.exe\x07\ud800",
]
NAME = HOSTILE[0]
CONCEPTS = {"pfam:PF00001": NAME, HOSTILE[3]: HOSTILE[1], "uniprot:HELIX": "Helix"}


def handed_over(script: str) -> list:
    """Name and value that a script of data hands over, if that is all it does."""
    start, end = "explorer.receive(", ");\n"
    assert script.startswith(start)
    assert script.endswith(end)
    return json.loads(f"[{script[len(start) : -len(end)]}]")


def info(name: str = "toy") -> AtlasInfo:
    return AtlasInfo(
        name=name,
        version="1",
        model="onehot",
        site="layer.0",
        model_sha256="0" * 64,
        licence=HOSTILE[1],
        citation=(HOSTILE[2],),
        split_sha256="0" * 64,
        domain_limit=0.5,
        decoys={"reversed": 2.0},
        measured={},
        data=({"name": HOSTILE[0], "licence": "CC0"},),
        versions={},
        notes=(HOSTILE[4],),
    )


def links() -> LinkTable:
    rows = [(c, n, "locator", f, 1.5, 0.9, 20, 0.8, 0.7, 0.9, 5, 6, 14 + f)
            for f, (c, n) in enumerate(CONCEPTS.items())]  # fmt: skip
    callers = [(c, f, 2.0, 4, [0.0, 1.0]) for f, c in enumerate(CONCEPTS)]
    curve = [(c, s, p, p - 0.1, p + 0.1, 30, 12)
             for c in CONCEPTS for s, p in ((0.0, 0.2), (0.5, 0.8))]  # fmt: skip
    concepts = pl.DataFrame(
        {
            "concept": list(CONCEPTS),
            "name": list(CONCEPTS.values()),
            "kind": "pfam",
            "level": "span",
            "world": "closed",
            "source": "pfam",
            "release": "1",
            "members": [["pfam:PF00002"], [], []],
            "xrefs": [["IPR000001", HOSTILE[0]], [], []],
            "group": "pfam/span",
        },
        schema_overrides={"members": pl.List(pl.String)},
    )
    frames = [(rows, LINKS), (callers, CALLERS), (curve, CALIBRATION)]
    return LinkTable(*(pl.DataFrame(r, schema=s, orient="row") for r, s in frames), concepts)


def statistics() -> pl.DataFrame:
    counts = np.zeros((21, 20), np.uint8)
    counts[10, 18], counts[12, 1] = 40, 40  # W at the peak, C two behind
    measured = {
        "density": 0.01,
        "of_residues": 1000,
        "proteins": 9,
        "of_proteins": 10,
        "maximum": 8.0,
        "q50": 2.0,
        "histogram": [64, 16, 4, 1] + [0] * 16,
        "extent": "point",
        "runs": 10,
        "strong_runs": 5,
        "strong": 4.0,
        **{f"{name}_q{q}": 1.0 for name in ("run", "strong") for q in (25, 50, 75)},
        "clusters": 9,
        "of_clusters": 10,
        "effective_clusters": 5.5,
        "logo": counts.ravel().tolist(),
        "background": [0.05] * 20,
        "logo_windows": 40,
        "logo_information": 7.0,
        "logo_null": 3.0,
        "logo_floor": 0.2,
        "consensus": "..........W.C........",
    }
    dead = {"density": 0.0, "proteins": 0, "of_proteins": 10, "maximum": 0.0}
    rows = [{"feature": f, **(dead if f == WIDTH - 1 else measured)} for f in range(WIDTH)]
    rows[0] |= {"cofires": [1], "cofire_share": [0.5]}
    return pl.DataFrame(rows, schema=FEATURES)


def examples() -> pl.DataFrame:
    rows = [
        {
            "feature": f,
            "rank": rank,
            "accession": accession.replace("\ud800", ""),
            "fold": "fit",
            "length": 100,
            "position": 12,
            "peak": 4.0,
            "start": 2,
            "window": "MKVLAMKVLAWKVLAMKVLAM",
            "activations": [0.0] * 9 + [2.0, 4.0, 1.0] + [0.0] * 9,
            "concepts": [HOSTILE[3]],
            "names": [HOSTILE[1]],
        }
        for f in (0, 1)
        for rank, accession in enumerate([*HOSTILE, "P12345"], 1)
    ]
    return pl.DataFrame(rows, schema=EXAMPLES)


@pytest.fixture(scope="session")
def atlas_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("atlas")
    info().save(folder)
    links().save(folder)
    (folder / "sae.json").write_text(json.dumps({"config": {"d_sae": WIDTH}}))
    statistics().write_parquet(folder / "features.parquet")
    examples().write_parquet(folder / "examples.parquet")
    return folder


@pytest.fixture(scope="session")
def atlas(atlas_folder) -> Atlas:
    return Atlas(atlas_folder)


def make_view(accession: str, sequence: str = "MKVLAWKVLA" * 4) -> ProteinView:
    """One call of a concept at 3 to 12, whose feature rises along the protein."""
    nan = float("nan")
    kind = ("pfam:PF00001", NAME, "locator")
    call = Call(accession, 3, 12, *kind, (0,), 3.0, nan, nan, nan, 0, "seen", ("weak",))
    status = ProteinStatus(accession, len(sequence), "ok", 1, HOSTILE[2])
    track = FeatureTrack(0, np.linspace(0.0, 3.0, len(sequence)), 8.0)
    result = ProteinResult(status, (call,), sequence)
    protein = Protein(accession, sequence, accession)
    return ProteinView(protein, result, {call.concept: (track,)}, (), "toy")


@pytest.fixture
def site(atlas, tmp_path) -> Path:
    """A site with a page for every hostile name, and with a view of a feature and a protein."""
    views = tmp_path / "views"
    views.mkdir()
    (views / "f1.html").write_text("<!DOCTYPE html><title>v</title><p id=v>a view</p>")
    (views / "Q99999.html").write_text("<!DOCTYPE html><p>another</p>")
    (views / "f999.html").write_text("of no feature")
    names = [*(h for h in HOSTILE if "\ud800" not in h), "Q99999"]
    proteins = [make_view(name) for name in names]
    write_site(atlas, tmp_path / "site", proteins=proteins, views=views)
    return tmp_path / "site"


@pytest.fixture(scope="session")
def browser() -> ModuleType:
    """The driver of benchmarks; the test is skipped where no Chromium is installed."""
    path = Path(__file__).parents[4] / "benchmarks/_browser.py"
    spec = importlib.util.spec_from_file_location("_browser", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.find_browser() is None:
        pytest.skip(f"no browser: none of {', '.join(module.PROGRAMS)} is installed")
    return module
