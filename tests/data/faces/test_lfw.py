"""Labeled Faces in the Wild: folds of View 2, the lists wherever they lie, and the real thing where it is there."""

import re
import tarfile
from pathlib import Path

import pytest
import torch

from dlthink.data.faces.lfw import Lfw
from dlthink.errors import BadInput
from dlthink.files.downloads import DOWNLOADS
from tests.data.photos.made_photos import laid, packed, people, picture, zipped

REAL = Path(__file__).parents[4] / "shared" / "data" / "faces_lfw"
COUNTS = {f"Person_{letter}{i}": 1 + i % 4 for letter in "ABCD" for i in range(10)}
FOLDS = {1: ("A", "B"), 2: ("C", "D")}
SMALL = {"size": 16, "photos": 2, "validation": 0.3}


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def pairs(each=2, folds=2, ends="\n"):
    """Fold 1 is about people A0 .. A5, fold 2 about C0 .. C5."""
    lines = [f"{folds}\t{each}"]
    for letter in "AC"[:folds]:
        lines += [f"Person_{letter}{n}\t1\t2" for n in (1, 2)]
        lines += [f"Person_{letter}{n}\t1\tPerson_{letter}{n + 1}\t1" for n in (3, 4)]
    return ends.join(lines) + ends


@pytest.fixture
def folder(tmp_path):
    return laid(tmp_path / "lfw", people(COUNTS) | {"pairs.txt": pairs()})


def data(path, fold=1, **more):
    return Lfw(str(path), fold, **(SMALL | more))


def named(found, split):
    """The people of a split, by their photos' numbers; photos are numbered in the order of their names."""
    names = sorted(people(COUNTS))
    return {names[i].split("/")[0] for i in split.about["photo"].tolist()}


@pytest.mark.parametrize("fold, letter", [(1, "A"), (2, "C")])
def test_the_people_of_a_fold_are_test_and_no_others(folder, fold, letter):
    found = data(folder, fold)
    assert named(found, found.test) == {f"Person_{letter}{n}" for n in (1, 2, 3, 4, 5)}
    assert not named(found, found.test) & (named(found, found.train) | named(found, found.val))
    names = sorted(people(COUNTS))
    said = [[names[i], names[j], same] for i, j, same in found.facts["pairs"]]

    def photo(n, i):
        return f"Person_{letter}{n}/Person_{letter}{n}_000{i}.png"

    assert said == [
        [photo(1, 1), photo(1, 2), 1],
        [photo(2, 1), photo(2, 2), 1],
        [photo(3, 1), photo(4, 1), 0],
        [photo(4, 1), photo(5, 1), 0],
    ]
    assert {i for pair in found.facts["pairs"] for i in pair[:2]} <= set(found.test.about["photo"].tolist())


def test_the_state_of_a_run_keeps_the_fold(folder):
    found = data(folder)
    again = data(folder, state=found.state)
    assert again.facts == found.facts and again.train.y.equal(found.train.y)
    for changed in ({"fold": 2}, {"fold": None}):
        with pytest.raises(BadInput, match=r"data.fold=.*train anew"):
            data(folder, state=found.state, **changed)


def test_lists_lie_in_it_beside_it_or_where_the_user_says(tmp_path):
    files, lists = people(COUNTS), {"pairs.txt": pairs(ends="\r\n")}
    inside = zipped(tmp_path / "1" / "in.zip", files | lists) if (tmp_path / "1").mkdir() is None else None
    beside = zipped(laid(tmp_path / "2", lists) / "beside.zip", files)
    below = zipped(laid(tmp_path / "3", {"lists/pairs.txt": pairs()}) / "a.zip", files)
    apart = laid(tmp_path / "4", files)
    given = laid(tmp_path / "5", lists)
    expected = data(inside).facts["pairs"]
    assert len(expected) == 4
    for found in (data(beside), data(below), data(below.parent), data(apart, lists=str(given))):
        assert len(found.facts["pairs"]) == 4 and found.test.y.equal(data(inside).test.y)


