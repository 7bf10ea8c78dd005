"""Components that crystals hold because crystallographers put them there."""

_KINDS = {
    "salts and buffers": """ACT ACY B3P BCN BO3 BO4 BR BTB CAC CIT CL CXS EPE F FLC FMT HEZ IMD IOD
        MES MLA MLI NH4 NHE NO3 PO4 SCN SIN SO4 SRT TAM TAR TEA TLA TRS URE""",
    "cryoprotectants and solvents": """ACN BU1 CCN DIO DMF DMS DOD EDO EOH ETX GOL IPA MOH MPD MRD
        PGO PGR TBU""",
    "polyethylene glycols": """12P 15P 16P 1PE 1PG 2PE 7PE AE3 AE4 ETE P15 P33 P3G P4C P4G P6G PE3
        PE4 PE5 PE8 PEG PEU PG0 PG4 PG5 PG6 PG8 PGE PGF TOE XPE""",
    "reducing agents": "BME DTT DTU DTV HED",
    "detergents": "BNG BOG HTG LDA LMT LMU SOG UMQ",
    "gases of phasing, and unknown": "KR UNL UNX XE",
}

ADDITIVES = frozenset(name for names in _KINDS.values() for name in names.split())
"""Components that are no ligands of the protein: buffers, salts, cryoprotectants, polyethylene
glycols, reducing agents, detergents.

The common ones of the crystallisation artifacts that BioLiP lists (Yang, Roy and Zhang, Nucleic
Acids Res. 41, D1096, 2013), and P6G. What it lists and is as often biology stays a ligand here:
sugars such as NAG, lipids, nucleotides, metals.
"""
