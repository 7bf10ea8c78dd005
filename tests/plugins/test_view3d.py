"""The view of structures: the script in the cache, the page as text, and the page in a browser."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from itertools import count
from pathlib import Path

import gemmi
import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.cache import cache_folder
from bio_interp.errors import MismatchError, MissingExtraError, NotCachedError
from bio_interp.sequences import Protein
from bio_interp.structures import (
    Layer,
    Place,
    Scene,
    StructureView,
    map_structure,
    open_structure,
    read_structure,
)
from bio_interp.testing import check_views
from bio_interp_view3d import VIEWER, Py3DmolViewer, _picture, _script
from bio_interp_view3d._page import _json
from bio_interp_view3d._payload import describe_scene
from bio_interp_view3d.browser import SOFTWARE_GL, browser_page, find_browser

HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "--><svg onload=document.title='owned'>",
    "'\"`;document.title='owned'//",
    "\u2028__proto__\ud800",
]
# helix of 24 residues with all atoms of the backbone, so that there is something to draw
LETTERS = "MKVLWAALLVTFLAGEDKRSTNQH"
PROTEIN = Protein("P1", f"GG{LETTERS}GG")


def three(letter: str) -> str:
    return gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)


def helix(chain: str = "A", first: int = 101, b: str = "20.00") -> str:
    """An ideal alpha helix: 100 degrees and 1.5 A a residue."""
    shape = {"N": (1.55, -27.0, -0.9), "CA": (2.29, 0.0, 0.0), "C": (1.66, 26.5, 1.1)}
    shape |= {"O": (2.03, 30.0, 2.3), "CB": (3.3, -15.0, 0.6)}
    lines = []
    for i, letter in enumerate(LETTERS):
        for name, (radius, turn, rise) in shape.items():
            angle = np.deg2rad(100 * i + turn)
            x, y, z = 1.5 * i + rise, radius * np.cos(angle), radius * np.sin(angle)
            serial = len(lines) + 1
            start = f"ATOM  {serial:5}  {name:<3} {three(letter)} {chain}{first + i:4}    "
            lines.append(f"{start}{x:8.3f}{y:8.3f}{z:8.3f}  1.00{b:>6}           {name[0]}")
    return "\n".join([*lines, "TER"])


def scene(*values: float, **changes) -> Scene:
    """The helix, whose residues 3 and on of the protein have these values."""
    structure = read_structure(f"{helix()}\nEND\n".encode(), "helix")
    row = np.full(len(PROTEIN), np.nan)
    row[2 : 2 + len(values)] = values
    layer = Layer("P1", "toy/f1", row, 10.0, "helix (toy:H)", "#c2410c")
    return Scene(map_structure(structure, [PROTEIN]), (PROTEIN,), (layer,), **changes)


def packed(code: str) -> bytes:
    """A package as npm has it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in (("build/3Dmol-min.js", code), ("LICENSE", "BSD -- of this test")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


@pytest.fixture
def made_up(tmp_path, monkeypatch) -> Path:
    """A cache with a script that is not 3Dmol.js."""
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path))
    content = packed("window.$3Dmol = {};")
    monkeypatch.setattr(_script, "SHA256", hashlib.sha256(content).hexdigest())
    _script.script_path().write_bytes(content)
    return tmp_path


def test_the_script_is_read_from_the_cache_with_its_notice(made_up):
    page = VIEWER.page([scene(1.0)])
    assert "<script>window.$3Dmol = {};</script>" in page
    assert "BSD - - of this test" in page


def test_without_the_script_the_error_is_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path))
    with pytest.raises(NotCachedError, match="bio-interp data get 3dmol"):
        VIEWER.page([scene(1.0)])
    cell = StructureView([scene(1.0)], viewer=VIEWER)._repr_html_()
    assert "bio-interp data get 3dmol" in cell
    with pytest.raises(NotCachedError):
        VIEWER.get_data("3dmol", offline=True)


