import pytest

from bio_interp.sae.kernels import decoder_route, selection_route
from bio_interp.sae.kernels._plan import power_of_two, shortlist, tile


@pytest.mark.parametrize("width", [1, 7, 320, 480, 640, 1280, 1900, 2560, 8192])
def test_a_tile_is_a_power_of_two_that_wastes_little(width: int) -> None:
    size = tile(width, 256)
    assert size & (size - 1) == 0
    assert size <= 256
    assert width < 16 or -(-width // size) * size <= 1.15 * width


def test_1280_columns_do_not_become_2048() -> None:
    assert 1280 % tile(1280, 512) == 0


def test_a_gather_pays_the_sooner_the_sparser_and_where_the_decoder_fits_the_cache() -> None:
    assert decoder_route(81_920, 64, 1280) == "sparse"
    assert decoder_route(100 * 64, 64, 1280) == "sparse"  # 16 MB: in the cache
    assert decoder_route(100 * 1024, 1024, 1280) == "dense"  # 262 MB: not


def test_a_product_in_float32_is_left_to_cublas() -> None:
    assert selection_route(64, bytes_each=4) == "dense"
    assert selection_route(320) == "fused"


def test_a_list_is_never_longer_than_the_dictionary_and_holds_k() -> None:
    for d_sae, k in ((5, 5), (100, 3), (10_000, 64)):
        for whole in (True, False):
            assert k <= shortlist(d_sae, k, whole_batch=whole) <= d_sae


def test_powers_of_two_start_at_16() -> None:
    assert [power_of_two(n) for n in (1, 16, 17, 64, 65)] == [16, 16, 32, 64, 128]
