"""The published layout: roles, copies, what a run has seen, and the real photos where they are there."""

import io
from collections import defaultdict
from pathlib import Path

import pytest
import torch

from dlthink.data.seasons.yosemite import FETCHED, Yosemite
from dlthink.errors import BadInput
from dlthink.files.downloads import DOWNLOADS
from tests.data.photos.made_photos import Image, decode, laid, packed, picture, tarred, zipped
from tests.data.seasons.made_seasons import inside, photos, published

REAL = Path(__file__).parents[4] / "shared" / "data" / "seasons" / "yosemite128"


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def data(place, **more):
    return Yosemite(str(place), **({"size": 32, "load": 36} | more))


def counts(found):
    return [tuple(split.count.values()) for split in (found.train, found.val, found.test)]


def shows(found, role, season, content):
    """Is this photo in that split?"""
    side = found.load if role == "train" else found.size
    photos_ = getattr(found, role).photos[season]
    return bool((photos_ == torch.from_numpy(decode(content, side, False).copy())).flatten(1).all(1).any())


def said(make):
    with pytest.raises(BadInput) as error:
        make()
    assert "\n" not in str(error.value)
    return str(error.value)


# -------------------------------------------------------------------------------------------------------------- roles


@pytest.mark.parametrize("below", ["", "summer2winter_yosemite/"])
@pytest.mark.parametrize("pack", [laid, zipped, tarred])
def test_published_roles_and_validation_from_train(tmp_path, pack, below):
    files = published()
    found = data(pack(tmp_path / "a set.zip", {below + name: content for name, content in files.items()}))
    assert counts(found) == [(6, 4), (2, 2), (3, 2)]
    for name, content in files.items():
        folder, season = name.split("/")[0], "summer" if "A/" in name else "winter"
        where = [role for role in ("train", "val", "test") if shows(found, role, season, content)]
        assert where == ["test"] if folder.startswith("test") else where in (["train"], ["val"])
    assert found.train.photos["summer"].shape[2:] == (36, 36) and found.test.photos["winter"].shape[2:] == (32, 32)
    x, _ = found.train.draw(torch.arange(4))
    assert x["winter"].shape == (4, 3, 32, 32) and found.state["size"] == 32
    assert found.tables == {} and not [note for note in found.notes if "left out" in note]


def test_who_is_validation_depends_on_the_content_alone(tmp_path):
    many = published((40, 40))
    found = data(laid(tmp_path / "a", many), validation=0.25)
    renamed = {f"{name.split('/')[0]}/{99 - i}.png": content for i, (name, content) in enumerate(many.items())}
    again = data(laid(tmp_path / "b", renamed), validation=0.25)
    for season in ("summer", "winter"):
        assert 3 <= found.val.count[season] <= 17
        one, other = (torch.sort(d.val.photos[season].flatten(1).long().sum(1))[0] for d in (found, again))
        assert one.equal(other)


@pytest.mark.parametrize("load", [32, 36])
def test_over_five_folds_each_photo_is_test_once(tmp_path, load):
    place = laid(tmp_path / "a", published((30, 20), (9, 8)))
    folds = [data(place, fold=k, load=load) for k in range(5)]
    for season, n in (("summer", 39), ("winter", 28)):
        tests = [pixels for fold in folds for pixels in fold.test.photos[season].flatten(1).tolist()]
        assert len(tests) == n == len({*map(tuple, tests)}), "all of them, published as train or as test"
        for fold in folds:
            assert 0 < fold.test.count[season] < n / 2
            rest = [*fold.train.photos[season], *fold.val.photos[season]]
            assert len(rest) + fold.test.count[season] == n
    for role in ("train", "val", "test"):
        again = data(place, fold=3, load=load, state=folds[3].state)
        assert getattr(again, role).photos["summer"].equal(getattr(folds[3], role).photos["summer"])


def test_of_few_photos_too_none_is_test_twice(tmp_path):
    place, tests, refused = laid(tmp_path / "a", published((9, 8), (4, 4))), [], []
    for k in range(5):
        try:
            tests += data(place, fold=k).test.photos["winter"].flatten(1).tolist()
        except BadInput as error:
            refused.append(str(error))
    assert 0 < len(tests) == len({*map(tuple, tests)})
    assert all(message.startswith("data.fold=") and "give more photos" in message for message in refused)
    assert refused or len(tests) == 12