def test_what_dlthink_fetch_brings_is_found(data_folder):
    assert [file.name for file in DOWNLOADS["lfw"].files] == [
        "lfw-funneled.tgz",
        "pairsDevTrain.txt",
        "pairsDevTest.txt",
        "pairs.txt",
    ]
    with pytest.raises(BadInput, match="dlthink fetch lfw"):
        Lfw()
    unpacked = laid(data_folder / "x", {f"lfw_funneled/{name}": content for name, content in people(COUNTS).items()})
    place = laid(data_folder / "lfw", {"pairs.txt": pairs(), "lfw_funneled.txt": ""})
    with tarfile.open(place / "lfw-funneled.tgz", "w:gz") as archive:
        archive.add(unpacked / "lfw_funneled", "lfw_funneled")
    assert len(Lfw(fold=1, **SMALL).facts["pairs"]) == 4


def test_without_a_fold_the_test_of_view_1_is_test(folder, tmp_path):
    at_random = data(folder, None)
    assert at_random.facts["pairs"] is None and len(named(at_random, at_random.test)) > 1
    laid(folder, {"pairsDevTest.txt": "1\nPerson_B1\t1\t2\nPerson_B2\t1\tPerson_B3\t1\n"})
    official = data(folder, None)
    assert named(official, official.test) == {"Person_B1", "Person_B2", "Person_B3"} and official.facts["pairs"] is None
    lists = laid(
        tmp_path / "l",
        {
            "view1_test_same.txt": "Person_D1_0001 Person_D1_0002\r\n",
            "view1_test_diff.txt": "Person_D2_0001 Person_D3_0001\r\n",
        },
    )
    assert named(official, data(folder, None, lists=str(lists)).test) == {"Person_D1", "Person_D2", "Person_D3"}


def test_genders_are_groups_and_a_person_called_both_has_none(folder):
    assert "groups" not in data(folder).test.known(torch.arange(1))
    laid(
        folder,
        {
            "afif4_male_names.txt": "Person_A1_0001.jpg\r\nPerson_A2_0001.jpg\r\nPerson_A3_0001.jpg\r\n",
            "afif4_female_names.txt": "Person_A3_0002.jpg\r\nPerson_A4_0001.jpg\r\n",
        },
    )
    test = data(folder).test
    groups = test.known(torch.arange(len(test)))["groups"]
    by = dict(
        zip(
            [sorted(people(COUNTS))[i].split("/")[0][-2:] for i in test.about["photo"].tolist()],
            zip(groups["female"].tolist(), groups["male"].tolist(), strict=True),
            strict=True,
        )
    )
    she, he, unknown = (True, False), (False, True), (False, False)
    assert by == {"A1": he, "A2": he, "A3": unknown, "A4": she, "A5": unknown}


def test_twins_stay_where_the_pairs_name_them(folder):
    """The published pairs are examined as they are; the copy under another name is not trained on."""
    same = packed(picture(77))
    laid(
        folder,
        {
            "Person_A1/Person_A1_0001.png": same,
            "Person_B7/Person_B7_0001.png": same,
            "Person_B8/Person_B8_0001.png": people(COUNTS)["Person_A9/Person_A9_0001.png"],
        },
    )
    found = data(folder)
    assert len(found.facts["pairs"]) == 4
    (note,) = [note for note in found.notes if "two names" in note]
    assert note.startswith("3 photos show one picture under two names, all left out: Person_A9/Person_A9_0001.png")


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "text, fold, says",
    [
        (pairs().replace("A2\t1\t2", "A2\t1\t9"), 1, "pairs.txt, line 3: there is no photo Person_A2/Person_A2_0009"),
        (pairs().replace("Person_A3\t1\tP", "Nobody\t1\tP"), 1, "line 4: there is no photo Nobody/Nobody_0001"),
        (pairs().replace("Person_A2\t1\t2", "Person_A2\t1"), 1, "line 3: should be `name 1 2`"),
        (pairs().replace("Person_A2\t1\t2", "Person_A2\tone\t2"), 1, "line 3: should be `name 1 2`"),
        (pairs(), 3, "data.fold=3: .*pairs.txt has folds 1 to 2"),
        (pairs(), 0, "data.fold=0: .*pairs.txt has folds 1 to 2"),
        ("\n".join(pairs().splitlines()[:-2]), 1, "ends before its 8 pairs"),
        ("", 1, "line 1: should say folds and pairs"),
        ("a b\n", 1, "line 1: should say folds and pairs"),
    ],
)
def test_lists_that_do_not_fit(tmp_path, text, fold, says):
    with pytest.raises(BadInput, match=says) as error:
        data(laid(tmp_path / "a", people(COUNTS) | {"pairs.txt": text}), fold)
    assert "\n" not in str(error.value)