def test_another_script_than_ours_is_refused(made_up):
    _script.script_path().write_bytes(packed("fetch('https://example.org')"))
    with pytest.raises(MismatchError, match="sha256"):
        VIEWER.page([scene(1.0)])


def test_the_script_is_a_data_set_of_the_version_that_py3dmol_asks_for():
    import py3Dmol

    (data_set,) = VIEWER.data_sets()
    assert data_set.name == "3dmol"
    assert VIEWER.data_path("3dmol").name in _script.URL
    assert f"3dmol@{_script.VERSION}/" in py3Dmol.view().startjs


def test_the_viewer_keeps_its_promises(made_up):
    check_views(VIEWER, scene(1.0))


@pytest.mark.parametrize(
    ("page", "promise"),
    [
        ("<p>{title}</p>", "no whole HTML page"),
        ("<!DOCTYPE html><p>{title}</p>", "as markup"),
        ("<!DOCTYPE html>{random}", "another page"),
        ("<!DOCTYPE html><script src='https://example.org/3Dmol.js'></script>", "loads <script"),
        ("<!DOCTYPE html>the same for all", "the first scene only"),
    ],
)
def test_the_check_names_the_promise_that_is_broken(page, promise):
    turn = count()

    class Careless(Py3DmolViewer):
        def page(self, scenes):
            return page.format(title=scenes[0].title, random=next(turn))

    with pytest.raises(AssertionError, match=promise):
        check_views(Careless(), scene(1.0))


def test_every_script_of_a_page_is_one_that_its_policy_names(made_up):
    page = VIEWER.page([scene(1.0), scene(2.0)])
    policy = re.search(r'content="(default-src[^"]*)"', page).group(1)
    codes = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(codes) == 4
    for code in codes:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"&#x27;sha256-{digest}&#x27;" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert policy.startswith("default-src &#x27;none&#x27;")


@given(st.text(), st.lists(st.floats(width=16, allow_infinity=False), max_size=24))
def test_whatever_is_said_stays_data(text, values):
    made = describe_scene(scene(*values, title=text, notes=(text,)))
    written = _json(made)
    assert json.loads(written) == made
    assert written.isascii()
    assert not set("<>&") & set(written)


def test_residues_without_a_value_are_none_and_not_zero():
    made = describe_scene(scene(0.0, 5.0))
    assert made["layers"][0]["values"][:6] == [None, None, 0.0, 5.0, None, None]
    assert made["layers"][0]["full"] == 10.0


def test_a_residue_has_the_authors_number_and_the_position_of_the_protein():
    first, second, *_ = describe_scene(scene(1.0, marked=(Place("P1", 4),)))["residues"]
    assert first == ["A", "101", "MET", "M", 0, 3, False, None, 5, False]
    assert second == ["A", "102", "LYS", "K", 0, 4, False, None, 5, True]


def test_atoms_of_the_model_are_as_many_as_the_residues_say():
    made = describe_scene(scene(1.0))
    rows = [line for line in made["model"].splitlines() if line.startswith("ATOM")]
    assert len(rows) == sum(residue[8] for residue in made["residues"]) == 5 * len(LETTERS)
    assert rows[0].split()[:7] == ["ATOM", "1", "N", "N", "MET", "A", "1"]


def test_names_of_atoms_and_chains_cannot_add_words_to_the_model():
    text = "\n".join(line.replace(" CB ", " C'B").replace(" A 1", " ; 1")
                     for line in helix().splitlines())  # fmt: skip
    structure = read_structure(f"{text}\nEND\n".encode(), HOSTILE[0])
    found = map_structure(structure, [PROTEIN])
    made = describe_scene(Scene(found, (PROTEIN,), ()))
    widths = {len(line.split()) for line in made["model"].splitlines() if line[:4] == "ATOM"}
    assert widths == {10}
    assert made["residues"][0][0] == ";"