def test_a_run_of_a_fold_is_examined_with_all_that_it_has_not_seen(tmp_path):
    place = laid(tmp_path / "a", published((30, 20), (9, 8)))
    grown = laid(tmp_path / "b", published((40, 30), (9, 8)))
    for k in range(5):
        run = data(place, fold=k)
        again = data(grown, fold=k, state=run.state)
        assert again.test.count["summer"] == run.test.count["summer"] + 10
        assert again.train.photos["summer"].equal(run.train.photos["summer"])


@pytest.mark.parametrize("fold", [-1, 5])
def test_there_are_five_folds(tmp_path, fold):
    message = said(lambda: data(laid(tmp_path / "a", published()), fold=fold))
    assert message.startswith(f"data.fold={fold}:") and "0 to 4" in message


def test_a_run_finds_its_photos_again_and_tests_none_that_it_has_seen(tmp_path):
    files = published()
    found = data(laid(tmp_path / "a", files))
    again = data(tmp_path / "a", state=found.state)
    for role in ("train", "val", "test"):
        for season in ("summer", "winter"):
            assert getattr(again, role).photos[season].equal(getattr(found, role).photos[season])
    older = {name: value for name, value in found.state.items() if name != "fold"}  # of a run before there were folds
    assert data(tmp_path / "a", state=older).test.photos["summer"].equal(found.test.photos["summer"])
    assert "data.fold=2" in said(lambda: data(tmp_path / "a", state=older, fold=2))
    moved = published(test=(3, 2)) | {"testA/seen.png": files["trainA/00.png"]}
    del moved["trainA/00.png"]
    other = data(laid(tmp_path / "b", moved), state=found.state)
    assert other.test.count == {"summer": 3, "winter": 2}
    assert "1 photos of summer were seen in training: no test, left out" in other.notes
    for changed in ({"size": 36}, {"validation": 0.5}, {"fold": 0}, {"clean": False}):
        assert "train anew" in said(lambda changed=changed: data(tmp_path / "a", state=found.state, **changed))


# ------------------------------------------------------------------------------------------------------------ cleaning


def test_photos_are_cleaned(tmp_path):
    files = published()
    reencoded = packed(Image.open(io.BytesIO(files["testB/06.png"])), "BMP")
    files |= {
        "trainA/again.png": files["trainA/00.png"],
        "trainA/test.png": files["testA/08.png"],
        "trainB/test.bmp": reencoded,
        "trainB/summer.png": files["trainA/01.png"],
        "trainB/flat.png": packed(Image.new("RGB", (40, 40), (200, 30, 30))),
        "testB/tiny.png": packed(picture(1, (31, 90))),
        "testB/page.jpg": b"<!DOCTYPE html><html>not found</html>",
    }
    found = data(laid(tmp_path / "a", files))
    assert [sum(n) for n in zip(*counts(found)[:2], strict=True)] == [7, 6] and counts(found)[2] == (3, 2)
    assert found.notes[0] == (
        "clean: 8 of 26 photos left out, see clean.csv: 5 copies (1 repeated, 2 in train and "
        "test, 2 in both domains, where none stays); 1 flat (trainB/flat.png); 1 tiny (testB/tiny.png); "
        "1 unreadable (testB/page.jpg)"
    )
    header, *table = found.tables["clean.csv"]
    assert header == ["photo", "domain", "split", "finding", "kept", "same as"]
    assert {row[0]: row[3:] for row in table} == {
        "trainA/00.png": ["repeated", "yes", "trainA/again.png"],
        "trainA/again.png": ["repeated", "no", "trainA/00.png"],
        "trainA/test.png": ["in train and test", "no", "testA/08.png"],
        "testA/08.png": ["in train and test", "yes", "trainA/test.png"],
        "trainB/test.bmp": ["in train and test", "no", "testB/06.png"],
        "testB/06.png": ["in train and test", "yes", "trainB/test.bmp"],
        "trainA/01.png": ["in both domains", "no", "trainB/summer.png"],
        "trainB/summer.png": ["in both domains", "no", "trainA/01.png"],
        "trainB/flat.png": ["flat", "no", ""],
        "testB/tiny.png": ["tiny (31 x 90)", "no", ""],
        "testB/page.jpg": ["unreadable (no picture that pillow can read)", "no", ""],
    }
    for name in ("trainA/01.png", "testA/08.png"):
        assert not shows(found, "train", "summer", files[name])


