"""The Merkle tree: the examples of the RFC, published vectors, and every tree against its sense."""

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.domain.merkle import (
    EMPTY_ROOT,
    CompactRange,
    Range,
    complete_subtrees,
    consistency_ranges,
    includes,
    inclusion_ranges,
    is_consistent,
    leaf_hash,
    node_hash,
    peaks_of,
    root_over,
)

#: Leaves and figures of the reference implementation of Certificate Transparency.
LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSIONS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCIES = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]

hashes = st.lists(st.binary(min_size=1, max_size=4).map(leaf_hash), max_size=70)
SMALL = range(1, 34)


def plain_root(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1 defines it, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


def plain_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as section 2.1.1 defines it."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*plain_path(index, leaves[:split]), plain_root(leaves[split:])]
    return [*plain_path(index - split, leaves[split:]), plain_root(leaves[:split])]


def plain_proof(size: int, leaves: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF as section 2.1.2 defines it."""
    if size == len(leaves):
        return [] if known else [plain_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if size <= split:
        return [*plain_proof(size, leaves[:split], known), plain_root(leaves[split:])]
    return [*plain_proof(size - split, leaves[split:], False), plain_root(leaves[:split])]


def of_ranges(ranges: list[Range], leaves: list[bytes]) -> list[bytes]:
    return [plain_root(leaves[first:end]) for first, end in ranges]


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(bytes([number])) for number in range(count)]


def changed(hash_: bytes) -> bytes:
    return bytes([hash_[0] ^ 1]) + hash_[1:]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert CompactRange.of(map(leaf_hash, LEAVES[:size])).root.hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSIONS)
def test_inclusion_proofs_are_those_of_the_reference_implementation(
    index: int, size: int, path: list[str]
) -> None:
    leaves = [leaf_hash(each) for each in LEAVES[:size]]

    made = of_ranges(inclusion_ranges(index, size), leaves)

    assert [each.hex() for each in made] == path
    assert includes(leaves[index], index, size, made, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("size", "larger", "path"), CONSISTENCIES)
def test_consistency_proofs_are_those_of_the_reference_implementation(
    size: int, larger: int, path: list[str]
) -> None:
    leaves = [leaf_hash(each) for each in LEAVES[:larger]]

    made = of_ranges(consistency_ranges(size, larger), leaves)

    assert [each.hex() for each in made] == path
    assert is_consistent(
        size, bytes.fromhex(ROOTS[size]), larger, bytes.fromhex(ROOTS[larger]), made
    )


def test_proofs_are_those_of_the_examples_in_the_rfc() -> None:
    # Section 2.1.3: a tree of seven leaves d0 to d6. There, a to d, e, f, j are leaf hashes, g, h,
    # i the nodes above two, k and l those below the root.
    assert inclusion_ranges(0, 7) == [(1, 2), (2, 4), (4, 7)]  # b, h, l
    assert inclusion_ranges(3, 7) == [(2, 3), (0, 2), (4, 7)]  # c, g, l
    assert inclusion_ranges(4, 7) == [(5, 6), (6, 7), (0, 4)]  # f, j, k
    assert inclusion_ranges(6, 7) == [(4, 6), (0, 4)]  # i, k
    assert consistency_ranges(3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]  # c, d, g, l
    assert consistency_ranges(4, 7) == [(4, 7)]  # l
    assert consistency_ranges(6, 7) == [(4, 6), (6, 7), (0, 4)]  # i, j, k


@given(hashes, st.data())
def test_a_tree_that_grows_by_any_steps_is_the_whole_tree(
    leaves: list[bytes], data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.integers(0, len(leaves)), max_size=5).map(sorted))
    grown = CompactRange()
    kept: dict[int, list[bytes]] = {}

    for first, end in pairwise([0, *steps, len(leaves)]):
        extension = grown.extended(leaves[first:end])
        grown = extension.range
        assert grown.root == plain_root(leaves[:end])
        for level, (index, new) in extension.nodes.items():
            assert len(kept.setdefault(level, [])) == index
            kept[level] += new

    assert grown.size == len(leaves)
    for level, nodes in kept.items():
        assert nodes == [
            plain_root(leaves[index << level : index + 1 << level]) for index in range(len(nodes))
        ]
    assert [grown.peaks[level] for level, _ in peaks_of(len(leaves))] == [
        kept[level][index] for level, index in peaks_of(len(leaves))
    ]


@given(hashes.filter(bool), st.data())
def test_proofs_are_what_the_rfc_defines_and_hold(leaves: list[bytes], data: st.DataObject) -> None:
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    earlier = data.draw(st.integers(1, size))

    path = of_ranges(inclusion_ranges(index, size), leaves)
    proof = of_ranges(consistency_ranges(earlier, size), leaves)

    assert path == plain_path(index, leaves)
    assert proof == plain_proof(earlier, leaves)
    assert includes(leaves[index], index, size, path, plain_root(leaves))
    assert is_consistent(earlier, plain_root(leaves[:earlier]), size, plain_root(leaves), proof)


@given(hashes.filter(bool), st.data())
def test_ranges_of_proofs_are_made_of_complete_subtrees(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    earlier = data.draw(st.integers(1, size))

    for first, end in inclusion_ranges(index, size) + consistency_ranges(earlier, size):
        subtrees = [
            plain_root(leaves[at << level : at + 1 << level])
            for level, at in complete_subtrees((first, end))
        ]
        assert root_over(subtrees) == plain_root(leaves[first:end])


@pytest.mark.parametrize("size", SMALL)
def test_a_path_of_one_leaf_proves_no_other_leaf_size_or_root(size: int) -> None:
    leaves = some_leaves(size)
    root = plain_root(leaves)
    for index in range(size):
        path = plain_path(index, leaves)
        for other in range(size + 1):
            if other != index:
                assert not includes(leaves[index], other, size, path, root)
        assert not includes(changed(leaves[index]), index, size, path, root)
        assert not includes(leaves[index], index, size, path, changed(root))
        assert not includes(leaves[index], index, size, [*path, root], root)
        assert not includes(leaves[index], -1, size, path, root)
        for at in range(len(path)):
            spoilt = [*path[:at], changed(path[at]), *path[at + 1 :]]
            assert not includes(leaves[index], index, size, spoilt, root)
            assert not includes(leaves[index], index, size, path[:at], root)


@pytest.mark.parametrize("size", SMALL)
def test_a_proof_of_consistency_holds_for_nothing_else(size: int) -> None:
    leaves = some_leaves(size)
    root = plain_root(leaves)
    for earlier in range(1, size + 1):
        proof = plain_proof(earlier, leaves)
        before = plain_root(leaves[:earlier])
        assert not is_consistent(earlier, changed(before), size, root, proof)
        assert not is_consistent(earlier, before, size, changed(root), proof)
        assert not is_consistent(earlier, before, size, root, [*proof, root])
        assert not is_consistent(size + 1, before, size, root, proof)
        assert not is_consistent(0, EMPTY_ROOT, size, root, proof)
        for at in range(len(proof)):
            spoilt = [*proof[:at], changed(proof[at]), *proof[at + 1 :]]
            assert not is_consistent(earlier, before, size, root, spoilt)
            assert not is_consistent(earlier, before, size, root, proof[:at])


def test_a_leaf_and_a_node_of_the_same_bytes_have_different_hashes() -> None:
    left, right = some_leaves(2)

    assert leaf_hash(left + right) != node_hash(left, right)
