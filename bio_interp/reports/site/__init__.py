"""An atlas as a folder of static pages, and a server for it.

The pages are ours, without any framework: plain scripts and one stylesheet, and data as scripts
that call one function, so that the folder opens from a disk (where a page may fetch nothing) as
well as from any web server.

==================  ============================================================================
file                what is in it
==================  ============================================================================
index.html          the page; the part of its address behind ``#`` says what it shows
explorer/           scripts and stylesheets, the same in every site
data/index.js       what tables and search need, a list a column
data/f0.js ...      details of `FEATURES_A_FILE` features each; ``c0.js`` of concepts, ``p0.js``
                    of proteins
files/              tables of the atlas, to download
views/              3D views that were given: ``f12.html`` of a feature, ``p3.html`` of a protein
site.json           what made the folder: one that has it may be written anew
==================  ============================================================================

Text out of files reaches the page as JSON with nothing but ASCII and no ``<`` in it, and the
document as text nodes. The page's own policy forbids scripts, styles and frames of others and any
request to another machine.
"""

from bio_interp.reports.site._data import data_script
from bio_interp.reports.site._server import SITE_POLICY, VIEW_POLICY, SiteServer, open_site
from bio_interp.reports.site._write import FEATURES_A_FILE, SiteTotals, write_site

__all__ = [
    "FEATURES_A_FILE",
    "SITE_POLICY",
    "VIEW_POLICY",
    "SiteServer",
    "SiteTotals",
    "data_script",
    "open_site",
    "write_site",
]
