import pytest

from bio_interp.building import load_recipe


@pytest.mark.parametrize("number", range(2))
def test_the_recipes_of_the_page_are_read(number, blocks, tmp_path):
    whole = [text for text in blocks("howto-build.md", "toml") if "[atlas]" in text]
    assert len(whole) == 2
    path = tmp_path / "build.toml"
    path.write_text(whole[number])
    recipe = load_recipe(path)
    assert recipe.atlas.name in ("mine", "my_family")
    assert recipe.model.site == "layer.4"


def test_the_smallest_numbers_of_clusters_are_those_of_the_code(docs, blocks, tmp_path):
    path = tmp_path / "build.toml"
    path.write_text(blocks("howto-build.md", "toml")[0])
    least = load_recipe(path).link
    words = " ".join((docs / "howto-build.md").read_text().split())
    assert f"{least.min_select} clusters of the select fold and {least.min_calibrate} of" in words
