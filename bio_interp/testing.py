"""Checks that a plugin keeps its promises: one ``check_*`` for each kind that has code.

Our own plugins run them in the tests, and a stranger's can too::

    from bio_interp.testing import check_annotator
    def test_my_annotator(): check_annotator(ANNOTATOR, [Path("tests/my.file")])

A broken promise is an `AssertionError` that says which.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bio_interp.plugins import API_VERSION

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.atlas import Atlas
    from bio_interp.models import LanguageModel, LoadOptions
    from bio_interp.sequences import Protein
    from bio_interp.structures import Scene, Structure

__all__ = ["check_annotator", "check_atlas", "check_model", "check_structures", "check_views"]

_PROTEINS = ("MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ", "ACDEFGHIKLMNPQRSTVWY", "MKXBZUOJA")


def check_model(source: Any, name: str, options: "LoadOptions | None" = None) -> "LanguageModel":
    """Check a model source and one of its models; return the model.

    Rows come one a residue, in input order, of the width the site says, finite, and the same
    whether a protein is read alone or among others. Where the model has a `splice`, it leaves
    logits as they are until a feature is edited, an edit stays in its protein and its residue, and
    gradients reach the features.
    """
    import torch

    from bio_interp.models import LanguageModel, LoadOptions, ModelSource

    _check_kind(source, ModelSource)
    assert name in source.names(), f"{name!r} is not among names()"
    model = source.load(name, options or LoadOptions(device="cpu", precision="fp32"))
    assert isinstance(model, LanguageModel), "load() gives no LanguageModel"
    assert model.info.name == name, "info.name is not the name asked for"
    assert model.info.sites, "info.sites is empty"
    site, width = list(model.info.sites.items())[-1]
    readings = list(model.activations(_PROTEINS, [site]))
    assert [r.index for r in readings] == [0, 1, 2], "readings are not in input order"
    for text, reading in zip(_PROTEINS, readings, strict=True):
        rows = reading.rows[site]
        assert rows.shape == (len(text), width), "rows are not (residues, d_model)"
        assert bool(torch.isfinite(rows).all()), "rows are not finite"
    (alone,) = model.activations(_PROTEINS[1:2], [site])
    together = readings[1].rows[site]
    assert torch.allclose(alone.rows[site], together, atol=1e-3), "rows depend on the neighbours"
    for text, logits in zip(_PROTEINS, model.logits(_PROTEINS), strict=True):
        assert logits.shape == (len(text), 20), "logits are not (residues, 20)"
    if hasattr(model, "splice"):
        _check_splice(model, site)
    return model


def _check_splice(model: Any, site: str) -> None:
    """Splice features with no meaning into the last site."""
    import torch

    before = list(model.logits(_PROTEINS))
    with model.splice({site: _random_sae(model.info.sites[site])}) as spliced:
        for plain, same in zip(before, spliced.logits(_PROTEINS), strict=True):
            assert torch.allclose(plain, same, atol=1e-5), "a splice changes logits by itself"
        spliced[site].set(0, 50.0, positions=2, index=1)
        (row,) = (r.rows[site] for r in spliced.activations(_PROTEINS, [site]) if r.index == 1)
        after = list(spliced.logits(_PROTEINS))
        trace = list(spliced.trace(_PROTEINS))[1]
    (intact,) = (r.rows[site] for r in model.activations(_PROTEINS[1:2], [site]))
    moved = (row - intact).abs().amax(1) > 0.1
    assert moved.nonzero().flatten().tolist() == [1], "an edit moves rows of other residues"
    moves = [float((a - b).abs().max()) > 1e-5 for a, b in zip(before, after, strict=True)]
    assert moves == [False, True, False], "an edit of the second protein is not one of its logits"
    assert torch.allclose(trace.logits, after[1], rtol=1e-3, atol=1e-2), "traced logits differ"
    (slope,) = torch.autograd.grad(trace.logits.square().sum(), trace.features[site])
    assert bool(slope.abs().max() > 0), "no gradient reaches the features"


def _random_sae(d_model: int) -> Any:
    import torch

    from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

    generator = torch.Generator().manual_seed(0)
    decoder = torch.randn(8, d_model, generator=generator)
    tensors = {"W_enc": decoder.T, "b_enc": torch.zeros(8), "threshold": torch.zeros(8)}
    tensors |= {"W_dec": torch.nn.functional.normalize(decoder), "b_dec": torch.zeros(d_model)}
    norm = InputNorm(torch.zeros(d_model), 1.0)
    return SparseAutoencoder(SaeConfig(d_model, 8, "relu", 8), tensors, norm)


def check_annotator(
    annotator: Any, files: Sequence[Path], proteins: "Sequence[Protein] | None" = None
) -> "AnnotationTable":
    """Check an annotator on files that it should read; return the table it makes.

    It knows its own files and no others, every row has a concept and lies inside what the source
    says it looked at, and positions are 1-based.
    """
    import polars as pl

    from bio_interp.annotations import Annotator

    _check_kind(annotator, Annotator)
    assert any(annotator.reads(path) for path in files), "reads() knows none of the files"
    assert not annotator.reads(Path(__file__)), "reads() claims a Python file"
    table = annotator.annotate(files, proteins)
    assert table.rows.height, "no rows"
    assert table.rows.filter(pl.col("start") < 1).is_empty(), "positions start at 1"
    assert table.rows.filter(pl.col("end") < pl.col("start")).is_empty(), "end before start"
    named = set(table.concepts["concept"])
    assert set(table.rows["concept"]) <= named, "rows with a concept that concepts lacks"
    assert table.concepts["concept"].is_unique().all(), "a concept twice"
    looked = set(table.coverage["accession"])
    assert set(table.rows["accession"]) <= looked, "rows of proteins that coverage lacks"
    return table


def check_atlas(source: Any) -> "Atlas":
    """Check an atlas plugin: its folder opens and says where it comes from; return the atlas."""
    from bio_interp.atlas import Atlas, AtlasSource

    _check_kind(source, AtlasSource)
    atlas = Atlas(source.path())
    for field in ("name", "version", "model", "site", "licence", "citation", "model_sha256"):
        assert getattr(atlas.info, field), f"atlas.json has no {field}"
    facts = {"model": atlas.info.model, "site": atlas.site}
    for field, value in {**facts, "weights_sha256": atlas.info.model_sha256}.items():
        found = atlas.sae.provenance.get(field)
        assert found == value, f"provenance.{field} in sae.json is {found!r}, not {value!r}"
    assert atlas.sae.fingerprint, "sae.json has no fingerprint; see bio_interp.sae.fingerprint"
    return atlas


def check_structures(source: Any, accession: str) -> "Structure":
    """Check a source of structures on a protein that it has here; return its best structure.

    All that it names can be read without a network, holds a protein, and is the same file when it
    is asked for again; names that are paths are refused.
    """
    from bio_interp.errors import BioInterpError
    from bio_interp.structures import StructureSource, read_structure

    _check_kind(source, StructureSource)
    names = list(source.find(accession, offline=True))
    assert names, f"find() names no structure of {accession}"
    assert all(isinstance(name, str) for name in names), "find() gives something else than names"
    paths = [source.get(name, offline=True) for name in names]
    assert all(path.is_file() for path in paths), "get() gives a path that is no file"
    assert paths == [source.get(name, offline=True) for name in names], "get() moves files"
    structures = [read_structure(path) for path in paths]
    for name, structure in zip(names, structures, strict=True):
        kinds = {chain.kind for chain in structure.chains}
        assert "protein" in kinds, f"{name} holds no protein"
    for hostile in ("../../etc/passwd", "", ".", "a\0b"):
        try:
            found = source.get(hostile, offline=True)
        except BioInterpError:
            continue
        raise AssertionError(f"get({hostile!r}) gives {found}")
    return structures[0]


def check_views(viewer: Any, scene: "Scene") -> str:
    """Check a viewer on a scene; return the page that it makes.

    A page is whole, the same when it is asked for again, and loads nothing from elsewhere; what a
    title or a label says cannot end its script or become a tag. Pictures are not checked, as they
    may need a browser.
    """
    import re
    from dataclasses import replace

    from bio_interp.structures import StructureViewer

    _check_kind(viewer, StructureViewer)
    hostile = "</script><script src=https://example.org/x.js></script><img src=x onerror=alert(1)>"
    layers = tuple(replace(layer, label=hostile, concept=hostile) for layer in scene.layers)
    asked = replace(scene, title=hostile, notes=(hostile,), layers=layers)
    page = viewer.page([asked])
    assert page.lower().lstrip().startswith("<!doctype html"), "page() gives no whole HTML page"
    assert page == viewer.page([asked]), "page() gives another page when asked again"
    assert hostile not in page, "a title or label gets into the page as markup"
    assert "<img src=x" not in page, "a title or label gets into the page as a tag"
    loads = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*[^>]*", page)
    assert not loads, f"the page loads {loads[0]}"
    assert viewer.page([scene, scene]) != viewer.page([scene]), "page() shows the first scene only"
    return viewer.page([scene])


def _check_kind(plugin: Any, protocol: Any) -> None:
    assert isinstance(plugin, protocol), f"{plugin!r} lacks members of {protocol.__name__}"
    assert plugin.api_version == API_VERSION, f"api_version is not {API_VERSION}"
