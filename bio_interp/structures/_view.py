"""A view of structures: in a notebook, as a page, as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.errors import BioInterpError, InputError, MismatchError
from bio_interp.plugins import load_plugin
from bio_interp.provenance import atomic_path
from bio_interp.render import element
from bio_interp.sequences import Protein
from bio_interp.structures._map import map_chain
from bio_interp.structures._open import open_structure
from bio_interp.structures._scene import Layer, Scene, StructureViewer, Style, scene_notes
from bio_interp.structures._structure import Chain, Structure
from bio_interp.structures._structure_map import StructureMap, map_structure

VIEWER = "py3dmol"
"""Name of the plugin that draws, where no other is asked for."""

_FEW = 3  # chains and proteins that an error speaks of
_HEIGHT = 680  # pixels of the frame in a notebook


class StructureView:
    """Scenes to look at, side by side; shows itself in a notebook.

    Parameters
    ----------
    scenes
        What is shown.
    viewer
        Name of the plugin of ``bio_interp.views`` that draws, or one.
    """

    def __init__(self, scenes: Sequence[Scene], *, viewer: str | StructureViewer = VIEWER) -> None:
        self.scenes, self._viewer = tuple(scenes), viewer

    def __repr__(self) -> str:
        lines = [f"StructureView of {len(self.scenes)}; in a notebook it is a picture to turn"]
        for scene in self.scenes:
            layers = ", ".join(dict.fromkeys(layer.label for layer in scene.layers))
            lines.append(f"  {scene.title or scene.found.structure.name}: {layers or 'no values'}")
            lines += [f"    {note}" for note in scene_notes(scene)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        try:
            page = self.html()
        except BioInterpError as error:  # never a blank cell
            return element("p", element("strong", "No 3D view. "), str(error), role="alert")
        # the frame is another origin: what is in it reaches neither the notebook nor its server
        frame = element(
            "iframe",
            srcdoc=page,
            sandbox="allow-scripts",
            title="3D view",
            style=f"width:100%;height:{_HEIGHT}px;border:0",
        )
        # whatever encoding the notebook is saved and shown in, hashes of scripts must hold
        return frame.encode("ascii", "xmlcharrefreplace").decode()

    def html(self, path: Path | str | None = None) -> str:
        """Write a page that needs no network; give its text, and write it to `path` if given.

        Raises
        ------
        NotCachedError
            The script that draws is not on this machine; the message has the command.
        InputError
            `path` is in no folder.
        """
        page = self._drawer().page(self.scenes)
        if path is not None:
            _write(Path(path), page.encode())
        return page

    def png(self, path: Path | str | None = None, *, size: tuple[int, int] = (900, 640)) -> bytes:
        """Draw a picture, through a browser; give it, and write it to `path` if given.

        Parameters
        ----------
        size
            Width and height in pixels.

        Raises
        ------
        MissingExtraError
            No browser is installed.
        NotCachedError
            As `html`.
        """
        picture = self._drawer().picture(self.scenes, size=size)
        if path is not None:
            _write(Path(path), picture)
        return picture

    @property
    def notes(self) -> list[str]:
        """What the reader should know of the scenes, a line each."""
        return list(dict.fromkeys(note for scene in self.scenes for note in scene_notes(scene)))

    def beside(self, other: StructureView) -> StructureView:
        """Put another view at the right of this one; they turn together."""
        return StructureView([*self.scenes, *other.scenes], viewer=self._viewer)

    def _drawer(self) -> Any:
        return load_plugin("views", self._viewer) if isinstance(self._viewer, str) else self._viewer


def view_values(
    protein: Protein,
    values: Float[ndarray, "residues"] | Sequence[float],
    structure: Structure | Path | str,
    *,
    label: str = "value",
    maximum: float = 0.0,
    style: Style = "cartoon",
) -> StructureView:
    r"""Show numbers along a protein on a structure of it.

    Parameters
    ----------
    values
        One a residue, index 0 is position 1; pale up to 0, grey where NaN.
    structure
        As `open_structure` takes it.
    label
        What the legend calls them.
    maximum
        Where the colour is full; the largest value where it is smaller than that.

    Raises
    ------
    MismatchError
        The structure is of another protein, or there are more or fewer values than residues.

    Examples
    --------
    >>> from bio_interp.structures import read_structure
    >>> atom = "ATOM  {:5}  CA  {} A{:4}    {:8.3f}   0.000   0.000  1.00 20.00           C"
    >>> names = "MET LYS VAL LEU TRP ALA ALA LEU".split()
    >>> lines = [atom.format(i, name, 100 + i, 3.8 * i) for i, name in enumerate(names)]
    >>> structure = read_structure("\n".join([*lines, "END"]).encode(), "mine")
    >>> view_values(Protein("P1", "MKVLWAAL"), range(8), structure, label="hydropathy")
    StructureView of 1; in a notebook it is a picture to turn
      mine: hydropathy
    """
    found = map_or_refuse(open_structure(structure), [protein])
    layer = Layer(protein.accession, label, np.asarray(values, dtype=float), maximum)
    return StructureView([Scene(found, (protein,), (layer,), style=style)])


def map_or_refuse(structure: Structure, proteins: Iterable[Protein]) -> StructureMap:
    """Map a structure as `map_structure` does, and refuse where no chain is one of the proteins.

    Raises
    ------
    MismatchError
        No chain is; the message has the identities.
    """
    given = list(proteins)
    found = map_structure(structure, given)
    if found.maps:
        return found
    wanted = ", ".join(protein.accession for protein in given[:_FEW]) + ", ..." * (
        len(given) > _FEW
    )
    chains = [chain for chain in structure.chains if chain.kind == "protein"]
    raise MismatchError(
        f"a chain of {structure.name} that is one of the proteins ({wanted or 'none given'})",
        _reasons(chains[:_FEW], given[:_FEW]) or f"no protein chain (chains: {_kinds(structure)})",
        "Give a structure of the protein, or the protein of the structure.",
    )


def _reasons(chains: Sequence[Chain], proteins: Sequence[Protein]) -> str:
    """Say how far chains are from proteins; of each chain the first few, as all may be many."""
    reasons: list[str] = []
    for chain in chains:
        for protein in proteins:
            try:
                map_chain(chain, protein)
            except MismatchError as error:
                reasons.append(f"chain {chain.name!r} and {protein.accession}: {error.got}")
    return "; ".join(reasons)


def _kinds(structure: Structure) -> str:
    return ", ".join(f"{chain.name} ({chain.kind})" for chain in structure.chains) or "none"


def chain_proteins(structure: Structure) -> tuple[Protein, ...]:
    """Make proteins of the sequences of a structure's own chains, each sequence once.

    They are named after the structure and the first chain that has the sequence, as ``4HHB/A``.

    Raises
    ------
    MismatchError
        No chain is a protein.
    """
    first: dict[str, str] = {}
    for chain in structure.chains:
        if chain.kind == "protein" and chain.residues:
            first.setdefault(chain.sequence, chain.name)
    if not first:
        raise MismatchError(
            f"a protein chain in {structure.name}",
            f"chains: {_kinds(structure)}",
            "Give another structure.",
        )
    taken: dict[str, str] = {}
    for sequence, name in first.items():
        # a peptide may share its author's chain with the protein that it is bound to
        own = f"{structure.name}/{name or '-'}"
        taken[own if own not in taken else f"{own}-{len(taken)}"] = sequence
    return tuple(Protein(name, sequence) for name, sequence in taken.items())


def _write(path: Path, content: bytes) -> None:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InputError("a file in a folder that exists", str(path), "Make the folder first.")
    with atomic_path(path) as part:
        part.write_bytes(content)