def test_without_cleaning_only_what_cannot_be_used_goes(tmp_path):
    files = published()
    files |= {"trainA/again.png": files["trainA/00.png"], "testB/page.jpg": b"<html>"}
    found = data(laid(tmp_path / "a", files), clean=False)
    assert found.notes[0] == "1 of 21 photos left out: 1 unreadable (testB/page.jpg)" and found.tables == {}
    assert [sum(n) for n in zip(*counts(found)[:2], strict=True)] == [9, 6]


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("folder", ["trainA", "trainB", "testA", "testB"])
def test_a_folder_is_missing_or_empty(tmp_path, folder):
    files = {name: content for name, content in published().items() if not name.startswith(folder)}
    assert f"has no photos in {folder}," in said(lambda: data(laid(tmp_path / "a", files | {f"{folder}/a.md": b""})))


def test_a_folder_of_something_else(tmp_path):
    assert "has no photos in trainA" in said(lambda: data(laid(tmp_path / "a", photos(3))))
    assert "holds no photo" in said(lambda: data(laid(tmp_path / "b", {"a.md": b""})))
    assert "no such folder" in said(lambda: data(tmp_path / "none"))


def test_two_sets_in_one_folder(tmp_path):
    files = inside("one", published()) | inside("two", published())
    assert "holds one/trainA and two/trainA: give the folder of one set" in said(
        lambda: data(laid(tmp_path / "a", files))
    )


def test_an_archive_that_climbs_out(tmp_path):
    assert "climbs out of the folder: refused" in said(
        lambda: data(zipped(tmp_path / "a.zip", published() | {"../trainA/x.png": b""}))
    )


def test_the_same_folders_twice(tmp_path):
    files = published()
    files |= {name.replace("A/", "B/"): content for name, content in files.items() if "A/" in name}
    files = {n: c for n, c in files.items() if n.replace("B/", "A/") in files}
    assert "trainB: each of its photos is in" in said(lambda: data(laid(tmp_path / "a", files)))


@pytest.mark.parametrize("train, test, says", [((1, 6), (3, 2), "trainA: 1 of its 1"), ((8, 6), (3, 0), "in testB")])
def test_too_few(tmp_path, train, test, says):
    assert says in said(lambda: data(laid(tmp_path / "a", published(train, test))))


def test_photos_smaller_than_needed(tmp_path):
    message = said(lambda: data(laid(tmp_path / "a", published()), size=64, load=64))
    assert message.endswith(
        "trainA: 0 of its 8 photos can be used and 2 are needed (trainA/00.png: tiny (40 x 36); trainA/01.png: tiny "
        "(40 x 36); trainA/02.png: tiny (40 x 36); trainA/03.png: tiny (40 x 36); and 4 more): give more photos of at "
        "least 64 pixels a side, or a smaller data.size than 64"
    )


def test_what_dlthink_fetch_brings_is_found(data_folder):
    (file,) = DOWNLOADS["yosemite"].files
    assert Path("yosemite") / file.name == FETCHED
    assert "dlthink fetch yosemite" in said(Yosemite)
    (data_folder / "yosemite").mkdir(parents=True)
    zipped(data_folder / FETCHED, {f"summer2winter_yosemite/{name}": c for name, c in published().items()})
    assert counts(Yosemite(size=32))[2] == (3, 2)


# ------------------------------------------------------------------------------------------------------ the real thing


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason=f"the photos of Yosemite are not at {REAL}")
def test_the_real_copies_are_all_found():
    lines = (REAL / "SHA256SUMS.original256").read_text().splitlines()
    same = defaultdict(list)
    for line in lines:
        sha, _, name = line.partition("  ./")
        same[sha].append(name)
    groups = [{*names} for names in same.values() if len(names) > 1]
    assert (len(groups), sum(map(len, groups)) - len(groups)) == (180, 181)
    found = Yosemite(str(REAL), size=64)
    table = found.tables["clean.csv"][1:]
    kept = {row[0] for row in table if row[4] == "yes"}
    listed = {row[0] for row in table}
    for names in groups:
        both = len({name.split("/")[0][-1] for name in names}) > 1
        stays = names & kept
        assert names <= listed and len(stays) == (0 if both else 1)
        assert both or not any(name.startswith("test") for name in names) or next(iter(stays)).startswith("test")
    more = listed - set().union(*groups)
    assert more > {"trainB/2014-02-02 01_53_24.jpg", "trainB/2016-12-22 01_50_13.jpg"}, "other bytes, same pixels"
    assert len(more) == 14, "the rest were mirrored, saved again, or have a frame: seen by eye"
    assert found.notes[0] == (
        "clean: 208 of 2,739 photos left out, see clean.csv: 208 copies (127 repeated, 44 in "
        "train and test, 37 in both domains, where none stays)"
    )
    assert sum(split.count[season] for split in (found.train, found.val, found.test) for season in split.count) == 2531
