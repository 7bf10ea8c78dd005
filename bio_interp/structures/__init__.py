"""Structures of proteins, and where their residues lie in the protein.

=============== =========================== ======================================================
object          attributes                  meaning
=============== =========================== ======================================================
`Structure`     name, method, resolution    of the entry; resolution in angstrom, or None
                predicted                   then `Residue.b_factor` is pLDDT
                models, disulfides, sites   several models in NMR; `chains` are of the first
`Model`         chains, ligands             polymers; everything else, with waters
`Chain`         name, label                 author's chain (``auth_asym_id``); mmCIF's label
                kind                        ``protein``, ``nucleic`` or ``other``
                residues, sequence          the entity's full sequence, missing residues too
                atoms, coordinates          one conformer, in angstrom; CA or C1' a residue
                references, differences     what the file says about the protein it is
`Residue`       label_seq                   position in the full sequence of the entity, 1-based
                author, insertion           the number that is printed in papers; insertion code
                name, letter, parent        ``MSE``, ``M``, ``MET``; ``X`` where not known
                resolved, coordinates       of CA or C1', in angstrom; NaN where missing
                b_factor, is_d              B factor or pLDDT; D-amino acid
`Ligand`        name, id, kind              ``ligand``, ``metal`` or ``water``; ``coordinates``
`ChainMap`      positions                   of each residue in the protein, 1-based, or None
                how                         ``sifts``, ``struct_ref``, ``dbref``, ``alignment``
                identity, coverage          shares: same letter; resolved residues with a position
                differences, note           mutations, tags, conflicts; why a record is not used
`StructureMap`  position, authors           from author's numbers to proteins and back
                residues, coordinates       of a protein; NaN where nothing is seen
`Layer`         accession, values           numbers along a protein; NaN where not known
                label, concept, color       what the legend says of them
`Scene`         found, layers               a structure with layers on it, to be drawn
`StructureView` html, png, beside           scenes side by side, for notebooks and pages
=============== =========================== ======================================================

Three numberings meet here, and none is an offset of another: the author's (any integer, with
insertion codes), the entity's (`Residue.label_seq`) and the protein's (``position``). Residues are
mapped by records that the letters bear out, else by alignment, else not at all. Geometry
(`contacts`, `distances_to_ligands`, ...) is by residue of a chain: row ``i`` is ``residues[i]``;
`residue_properties` puts it into one table, with secondary structure and accessibility.
"""

from bio_interp.structures._additives import ADDITIVES
from bio_interp.structures._geometry import (
    CONTACT,
    HEAVY_CONTACT,
    contact_order,
    contacts,
    distances_to,
    distances_to_chains,
    distances_to_ligands,
    side_coordinates,
)
from bio_interp.structures._map import (
    MIN_COVERAGE,
    MIN_IDENTITY,
    SHORTEST,
    ChainMap,
    map_chain,
    recorded_maps,
)
from bio_interp.structures._open import find_structure, open_structure
from bio_interp.structures._properties import DISULFIDE, PROPERTIES, residue_properties
from bio_interp.structures._protocol import StructureSource
from bio_interp.structures._read import LARGEST, is_structure, read_structure
from bio_interp.structures._scene import (
    LARGEST_SCENE,
    Layer,
    Scene,
    StructureViewer,
    Style,
    drawn_parts,
    scene_notes,
)
from bio_interp.structures._secondary import (
    SecondaryMethod,
    SecondaryStructure,
    secondary_structure,
)
from bio_interp.structures._structure import (
    Atoms,
    Chain,
    Difference,
    Ligand,
    Model,
    Reference,
    Residue,
    ResidueId,
    Site,
    Structure,
)
from bio_interp.structures._structure_map import (
    MappedResidue,
    Place,
    StructureMap,
    map_structure,
)
from bio_interp.structures._surface import BURIED, LARGEST_SURFACE
from bio_interp.structures._view import (
    StructureView,
    chain_proteins,
    map_or_refuse,
    view_values,
)

__all__ = [
    "ADDITIVES",
    "BURIED",
    "CONTACT",
    "DISULFIDE",
    "HEAVY_CONTACT",
    "LARGEST",
    "LARGEST_SCENE",
    "LARGEST_SURFACE",
    "MIN_COVERAGE",
    "MIN_IDENTITY",
    "PROPERTIES",
    "SHORTEST",
    "Atoms",
    "Chain",
    "ChainMap",
    "Difference",
    "Layer",
    "Ligand",
    "MappedResidue",
    "Model",
    "Place",
    "Reference",
    "Residue",
    "ResidueId",
    "Scene",
    "SecondaryMethod",
    "SecondaryStructure",
    "Site",
    "Structure",
    "StructureMap",
    "StructureSource",
    "StructureView",
    "StructureViewer",
    "Style",
    "chain_proteins",
    "contact_order",
    "contacts",
    "distances_to",
    "distances_to_chains",
    "distances_to_ligands",
    "drawn_parts",
    "find_structure",
    "is_structure",
    "map_chain",
    "map_or_refuse",
    "map_structure",
    "open_structure",
    "read_structure",
    "recorded_maps",
    "residue_properties",
    "scene_notes",
    "secondary_structure",
    "side_coordinates",
    "view_values",
]
