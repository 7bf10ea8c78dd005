"""Our own plugins keep the promises that `bio_interp.testing` checks of a stranger's."""

from pathlib import Path

import gemmi
import pytest

from bio_interp.errors import MissingExtraError, NotCachedError
from bio_interp.models import LoadOptions, Spliceable
from bio_interp.plugins import list_plugins, load_plugin
from bio_interp.sequences import Protein
from bio_interp.testing import check_annotator, check_atlas, check_model

TOYS = Path(__file__).parents[1] / "data/uniprot"
PATTERN = "ID   RGD; PATTERN.\nAC   PS00016;\nDE   Cell attachment.\nPA   R-G-D.\n//\n"
HITS = "P1\tPF00004.3\tAAA\t3\t30\t2\t31\t50.5\t1e-9\n"
PROTEINS = [Protein("P1", "MARGDWKLMNPQRSTVWYAC" * 4), Protein("P2", "MKVLLTGGAC" * 8)]
CPU = LoadOptions(device="cpu", precision="fp32")


def structure() -> str:
    """Write P1 as a PDB file of a prediction."""
    line = "ATOM  {0:5}  CA  {1} A{0:4}    {2:8.3f}   0.000   0.000  1.00 95.00           C"
    kind = gemmi.ResidueKind.AA
    names = [gemmi.expand_one_letter(letter, kind) for letter in PROTEINS[0].sequence]
    lines = [line.format(i, name, 3.8 * i) for i, name in enumerate(names, 1)]
    return "\n".join(["TITLE     ALPHAFOLD PREDICTION", *lines, "END", ""])


def files_of(name: str, folder: Path) -> tuple[list[Path], list[Protein] | None]:
    if name == "uniprot":
        return sorted(TOYS.glob("toy*")), None
    path = folder / name
    path.write_text({"prosite": PATTERN, "pfam": HITS, "structure": structure()}[name])
    return [path], PROTEINS


@pytest.mark.parametrize("name", [plugin.name for plugin in list_plugins("annotators")])
def test_every_annotator_keeps_its_promises(name: str, tmp_path: Path) -> None:
    files, proteins = files_of(name, tmp_path)
    check_annotator(load_plugin("annotators", name), files, proteins)


MODELS = [
    (p.name, model)
    for p in list_plugins("models")
    for model in load_plugin("models", p.name).names()
]


@pytest.mark.parametrize(("plugin", "name"), MODELS)
def test_every_model_whose_weights_are_here_keeps_its_promises(plugin: str, name: str) -> None:
    source = load_plugin("models", plugin)
    try:
        source.load(name, CPU)
    except (NotCachedError, MissingExtraError) as error:
        pytest.skip(str(error))
    check_model(source, name, CPU)


def test_the_reference_model_is_always_checked() -> None:
    assert ("reference", "reference") in MODELS
    check_model(load_plugin("models", "reference"), "reference", CPU)


@pytest.mark.parametrize("name", [plugin.name for plugin in list_plugins("atlases")])
def test_every_atlas_keeps_its_promises(name: str) -> None:
    atlas = check_atlas(load_plugin("atlases", name))
    assert atlas.name == name


class _Careless(Spliceable):
    """The reference model, if it only said that it tells where the rows of an edit come from."""

    places_edits = True

    def __init__(self, model) -> None:
        self.model, self.info = model, model.info

    def activations(self, sequences, sites, *, edits=None):
        bare = {site: lambda rows, e=edit: e(rows) for site, edit in (edits or {}).items()}
        return self.model.activations(sequences, sites, edits=bare)

    def logits(self, sequences, *, masked=None, edits=None):
        bare = {site: lambda rows, e=edit: e(rows) for site, edit in (edits or {}).items()}
        return self.model.logits(sequences, masked=masked, edits=bare)


class _Source:
    api_version = 1

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def names(self) -> tuple[str, ...]:
        return ("reference",)

    def load(self, name: str, options: LoadOptions):
        return self.kind(load_plugin("models", "reference").load(name, options))


def test_edits_that_reach_the_wrong_protein_are_found() -> None:
    with pytest.raises(AssertionError, match=r"rows of other residues|not one of its logits"):
        check_model(_Source(_Careless), "reference", CPU)
