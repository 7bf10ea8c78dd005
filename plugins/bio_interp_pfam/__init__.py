"""Pfam and any HMMER profiles as concepts: scans with pyhmmer, and tables of hits.

``pip install "bio-interp[pfam]"`` brings pyhmmer, which scanning needs; reading hits does not.
"""

from bio_interp_pfam._annotator import PfamAnnotator
from bio_interp_pfam._hits import read_hits
from bio_interp_pfam._names import pfam_names
from bio_interp_pfam._scan import read_scan, scan, scan_to_table
from bio_interp_pfam._tables import HITS, pfam_table

ANNOTATOR = PfamAnnotator()

__all__ = [
    "ANNOTATOR",
    "HITS",
    "PfamAnnotator",
    "pfam_names",
    "pfam_table",
    "read_hits",
    "read_scan",
    "scan",
    "scan_to_table",
]
