import importlib.util

import pytest


@pytest.fixture(scope="module")
def relink(docs):
    path = docs / "_ext/repository_links.py"
    spec = importlib.util.spec_from_file_location("repository_links", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.relink


@pytest.mark.parametrize(
    ("written", "folder", "page", "wanted"),
    [
        # a page is called by its title; words of the author's own stay
        ("[formats.md](formats.md)", "docs", "cli.md", "[](formats.md)"),
        ("[all](formats.md)", "docs", "api/atlas.md", "[all](../formats.md)"),
        ("[a](howto-build.md#on-a-cluster)", "docs", "cli.md", "[a](howto-build.md#on-a-cluster)"),
        # what a page includes leads to that page
        ("[rules](CONTRIBUTING.md)", ".", "changelog.md", "[rules](contributing.md)"),
        ("[l](../examples/laptop/README.md)", "docs", "cli.md", "[l](examples.md)"),
        ("[b](../../docs/howto-build.md)", "examples/laptop", "examples.md", "[b](howto-build.md)"),
        # files are offered, folders cannot be
        ("[e](../NOTICE)", "docs", "cli.md", "[e](path:../NOTICE)"),
        ("[`results`](../benchmarks/results)", "docs", "cli.md", "`results`"),
        # the web and the page itself are left alone
        ("[u](https://www.uniprot.org/)", "docs", "cli.md", "[u](https://www.uniprot.org/)"),
        ("[below](#an-atlas)", "docs", "plugins.md", "[below](#an-atlas)"),
    ],
)  # fmt: skip
def test_links_for_readers_of_the_repository_work_on_the_pages(
    relink, docs, written, folder, page, wanted
):
    assert relink(written, docs.parent / folder, docs / page, docs.parent) == wanted
