"""Values on structures: what a scene takes, which structure is opened, what is drawn."""

import numpy as np
import pytest

import bio_interp.structures._scene as scene_module
from bio_interp.errors import (
    InputError,
    MismatchError,
    NotCachedError,
    NotFoundError,
    StructureError,
)
from bio_interp.sequences import Protein
from bio_interp.structures import (
    Layer,
    Scene,
    StructureView,
    chain_proteins,
    drawn_parts,
    find_structure,
    map_or_refuse,
    map_structure,
    open_structure,
    scene_notes,
    view_values,
)

SEQUENCE = "MKVLWAALLVTF"
PROTEIN = Protein("P69905", f"GGG{SEQUENCE}LAG")
OTHER = "DERHNQCYSTGG"


class Plain:
    """A viewer that writes down what it was given."""

    api_version = 1

    def page(self, scenes) -> str:
        return f"<p>{len(scenes)}</p><script>x</script>"

    def picture(self, scenes, *, size) -> bytes:
        return repr(size).encode()


class Absent(Plain):
    def page(self, scenes) -> str:
        raise NotCachedError("a script", "<none>", "Run `bio-interp data get 3dmol`.")


@pytest.fixture
def structure(made):
    return made.read_structure(made.pdb({"A": made.items(SEQUENCE, 101)}), "mine")


def test_zero_is_a_value_and_nan_is_none():
    layer = Layer("P", "f1", np.array([np.nan, 0.0, 2.0]), maximum=8.0)
    assert (layer.peak, layer.full) == (2.0, 8.0)
    assert Layer("P", "f1", np.array([np.nan, np.nan])).full == 1.0
    assert Layer("P", "f1", np.array([3.0])).full == 3.0
    assert Layer("P", "f1", np.array([-3.0])).peak == 0.0


def test_a_layer_has_a_colour_of_its_own_where_none_is_given():
    one, same, other = (Layer("P", name, np.zeros(1)) for name in ("f1", "f1", "f2"))
    assert one.shown_color == same.shown_color != other.shown_color
    assert Layer("P", "f1", np.zeros(1), color="#010203").shown_color == "#010203"


def test_values_of_another_length_or_protein_are_refused(structure):
    found = map_structure(structure, [PROTEIN])
    for layer in (Layer("P69905", "x", np.zeros(5)), Layer("P2", "x", np.zeros(len(PROTEIN)))):
        with pytest.raises(MismatchError, match="a value for each residue"):
            Scene(found, (PROTEIN,), (layer,))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused(structure, value):
    with pytest.raises(InputError, match="infinite"):
        view_values(PROTEIN, [value] * len(PROTEIN), structure)


def test_values_are_laid_on_the_structure_of_the_protein(structure):
    view = view_values(PROTEIN, range(len(PROTEIN)), structure, label="mine", maximum=99.0)
    (scene,) = view.scenes
    assert scene.layers[0].values.tolist() == list(range(18))
    assert scene.found.position("A", 101).position == 4
    assert "mine: mine" in repr(view)


def test_a_structure_of_another_protein_is_refused_with_its_identity(structure):
    relative = Protein("P1", "MKVLGAGLGVTG")
    with pytest.raises(MismatchError, match=r"chain 'A' and P1: identity 0\.\d+"):
        view_values(relative, [0] * 12, structure)


def test_a_structure_without_proteins_says_what_it_has(made):
    dna = ["DA", "DC", "DG", "DT"]
    rows = [
        f"ATOM {i} C C1' . {name} A 1 {i} ? {5.0 * i:.1f} 0 0 1 20 {i} A 1"
        for i, name in enumerate(dna, 1)
    ]
    structure = made.read_structure(made.cif(rows), "dna")
    with pytest.raises(MismatchError, match="nucleic"):
        map_or_refuse(structure, [PROTEIN])
    with pytest.raises(MismatchError, match="nucleic"):
        chain_proteins(structure)


def test_chains_of_one_sequence_are_one_protein(made):
    chains = {"A": made.items(SEQUENCE), "B": made.items(OTHER), "C": made.items(SEQUENCE, 7)}
    structure = made.read_structure(made.pdb(chains), "three")
    proteins = chain_proteins(structure)
    assert [(p.accession, p.sequence) for p in proteins] == [
        ("three/A", SEQUENCE),
        ("three/B", OTHER),
    ]
    found = map_structure(structure, proteins)
    assert [(m.chain, m.accession) for m in found.maps] == [
        ("A", "three/A"),
        ("B", "three/B"),
        ("C", "three/A"),
    ]


