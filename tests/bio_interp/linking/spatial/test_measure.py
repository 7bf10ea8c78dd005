"""What is measured of a pattern on a chain, and what is found over chains."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import kstest

from bio_interp.errors import MismatchError
from bio_interp.linking.spatial import (
    SPATIAL,
    STATISTICS,
    SpatialChain,
    blocks_of,
    depths,
    draw_starts,
    excess_of_letters,
    measure_spatial,
    spatial_table,
    usual_distances,
)
from bio_interp.linking.spatial._ground import Ground

from .conftest import as_codes, folded

DISTANCE, SEPARATION, BEYOND = range(3)
NONE = np.zeros((26, 26))
LIGAND = STATISTICS.index("ligand")


def hairpin(strand: int = 8) -> np.ndarray:
    """Lay a strand out along x, and a second one back beside it, 5 angstrom away."""
    out = np.stack([np.arange(strand) * 4.0, np.zeros(strand), np.zeros(strand)], axis=1)
    return np.concatenate([out, out[::-1] + np.array([0, 5, 0])])


def fires(length: int, *at: int) -> np.ndarray:
    on = np.zeros(length, dtype=bool)
    on[list(at)] = True
    return on


def sphere(chain: SpatialChain, rng: np.random.Generator, radius: float = 9.0) -> np.ndarray:
    """Fire at most residues around a random place of the chain: a pocket."""
    middle = chain.coordinates[rng.integers(len(chain.sequence))]
    near = np.linalg.norm(chain.coordinates - middle, axis=1) < radius
    return near & (rng.random(len(near)) < 0.8)


def shuffled(on: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Place the blocks of a pattern at random."""
    blocks = blocks_of(on)
    return fires(len(on), *blocks.rows(draw_starts(blocks, 1, rng))[0])


def test_the_statistics_of_a_hairpin_are_those_computed_by_hand():
    chain = SpatialChain("h", "A" * 28, hairpin(14), {"ligand": (np.arange(28) < 4) * 1.0})
    ground = Ground.of(chain)
    excess = np.full((26, 26), 0.5)
    found = ground.pool(fires(28, 3, 4, 23, 24), excess, 9, np.random.default_rng(0))
    # two blocks; 3-24 and 4-23 lie across, 5 apart; 3-23 and 4-24 are 4 along and 5 across
    assert found[DISTANCE, 0] == pytest.approx((2 * 5 + 2 * np.sqrt(41)) / 4)
    assert found[SEPARATION, 0] == (21 + 19 + 20 + 20) / 4
    assert found[LIGAND, 0] == 1 / 4
    assert found[BEYOND, 0] == pytest.approx(
        found[DISTANCE, 0]
        - ground.usual.by_separation[[21, 19, 20, 20]].mean()
        - ground.usual.depth[[3, 4, 23, 24]].sum() / 2
        - 0.5
    )


def test_what_is_usual_comes_from_all_pairs_of_the_chain():
    places = hairpin()
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    one, other = np.triu_indices(16, 1)
    usual = usual_distances(np.arange(16), places)
    close = np.isin(other - one, (9, 10, 11))
    assert usual[10] == pytest.approx(distance[one, other][close].mean())
    depth = depths(np.arange(16), places, usual)
    above = distance - usual[np.abs(np.subtract.outer(np.arange(16), np.arange(16)))]
    np.fill_diagonal(above, 0.0)
    row = above.sum(axis=1) / 15
    np.testing.assert_allclose(depth, row - row.mean() / 2)


def test_letters_that_seek_each_other_are_closer_than_usual():
    rng = np.random.default_rng(0)
    chains = []
    for i in range(10):
        plain = folded(f"c{i}", 120, rng)
        seek = sphere(plain, rng)
        sequence = "".join("C" if here else rng.choice(list("AG")) for here in seek)
        chains.append(SpatialChain(plain.name, sequence, plain.coordinates))
    excess = excess_of_letters(Ground.of(chain).usual for chain in chains)
    assert excess[2, 2] < -1.5  # C with C
    assert abs(excess[0, 6]) < 0.5  # A with G
    np.testing.assert_allclose(excess, excess.T)
    assert excess[25, 25] == 0  # no Z
    on = [[np.array([x == "C" for x in chain.sequence])] for chain in chains]
    found = measure_spatial(chains, as_codes(on))
    assert found.p[0, DISTANCE] < 0.001
    assert found.p[0, BEYOND] > 0.05  # it is no more than its letter


def test_residues_that_are_not_seen_neither_fire_nor_take_a_block():
    places = hairpin(12)
    places[5:8] = np.nan
    ground = Ground.of(SpatialChain("h", "A" * 24, places, {}))
    rng = np.random.default_rng(0)
    on = fires(24, 3, 6, 7, 17)
    found = ground.pool(on, NONE, 50, rng)
    assert found[SEPARATION, 0] == 14  # counted along the chain, what is not seen included
    assert np.isfinite(found[:3]).all()
    assert ground.pool(fires(24, 6, 7), NONE, 50, rng) is None


def test_one_block_has_no_distance_but_surroundings():
    chain = SpatialChain("h", "A" * 16, hairpin(), {"ligand": (np.arange(16) < 2) * 1.0})
    rng = np.random.default_rng(0)
    found = Ground.of(chain).pool(fires(16, 0, 1, 2), NONE, 20, rng)
    assert np.isnan(found[:3]).all()
    assert found[LIGAND, 0] == pytest.approx(2 / 3)
    assert np.isnan(found[LIGAND + 1]).all()  # of metals the structure says nothing
    assert Ground.of(chain).pool(fires(16, *range(16)), NONE, 20, rng) is None
    assert Ground.of(chain).pool(fires(16), NONE, 20, rng) is None


