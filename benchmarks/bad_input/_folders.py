"""Folders with missing, cut or garbled files: atlases, feature stores, tables of annotations."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from _atlas import RUN
from _cases import LETTERS, Case, Maker, fasta

_JSON_EDITS: list[Callable[[Any], Any]] = [
    lambda content: [content],
    lambda content: {**content, "schema": 99},
    lambda content: {k: v for k, v in content.items() if k not in ("model", "config")},
    lambda content: {k: None if isinstance(v, str) else v for k, v in content.items()},
    lambda content: {k: 7 if isinstance(v, dict | list) else v for k, v in content.items()},
]


def break_file(rng: Random, path: Path, way: int) -> str:
    """Break one file of a folder in one of seven ways; tell which.

    A generator for each file, as the sizes of Parquet files, and so the draws, are not for ever.
    """
    content = path.read_bytes()
    if way == 0:
        path.unlink()
        return "missing"
    if way == 1:
        path.write_bytes(content[: rng.randrange(len(content))])
        return "cut"
    if way == 2:
        path.write_bytes(b"")
        return "empty"
    if way == 3:
        path.write_bytes(bytes(rng.randrange(256) for _ in range(200)))
        return "random"
    if way == 4:
        path.unlink()
        path.mkdir()
        return "folder"
    if way == 5 and path.suffix == ".json":
        whole = json.loads(content)
        edit = rng.choice(_JSON_EDITS if isinstance(whole, dict) else _JSON_EDITS[:1])
        path.write_text(json.dumps(edit(whole)))
        return "retyped"
    if way == 5 and path.suffix == ".parquet":
        import polars as pl
        import polars.selectors

        frame = pl.read_parquet(path)
        retyped = frame.with_columns(polars.selectors.numeric().cast(pl.String))
        (frame[:, 1:] if retyped.equals(frame) else retyped).write_parquet(path)
        return "retyped"
    at = rng.randrange(len(content))
    path.write_bytes(content[:at] + bytes(min(64, len(content) - at)) + content[at + 64 :])
    return "zeroed"


def atlases(maker: Maker, count: int) -> None:
    """Break each file of an atlas in turn, and annotate with it."""
    names = sorted(p.name for p in maker.atlas.iterdir() if p.is_file())
    for number in range(count):
        file, way = names[number % len(names)], number // len(names) % 7
        folder = maker.folder / "atlas" / f"{number}"
        shutil.copytree(maker.atlas, folder)
        how = break_file(Random(number), folder / file, way)
        tokens = ("annotate", str(maker.good()), "--atlas", str(folder))
        # a byte may change where nobody looks; provenance and examples are not read to annotate
        name = f"atlas/{number}_{file}_{how}"
        maker.cases.append(Case("atlas folder", name, folder, tokens))


def tables(maker: Maker, count: int) -> None:
    """Break each file of an annotation table in turn, and load it."""
    from bio_interp.annotations import AnnotationTable

    row = {"accession": "P1", "start": 1, "end": 3, "concept": "a:B", "evidence": "", "source": "a"}
    good = maker.folder / "good_table"
    AnnotationTable.from_records([row], [], []).save(good)
    names = sorted(p.name for p in good.iterdir())
    for number in range(count):
        folder = maker.folder / "table" / f"{number}"
        shutil.copytree(good, folder)
        how = break_file(
            Random(number), folder / names[number % len(names)], number // len(names) % 7
        )
        accepted = None if how in ("zeroed", "retyped") else False
        call = "bio_interp.annotations:AnnotationTable.load"
        maker.call("annotation table", folder, call, accepted=accepted)


def stores(maker: Maker, count: int) -> None:
    """Break each file of a feature store in turn, and read all of it."""
    import numpy as np
    from scipy.sparse import csr_matrix

    from bio_interp.features import FeatureStore

    good = maker.folder / "good_store"
    store = FeatureStore.create(good, d_sae=16, settings={})
    with store.writer() as writer:
        for name in ("P1", "P2"):
            writer.add(name, csr_matrix(np.eye(16, dtype=np.float32)))
    names = sorted(str(p.relative_to(good)) for p in good.rglob("*") if p.is_file())
    for number in range(count):
        folder = maker.folder / "store" / f"{number}"
        shutil.copytree(good, folder)
        break_file(Random(number), folder / names[number % len(names)], number // len(names) % 7)
        maker.call("feature store", folder, "_account:read_store", accepted=None)


def names(maker: Maker, count: int) -> None:
    """Give files, folders and concepts names that a terminal obeys or a glob expands."""
    import polars as pl

    hostile = ("\x1b[31mred", "a\x07b", "a\rb", "[a]", "a*", "-o", "a b", "é", "%s{}", "\x9bm")
    good = maker.good().read_bytes()
    called = maker.file("hostile name", "called.fasta", fasta([("P1", LETTERS + RUN + LETTERS)]))
    for number in range(count):
        name = hostile[number % len(hostile)]
        if number < len(hostile):
            maker.proteins("hostile name", f"{name}.fasta", good, accepted=True)
            continue
        folder = maker.folder / "hostile name" / name
        shutil.copytree(maker.atlas, folder)
        path = folder / "concepts.parquet"
        frame = pl.read_parquet(path, glob=False)
        frame.with_columns(name=pl.lit(name)).write_parquet(path)
        tokens = ("annotate", str(called), "--atlas", str(folder), "--all-features")
        case = f"hostile name/atlas {number}"
        maker.cases.append(Case("hostile name", case, folder, tokens, accepted=True))


MAKERS: list[tuple[Callable[[Maker, int], None], int]] = [
    (atlases, 56),
    (tables, 28),
    (stores, 70),
    (names, 20),
]