def test_mapped_chains_are_drawn_first_and_what_is_left_out_is_said(made, monkeypatch):
    chains = {"A": made.items(OTHER), "B": made.items(SEQUENCE), "C": made.items(SEQUENCE)}
    structure = made.read_structure(made.pdb(chains), "three")
    scene = Scene(map_structure(structure, [PROTEIN]), (PROTEIN,), ())
    assert [chain.name for chain in drawn_parts(scene)[0]] == ["A", "B", "C"]
    monkeypatch.setattr(scene_module, "LARGEST_SCENE", 25)
    assert [chain.name for chain in drawn_parts(scene)[0]] == ["B", "C"]
    grey, left_out = scene_notes(scene)
    assert grey == "grey chains that are none of P69905: A"
    assert "1 of 3 chains" in left_out
    monkeypatch.setattr(scene_module, "LARGEST_SCENE", 5)
    assert [chain.name for chain in drawn_parts(scene)[0]] == ["B"]


def test_the_first_model_is_shown_and_waters_are_not(made):
    rows = made.cif_rows(SEQUENCE)
    rows.append("HETATM 90 O O . HOH W 2 . ? 9 9 9 1 20 201 A 1")
    rows.append("HETATM 91 ZN ZN . ZN Z 3 . ? 5 5 5 1 20 202 A 1")
    again = [row[:-1] + "2" for row in made.cif_rows(SEQUENCE)]
    scene = Scene(
        map_structure(made.read_structure(made.cif([*rows, *again])), [PROTEIN]), (PROTEIN,), ()
    )
    _, ligands = drawn_parts(scene)
    assert [(ligand.name, ligand.element) for ligand in ligands] == [("ZN", ("Zn",))]
    assert scene_notes(scene) == ["2 models; the first is shown"]


def test_a_notebook_gets_a_frame_that_reaches_nothing(structure):
    view = view_values(PROTEIN, [0] * 18, structure)
    shown = StructureView(view.scenes, viewer=Plain())._repr_html_()
    assert 'sandbox="allow-scripts"' in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown


def test_a_notebook_without_the_script_says_what_to_run(structure):
    view = view_values(PROTEIN, [0] * 18, structure)
    shown = StructureView(view.scenes, viewer=Absent())._repr_html_()
    assert "bio-interp data get 3dmol" in shown
    assert "&lt;none&gt;" in shown


def test_pages_and_pictures_are_written_whole_and_views_go_side_by_side(structure, tmp_path):
    scenes = view_values(PROTEIN, [0] * 18, structure).scenes
    view = StructureView(scenes, viewer=Plain()).beside(StructureView(scenes))
    assert view.html(tmp_path / "v.html") == (tmp_path / "v.html").read_text()
    assert view.html().startswith("<p>2</p>")
    assert view.png(tmp_path / "v.png", size=(3, 4)) == b"(3, 4)"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v.html", "v.png"]
    with pytest.raises(InputError, match="folder that exists"):
        view.html(tmp_path / "none" / "v.html")


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_STRUCTURES", str(tmp_path / "own"))
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "own").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "own/4hhb.pdb").write_bytes(made.pdb({"A": made.items(SEQUENCE)}))
    return tmp_path


@pytest.mark.parametrize("name", ["4HHB", "folder:4hhb", "4hhb.pdb"])
def test_a_structure_is_found_by_name_in_the_users_folder(name, folder):
    assert open_structure(name).chain("A").sequence == SEQUENCE


def test_a_structure_is_found_in_the_cache_by_any_of_its_names(made, folder):
    cached = folder / "cache/alphafold-P69905.cif"
    cached.write_bytes(made.cif(made.cif_rows(SEQUENCE)))
    for name in ("alphafold:P69905", "P69905"):
        assert open_structure(name).chain("A").sequence == SEQUENCE
    assert find_structure("P69905").chain("A").sequence == SEQUENCE


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("rcsb:1ABC", "data get 'rcsb:1ABC'"),
        ("1ABC", "data get 'rcsb:1ABC'"),
        ("Q12345", "data get 'alphafold:Q12345'"),
    ],
)
def test_nothing_is_fetched_and_the_error_has_the_command_that_would(name, command, folder):
    with pytest.raises((NotCachedError, NotFoundError)) as caught:
        open_structure(name)
    assert command in str(caught.value)


def test_a_broken_source_does_not_hide_what_others_have(folder, monkeypatch, caplog):
    path = folder / "broken-1.dist-info"
    path.mkdir()
    (path / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    text = "[bio_interp.structures]\naaa = no_such_module:X\n"
    (path / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(folder)
    assert open_structure("4HHB").chain("A").sequence == SEQUENCE
    with pytest.raises(NotFoundError):
        open_structure("1ABC")
    assert "no_such_module" in caplog.text


def test_a_protein_without_a_structure_here_says_so(folder):
    for accession in ("Q12345", "no accession"):
        with pytest.raises(NotFoundError, match="data get"):
            find_structure(accession)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "none/x.pdb", "x.cif.gz"])
def test_a_path_that_holds_no_structure_is_refused(name, folder):
    with pytest.raises(StructureError):
        open_structure(name if "passwd" not in name else "/etc/passwd")


@pytest.mark.parametrize("name", ["a\0b", "", ".", "folder:../x", "rcsb:../../x"])
def test_hostile_names_are_refused(name, folder):
    with pytest.raises((InputError, NotFoundError)):
        open_structure(name)