def test_a_prediction_says_where_it_is_not_sure(tmp_path):
    text = helix(b="50.00").replace("  1.00 50.00", "  1.00 90.00", 30)
    head = "HEADER    PREDICTION\nTITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR X\n"
    structure = read_structure(f"{head}{text}\nEND\n".encode(), "AF-P1-F1")
    assert structure.predicted
    rows = describe_scene(Scene(map_structure(structure, [PROTEIN]), (PROTEIN,), ()))["residues"]
    assert [row[6] for row in rows] == [False] * 6 + [True] * 18
    assert (rows[0][7], rows[-1][7]) == (90.0, 50.0)


def test_a_mutation_of_the_structure_is_noted():
    text = helix().replace("TRP", "GLY")
    structure = read_structure(f"{text}\nEND\n".encode(), "mutant")
    made = describe_scene(Scene(map_structure(structure, [PROTEIN]), (PROTEIN,), ()))
    assert made["notes"] == ["chain A differs from P1 at W7G"]


def test_a_picture_without_a_browser_is_a_clear_error(made_up, monkeypatch):
    monkeypatch.setattr(_picture, "find_browser", lambda: None)
    with pytest.raises(MissingExtraError, match="apt install chromium"):
        VIEWER.picture([scene(1.0)], size=(200, 200))


# In a browser, with the real script.


@pytest.fixture(scope="module")
def real_cache(tmp_path_factory) -> Path:
    """A cache with 3Dmol.js: that of `npm pack 3dmol@2.5.5`, else the user's."""
    name = f"3dmol-{_script.VERSION}.tgz"
    given = Path(os.environ.get("BIO_INTERP_3DMOL", cache_folder() / name))
    if not given.is_file():
        pytest.skip(f"no {name}: run `bio-interp data get 3dmol`, or name it in BIO_INTERP_3DMOL")
    folder = tmp_path_factory.mktemp("cache")
    shutil.copy(given, folder / name)
    return folder


@pytest.fixture
def real_script(real_cache, monkeypatch) -> None:
    monkeypatch.setenv("BIO_INTERP_CACHE", str(real_cache))


@pytest.fixture(scope="module")
def browser():
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium is installed")
    with browser_page(program, (600, 500), options=SOFTWARE_GL) as page:
        yield page


@pytest.fixture
def shown(browser, real_script, tmp_path):
    """Open scenes, and check that the page was content and asked for nothing."""

    def show(*scenes: Scene):
        path = tmp_path / "view.html"
        StructureView(scenes, viewer=VIEWER).html(path)
        browser.requests.clear()
        browser.complaints.clear()
        browser.open(path.as_uri())
        assert browser.run("document.getElementById('problem').hidden")
        return browser

    yield show
    # what drivers say of reading pixels back is no complaint of the page
    assert [c for c in browser.complaints if "GPU stall due to ReadPixels" not in c] == []
    assert {url.partition(":")[0] for url in browser.requests} <= {"file", "data", "blob"}