def test_a_planted_pocket_is_found_and_its_blocks_at_random_are_not(chains):
    rng = np.random.default_rng(3)
    pockets = [[sphere(c, rng) for _ in range(6)] for c in chains]
    columns = [[*own, *(shuffled(on, rng) for on in own * 6)] for own in pockets]
    found = measure_spatial(chains, as_codes(columns))
    for statistic in (DISTANCE, BEYOND):
        assert (found.q[:6, statistic] < 0.001).all()
        assert (found.effect[:6, statistic] > 1).all()
        assert (found.p[6:, statistic] < 0.05).sum() <= 4  # of 36; more has a chance of 3 %
        assert np.abs(found.effect[6:, statistic]).max() < 1


def test_nearness_to_a_ligand_is_found_and_elsewhere_is_not():
    rng = np.random.default_rng(5)
    chains, columns = [], []
    for i in range(8):
        plain = folded(f"c{i}", 100, rng)
        near = sphere(plain, rng)
        chains.append(folded(f"c{i}", 100, rng, ligand=near.astype(float)))
        columns.append([near, np.roll(near, 50)])
    found = measure_spatial(chains, as_codes(columns))
    assert found.q[0, LIGAND] < 0.001
    assert found.observed[0, LIGAND] == 1.0
    assert found.expected[0, LIGAND] < 0.4
    assert found.q[1, LIGAND] > 0.05


def test_neighbours_in_sequence_are_compact_but_not_beyond_it():
    rng = np.random.default_rng(11)
    chains = [folded(f"c{i}", 300, rng) for i in range(12)]
    columns = []
    for chain in chains:
        own = []
        for _ in range(10):
            start = rng.integers(0, 240)  # three blocks, close by in the sequence
            own.append(fires(len(chain.sequence), start, start + 8, start + 16, start + 17))
        columns.append(own)
    found = measure_spatial(chains, as_codes(columns))
    assert (found.q[:, DISTANCE] < 0.001).all()
    assert (found.q[:, BEYOND] > 0.05).all()


def test_p_is_uniform_where_a_feature_is_blind_to_the_structure(chains):
    rng = np.random.default_rng(2)
    columns = [[shuffled(sphere(c, rng), rng) for _ in range(150)] for c in chains[:6]]
    found = measure_spatial(chains[:6], as_codes(columns), pool=60, most=999)
    p = found.p[:, DISTANCE]
    assert kstest(p[~np.isnan(p)], "uniform", alternative="greater").pvalue > 0.01
    assert 0.02 < (p[~np.isnan(p)] < 0.05).mean() < 0.09


def test_p_is_uniform_where_a_pattern_with_its_gaps_lies_anywhere(chains):
    rng = np.random.default_rng(2)

    def anywhere(chain):
        return np.roll(sphere(chain, rng), rng.integers(len(chain.sequence)))

    columns = [[anywhere(c) for _ in range(150)] for c in chains[:6]]
    found = measure_spatial(chains[:6], as_codes(columns), pool=60, most=999)
    p = found.p[:, BEYOND]
    assert kstest(p[~np.isnan(p)], "uniform", alternative="greater").pvalue > 0.01
    assert 0.02 < (p[~np.isnan(p)] < 0.05).mean() < 0.09


def test_a_feature_of_four_clusters_is_not_tested(chains):
    rng = np.random.default_rng(3)
    none = [np.zeros(len(c.sequence), dtype=bool) for c in chains]
    columns = [
        [sphere(c, rng) if i < 4 else none[i], sphere(c, rng) if i < 5 else none[i]]
        for i, c in enumerate(chains)
    ]
    found = measure_spatial(chains, as_codes(columns))
    assert found.clusters[:, DISTANCE].tolist() == [4, 5]
    assert np.isnan(found.p[0]).all()
    assert found.p[1, DISTANCE] < 0.05
    table = spatial_table(found)
    assert dict(table.schema) == SPATIAL
    assert table["compact_p"].null_count() == 1
    assert table["spatial_fires"].to_list() == [4, 5]


def test_the_same_seed_gives_the_same_table(chains):
    rng = np.random.default_rng(4)
    codes = as_codes([[sphere(c, rng)] for c in chains])
    one, other = (spatial_table(measure_spatial(chains, codes, seed=7)) for _ in range(2))
    assert one.equals(other)


def test_nothing_to_measure_is_an_empty_table_and_wrong_codes_are_refused(chains):
    table = spatial_table(measure_spatial([], []))
    assert (table.height, dict(table.schema)) == (0, SPATIAL)
    with pytest.raises(MismatchError, match="codes of 1 chains"):
        measure_spatial(chains[:1], [csr_matrix((3, 4), dtype=np.float32)])


def test_the_list_columns_hold_what_enough_clusters_tell_of():
    rng = np.random.default_rng(6)
    helix = np.tile(np.repeat([0.0, 1.0], 10), 5)
    chains = [
        folded(f"c{i}", 100, rng, helix=helix, **({"metal": helix} if i < 4 else {}))
        for i in range(8)
    ]
    codes = as_codes([[(helix > 0) & (rng.random(100) < 0.5)] for _ in chains])
    row = spatial_table(measure_spatial(chains, codes)).row(0, named=True)
    assert row["around"] == ["helix"]
    assert row["around_clusters"] == [8]
    assert (row["around_share"], row["around_q"][0] < 0.001) == ([1.0], True)
    assert row["around_null"][0] == pytest.approx(0.5, abs=0.1)