def test_no_list_is_a_bomb(tmp_path, monkeypatch):
    """A text that nobody asks for is not read, however large; a list has a largest size, packed or not."""
    files = people(COUNTS) | {"pairs.txt": pairs(), "notes.txt": b"0" * 2_000_000}
    monkeypatch.setattr("dlthink.data.faces.lfw_lists.LARGEST", 1_000_000)
    monkeypatch.setattr("dlthink.data.photos.photo_files.LARGEST", 1_500_000)
    data(zipped(tmp_path / "a.zip", files))
    data(laid(tmp_path / "a", files))
    files["pairs.txt"] += "\n" * 1_200_000
    for i, place in enumerate((zipped(tmp_path / "b.zip", files), laid(tmp_path / "b", files))):
        with pytest.raises(BadInput, match=r"pairs.txt: has more than \d+ MB") as error:
            data(place)
        assert "\n" not in str(error.value), i


def test_no_lists(tmp_path):
    path = laid(tmp_path / "a" / "b", people(COUNTS))
    with pytest.raises(BadInput, match=r"data.fold=1: needs pairs.txt"):
        data(path)
    with pytest.raises(BadInput, match=r"data.lists=.*: is no folder"):
        data(path, lists=str(tmp_path / "none"))


def test_a_pair_whose_photo_does_not_open_is_left_out_and_told(folder):
    laid(folder, {"Person_A1/Person_A1_0002.png": b"no"})
    found = data(folder)
    assert len(found.facts["pairs"]) == 3
    assert "1 pairs left out, their photos cannot be used (line 2 of pairs.txt)" in found.notes


# ------------------------------------------------------------------------------------------------------ the real thing


@pytest.mark.skipif(not REAL.exists(), reason=f"the photos of LFW are not at {REAL}")
def test_real_pairs_are_read_whole():
    from dlthink.data.faces.lfw_lists import Lists

    lists = Lists(type("Somewhere", (), {"path": REAL, "texts": []}), str(REAL / "lists"))
    seen = set()
    for fold in range(1, 11):
        _, said = lists.view2(fold)
        who = {photo[0] for pair in said for photo in (pair.first, pair.second)}
        assert [pair.same for pair in said] == [True] * 300 + [False] * 300 and not who & seen
        seen |= who
    assert len(seen) == 4281
    genders = lists.genders()
    assert (sum(genders.values()), len(genders)) == (4272, 4272 + 1471)


@pytest.mark.skipif(not REAL.exists(), reason=f"the photos of LFW are not at {REAL}")
@pytest.mark.slow
def test_real_photos():
    from sklearn.metrics import roc_auc_score

    found = Lfw(str(REAL), 10, size=32)
    assert not [note for note in found.notes if "left out: 1 " in note]
    numbers = re.findall(r"[\d,]+", found.notes[-1])
    photos = [int(n.replace(",", "")) for n in numbers]
    assert len(found.test) == photos[4] == 1611 and photos[5] == 451
    pairs_ = found.facts["pairs"]
    assert len(pairs_) == 600
    row = {photo: i for i, photo in enumerate(found.test.about["photo"].tolist())}
    for i, j, same in pairs_:
        assert (found.test.y[row[i]] == found.test.y[row[j]]) == bool(same)
    for name, least in (("pixels", 0.66), ("pca", 0.7)):
        e = found.test.about["baselines"][name]["embedding"]
        assert roc_auc_score([p[2] for p in pairs_], [float(e[row[i]] @ e[row[j]]) for i, j, _ in pairs_]) > least
    (twins,) = [note for note in found.notes if "two names" in note]
    assert twins.startswith("10 photos") and "Bart_Hendricks" in twins