@pytest.fixture(scope="module")
def toy_address(real_cache, tmp_path_factory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIO_INTERP_CACHE", str(real_cache))
        path = tmp_path_factory.mktemp("toy") / "view.html"
        StructureView([scene(0.0, 5.0, *[10.0] * 8)], viewer=VIEWER).html(path)
    return path.as_uri()


@pytest.fixture
def page(browser, toy_address):
    """The helix, opened once for the tests that leave it as it is."""
    if browser.run("location.href") != toy_address:
        browser.open(toy_address)
    return browser


def colors(page, panel: int = 0) -> dict[int, str]:
    """Colour of each position, as the viewer's own atoms have it."""
    rows = page.run(
        f"""bioInterpPanels[{panel}].viewer.selectedAtoms({{atom: 'CA'}})
        .map((a) => [a.properties.position, a.style.cartoon.colorfunc(a)])"""
    )
    return dict(rows)


@pytest.mark.browser
def test_coloured_residues_are_the_mapped_ones_and_grey_is_no_value(page):
    found = colors(page)
    grey, pale, full = found[13], found[3], found[5]
    assert {found[position] for position in range(5, 13)} == {full} == {"#c2410c"}
    assert {found[position] for position in range(13, 27)} == {grey}
    assert len({grey, pale, found[4], full}) == 4
    legend = page.run("document.getElementById('legend').textContent")
    assert "toy/f1, 0 to 10" in legend
    assert "helix (toy:H)" in legend


@pytest.mark.browser
def test_the_canvas_is_not_blank(page):
    uri = page.run("bioInterpPanels[0].viewer.pngURI()")
    assert orange(base64.b64decode(uri.partition(",")[2])) > 0.002


def orange(picture: bytes) -> float:
    """Share of the pixels that have the colour of the feature, lit or in shade."""
    pixels = matplotlib.image.imread(io.BytesIO(picture), format="png")[..., :3]
    return float(((pixels[..., 0] > 1.5 * pixels[..., 2]) & (pixels[..., 0] > 0.3)).mean())


@pytest.mark.browser
def test_hovering_over_the_structure_points_at_the_sequence(page):
    at = page.run("""(() => {
      const panel = bioInterpPanels[0];
      const atom = panel.atoms.find((a) => a.atom === 'CA' && a.properties.position === 6);
      const place = panel.viewer.modelToScreen(atom);
      return [place.x, place.y];
    })()""")
    for step in range(3):
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=at[0] + step, y=at[1])
    page.until("document.querySelector('.here')")
    told = page.run("document.getElementById('told').textContent")
    position = page.run("document.querySelector('.here').dataset.position")
    assert f" {int(position) + 98} of chain A · position {position} of P1 · toy/f1: " in told


@pytest.mark.browser
def test_pointing_at_the_sequence_marks_the_structure(page):
    page.run("document.querySelector('[data-position=\"4\"]').dispatchEvent("
             "new MouseEvent('mouseover', {bubbles: true}))")  # fmt: skip
    words = page.run("document.getElementById('told').textContent")
    assert words == "LYS 102 of chain A · position 4 of P1 · toy/f1: 5 (50 %) [helix (toy:H)]"
    assert page.run("bioInterpPanels[0].marks") == 1


@pytest.mark.browser
def test_a_residue_that_was_not_seen_is_in_the_sequence_and_says_so(page):
    page.run("document.querySelector('[data-position=\"1\"]').click()")
    told = page.run("document.getElementById('told').textContent")
    assert "G, position 1 of P1 · not seen in the structure · no value" in told
    assert page.run("document.querySelectorAll('.absent').length") == 4


@pytest.mark.browser
def test_a_click_in_the_legend_takes_a_feature_away_and_brings_it_back(page):
    press = "document.querySelector('#legend button').click()"
    page.run(press)
    away = colors(page)
    assert away[5] == away[20]
    page.run(press)
    assert colors(page)[5] == "#c2410c"


@pytest.mark.browser
def test_the_strongest_residues_get_sticks_and_a_button_gives_surfaces(shown):
    page = shown(scene(10.0, 1.0, style="sticks"))
    sticks = page.run("bioInterpPanels[0].atoms.filter((a) => a.style.stick)"
                      ".map((a) => a.properties.position)")  # fmt: skip
    assert set(sticks) == {3}
    assert page.run("bioInterpPanels[0].viewer.getSurface(0)") is None
    page.run("document.querySelector('[data-style=surface]').click()")
    assert page.run("document.querySelector('[data-style=surface]').ariaPressed") == "true"
    page.until("bioInterpPanels[0].surface !== undefined")
    assert not page.run("bioInterpPanels[0].atoms.some((a) => a.style.stick)")


@pytest.mark.browser
def test_two_scenes_stand_side_by_side_with_a_sequence_each(shown):
    page = shown(scene(10.0, title="wild type"), scene(0.0, title="K4A"))
    assert colors(page, 0)[3] == "#c2410c"
    assert colors(page, 1)[3] != "#c2410c"
    assert page.run("document.querySelectorAll('.track').length") == 2
    assert page.run("document.getElementById('panels').textContent") == "wild typeK4A"


@pytest.mark.browser
def test_hostile_names_are_text(shown):
    proteins = [Protein(name, f"{'G' * i}{PROTEIN.sequence}") for i, name in enumerate(HOSTILE)]
    structure = read_structure(f"{helix()}\nEND\n".encode(), HOSTILE[0])
    panels = []
    for protein in proteins:
        name = protein.accession
        layer = Layer(name, name, np.ones(len(protein)), 1.0, name, "#c2410c")
        found = map_structure(structure, [protein])
        panels.append(Scene(found, (protein,), (layer,), name, (name,)))
    page = shown(*panels)
    assert page.run("document.title") != "owned"
    assert page.run("document.querySelectorAll('img, svg').length") == 0
    assert page.run("document.querySelector('h1').textContent") == " | ".join(HOSTILE)


@pytest.mark.browser
def test_a_frame_in_a_notebook_draws_and_cannot_reach_the_notebook(shown, tmp_path):
    page = shown(scene(10.0))
    cell = StructureView([scene(*[10.0] * 24)], viewer=VIEWER)._repr_html_()
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><body data-ready=yes>{cell}</body>", encoding="utf-8")
    page.open(path.as_uri())
    page.until("document.readyState === 'complete'")  # the frame too
    wait = "new Promise((done) => setTimeout(done, 100))"
    shares = (page.run(wait) or orange(page.screenshot()) for _ in range(100))
    assert any(share > 0.002 for share in shares)  # also where the notebook names no encoding
    assert page.run("document.querySelector('iframe').contentDocument") is None


@pytest.mark.browser
def test_a_picture_has_its_size_and_is_not_blank(real_script):
    if find_browser() is None:
        pytest.skip("no Chromium is installed")
    picture = StructureView([scene(*[10.0] * 24)], viewer=VIEWER).png(size=(420, 360))
    assert picture[16:24] == (420).to_bytes(4) + (360).to_bytes(4)
    assert orange(picture) > 0.002


@pytest.mark.browser
@pytest.mark.shared_data
def test_hemoglobin_is_coloured_where_sifts_says_that_its_residues_are(shown, shared_data):
    lines = (shared_data / "structures/CHAIN_TO_UNIPROT.tsv").read_text().splitlines()
    row = next(line.split("\t") for line in lines if "4hhb" in line and "\tB\t" in line)
    assert row[-1] == "1-146=2-147"  # residues of the chain and of the protein
    structure = open_structure(shared_data / "structures/4hhb.cif.gz")
    beta = structure.chain("B").sequence
    protein = Protein("P68871", f"M{beta}")
    values = np.zeros(len(protein))
    values[[93 - 1, 98 - 1]] = 5.0  # proximal histidine is 92 in papers, 93 in UniProt
    layer = Layer("P68871", "x", values, color="#c2410c")
    page = shown(Scene(map_structure(structure, [protein]), (protein,), (layer,)))
    found = page.run("""bioInterpPanels[0].viewer.selectedAtoms({atom: 'CA'})
      .filter((a) => a.properties.color === '#c2410c')
      .map((a) => [a.properties.chain, a.properties.author, a.resn])""")
    assert found == [[c, n, r] for c in "BD" for n, r in (("92", "HIS"), ("97", "HIS"))]
    grey = page.run("""bioInterpPanels[0].viewer.selectedAtoms({atom: 'CA'})
      .filter((a) => a.properties.position === null).map((a) => a.properties.chain)""")
    assert set(grey) == {"A", "C"}
