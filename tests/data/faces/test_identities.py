"""Photos of people: split by person, twins out, what is known row for row, baselines, the state of a run."""

import io
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from dlthink.data.faces.duplicates import under_two_names
from dlthink.data.faces.face_folder import FaceFolder
from dlthink.data.faces.pca import WhitenedPCA, pixel_embedding, small_grey
from dlthink.data.stable_hash import share
from dlthink.errors import BadInput
from dlthink.false_accept_rate import different_pairs
from tests.data.photos.made_photos import decode, laid, packed, people, picture, zipped

COUNTS = {f"Per son {i:02d}": 1 + i % 5 for i in range(60)} | {"Zoë": 4}
SMALL = {"size": 16, "photos": 2}


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


@pytest.fixture
def folder(tmp_path):
    return laid(tmp_path / "people", people(COUNTS))


def data(path, **more):
    return FaceFolder(str(path), **(SMALL | more))


def where(found, files):
    """{split: {person}}, told by the pixels themselves."""
    look = {decode(content, 16, False).tobytes(): name.split("/")[-2] for name, content in files.items()}
    whole = {}
    for name in ("train", "val", "test"):
        split = getattr(found, name)
        x, y = split.take(torch.arange(len(split)))
        x = ((x + 1) * 127.5).round().to(torch.uint8).numpy()
        whole[name] = [(look[row.tobytes()], int(number)) for row, number in zip(x, y, strict=True)]
    return whole


def fold(found):
    return {name: {person for person, _ in rows} for name, rows in found.items()}


# -------------------------------------------------------------------------------------------------------------- splits


def test_a_person_is_on_one_side_and_the_numbers_tell_people(folder):
    found = where(data(folder), people(COUNTS))
    every = [pair for rows in found.values() for pair in rows]
    assert len({person for person, _ in every}) == len({n for _, n in every}) == len(set(every))
    numbers = [sorted({n for _, n in found[name]}) for name in ("train", "val", "test")]
    assert [n for side in numbers for n in side] == list(range(len(set(every)))), "0 .. in training, and on from there"
    facts = {"n_targets": 1, "n_identities": len(numbers[0]), "channels": 3, "size": 16}
    assert data(folder).facts == facts | {"validation_pairs": different_pairs(data(folder).val.y)}
    assert len({person for person, _ in every}) == len(COUNTS) - sum(
        COUNTS[p] == 1 and share(p) >= 0.2 and share(p, "validation") >= 0.2 for p in COUNTS
    )


def test_the_hash_of_the_name_decides(folder, tmp_path):
    sides = fold(where(data(folder), people(COUNTS)))
    for person in COUNTS:
        side = "test" if share(person) < 0.2 else "val" if share(person, "validation") < 0.2 else "train"
        if side != "train" or COUNTS[person] > 1:
            assert person in sides[side]
    fewer = {p: c for p, c in COUNTS.items() if p[-1] != "3"}
    part = fold(where(data(zipped(tmp_path / "part.zip", people(fewer))), people(COUNTS)))
    assert all(part[name] <= sides[name] for name in part)


def test_one_photo_is_a_probe_and_no_pair(folder):
    found = data(folder)
    alone = {p for p, c in COUNTS.items() if c == 1}
    sides = fold(where(found, people(COUNTS)))
    assert not alone & sides["train"] and alone & (sides["val"] | sides["test"])
    left = len(alone - sides["val"] - sides["test"])
    assert f"{left} people have one photo and give no pair to train on: left out there" in found.notes


def test_an_epoch_shows_every_training_photo(folder):
    train = data(folder).train
    drawn = train.epoch(8, torch.Generator().manual_seed(0))
    assert set(torch.cat(drawn).tolist()) == set(range(len(train)))
    y = train.take(drawn[0])[1].view(4, 2)
    assert (y[:, 0] == y[:, 1]).all() and len(y[:, 0].unique()) == 4


def test_what_a_split_says(folder):
    found = data(folder)
    index = torch.tensor([3, 0, 5])
    x, y = found.test.take(index)
    assert x.dtype == torch.float32 and x.shape == (3, 3, 16, 16) and x.min() >= -1 and x.max() <= 1
    assert y.equal(found.test.targets()[index]) and y.dtype == torch.int64
    known = found.test.known(index)
    assert known["photo"].dtype == torch.int64 and "groups" not in known
    for baseline in known["baselines"].values():
        assert torch.allclose(baseline["embedding"].norm(dim=1), torch.ones(3), atol=1e-5)
    assert "baselines" not in found.train.known(index)
    assert known["picture"].dtype == torch.uint8 and (known["picture"] / 127.5 - 1).allclose(x, atol=1e-6)
    numbers = torch.cat([s.known(torch.arange(len(s)))["photo"] for s in (found.train, found.val, found.test)])
    assert len(numbers.unique()) == len(numbers) and numbers.max() < sum(COUNTS.values())
    moved = found.test.to("cpu")
    assert moved.take(index)[0].equal(x) and moved.known(index)["photo"].equal(known["photo"])
    elsewhere = found.test.to("meta")
    assert elsewhere.take(torch.tensor([0], device="meta"))[0].shape == (1, 3, 16, 16)
    assert elsewhere.pixels.shape[0] == len(found.test), "only its own photos travel"


def test_training_alone_is_augmented_and_chance_is_torchs(folder):
    found = data(folder, erase=1.0)
    index = torch.arange(4)
    torch.manual_seed(0)
    first = found.train.draw(index)[0]
    assert not first.equal(found.train.take(index)[0]) and not found.train.draw(index)[0].equal(first)
    torch.manual_seed(0)
    assert found.train.draw(index)[0].equal(first) and found.train.to("cpu").augment is found.train.augment
    assert found.test.draw(index)[0].equal(found.test.take(index)[0])


def test_everybody_masked(folder):
    test, index = data(folder).test, torch.arange(4)
    bare = test.take(index)[0]
    worn = test.masked(bare)
    assert worn.shape == bare.shape and worn.equal(test.masked(bare)) and not worn.equal(bare)
    change = (worn - bare).abs().mean((0, 1, 3))  # of each row of pixels
    assert change[len(change) // 2 :].mean() > 2 * change[: len(change) // 2].mean()


def test_large_photos_are_asked_about_a_few_at_a_time_and_shown_small(tmp_path):
    folder = laid(tmp_path, people({f"Person {i}": 3 for i in range(12)}))
    found = data(folder, size=256)
    assert found.test.at_once == 32 and data(folder).test.at_once > 512
    index = torch.arange(3)
    shown = found.test.known(index)["picture"]
    assert shown.shape == (3, 3, 96, 96) and shown.dtype == torch.uint8
    whole = found.test.take(index)[0]
    assert abs(float(shown.float().mean()) - float((whole.mean() + 1) * 127.5)) < 1


def test_grey(folder):
    found = data(folder, grey=True)
    assert found.facts["channels"] == 1 and found.train.take(torch.arange(2))[0].shape == (2, 1, 16, 16)


@pytest.mark.skipif(os.name != "posix" or sys.platform == "darwin", reason="names are text here")
def test_a_name_need_not_be_text(tmp_path):
    """Names of files are bytes: one that is no UTF-8 has its own role and number."""
    place = os.fsencode(laid(tmp_path / "a", people(COUNTS))) + b"/J\xf6rg"
    os.mkdir(place)
    for i in range(2):
        (Path(os.fsdecode(place)) / os.fsdecode(b"b\xe4d %d.png" % i)).write_bytes(packed(picture(900 + i)))
    found = data(tmp_path / "a")
    assert sum(len(s) for s in (found.train, found.val, found.test)) >= sum(COUNTS.values()) + 2 - 12
    assert data(tmp_path / "a", state=found.state).state["seen"] == found.state["seen"]
    assert share("J\udcf6rg") != share("J\udce4rg")


# --------------------------------------------------------------------------------------------------------------- twins


def test_a_photo_twice_under_one_name_is_kept_once(tmp_path):
    files = people(COUNTS)
    files["Zoë/again.png"] = files["Zoë/Zoë_0002.png"]
    found = data(laid(tmp_path / "a", files))
    assert sum(p == "Zoë" for rows in where(found, people(COUNTS)).values() for p, _ in rows) == 4
    assert "1 photos are in a person's folder twice, kept once (the first is Zoë/again.png)" in found.notes


def test_a_photo_under_two_names_is_dropped(tmp_path):
    """Byte for byte, and a second one that was packed again as a JPEG."""
    files = people(COUNTS)
    files["Zoë/x.png"] = files["Per son 13/x.png"] = packed(picture(5, (64, 64)))
    files["Per son 24/y.png"], files["Per son 18/y.jpg"] = packed(picture(7)), packed(picture(7), "JPEG", quality=95)
    found = data(laid(tmp_path / "a", files))
    where(found, people(COUNTS))  # would not know them
    (note,) = [note for note in found.notes if "two names" in note]
    assert note.startswith("4 photos show one picture under two names, all left out: Per son 13/x.png")


def test_two_names_for_almost_one_picture():
    pixels = torch.from_numpy(np.stack([np.array(picture(i)).transpose(2, 0, 1) for i in [0, 1, 2, 1, 0]]))
    assert under_two_names(pixels, torch.tensor([0, 1, 2, 3, 0])) == [(1, 3)], "one person may look like that twice"
    assert under_two_names(pixels[:0], torch.zeros(0)) == []


# ----------------------------------------------------------------------------------------------------------- baselines


def test_pixels_without_brightness_and_contrast():
    grey = torch.rand(5, 1024, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(pixel_embedding(grey * 0.3 + 0.2), pixel_embedding(grey), atol=1e-5)
    centred = grey - grey.mean(1, keepdim=True)
    assert torch.allclose(pixel_embedding(grey), centred / centred.norm(dim=1, keepdim=True), atol=1e-6)


def test_small_grey_is_a_mean():
    pixels = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([2, 0])
    expected = pixels[rows].double().mean(1).view(2, 32, 2, 32, 2).mean((2, 4)).flatten(1) / 255
    assert torch.allclose(small_grey(pixels, rows).double(), expected, atol=1e-6)


@pytest.mark.parametrize("n, k", [(400, 128), (50, 49), (2, 1)])
def test_whitened_components_are_sklearns(n, k):
    from sklearn.decomposition import PCA

    chance = np.random.default_rng(0)
    grey = (chance.normal(size=(n, 150)) * np.linspace(0.02, 0.3, 150)).astype(np.float32) + 0.5
    found = WhitenedPCA.fit(torch.from_numpy(grey))
    assert found.components.shape == (150, k)
    other = PCA(k, whiten=True, svd_solver="full").fit(grey.astype(np.float64))
    new = (chance.normal(size=(20, 150)) * 0.2).astype(np.float32)
    mine, theirs = found.embedding(torch.from_numpy(new)).numpy(), other.transform(new)
    theirs = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    assert np.allclose(mine @ mine.T, theirs @ theirs.T, atol=1e-3), "up to the sign of each component"
    again = WhitenedPCA.fit(torch.from_numpy(grey))
    assert again.components.equal(found.components)


def test_the_baseline_is_fitted_on_training_photos_alone(folder):
    found = data(folder)
    train = small_grey(found.train.pixels, found.train.rows)
    assert found.state["pca"]["mean"].equal(WhitenedPCA.fit(train).mean)
    index = torch.arange(len(found.val))
    grey = small_grey(found.val.pixels, found.val.rows)
    known = found.val.known(index)["baselines"]
    assert torch.allclose(known["pca"]["embedding"], WhitenedPCA(**found.state["pca"]).embedding(grey), atol=1e-5)
    assert torch.allclose(known["pixels"]["embedding"], pixel_embedding(grey), atol=1e-6)


def test_photos_of_one_tone_have_finite_baselines(tmp_path):
    from tests.data.photos.made_photos import Image

    files = people(COUNTS) | {f"Zoë/black {i}.png": packed(Image.new("L", (20, 20), i)) for i in range(3)}
    found = data(laid(tmp_path / "a", files))
    for split in (found.val, found.test):
        for baseline in split.known(torch.arange(len(split)))["baselines"].values():
            assert baseline["embedding"].isfinite().all()


# ------------------------------------------------------------------------------------------------------- state of a run


@pytest.fixture
def state(folder):
    buffer = io.BytesIO()
    torch.save(data(folder).state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


def test_a_state_from_a_checkpoint_gives_the_same_data(folder, state):
    once, again = data(folder), data(folder, state=state)
    assert where(once, people(COUNTS)) == where(again, people(COUNTS)) and once.facts == again.facts
    index = torch.arange(len(once.test))
    one, other = (found.test.known(index)["baselines"]["pca"]["embedding"] for found in (once, again))
    assert one.equal(other)


def test_in_another_folder_people_seen_keep_their_role_and_all_others_are_test(state, tmp_path):
    old, new = fold(where(data(tmp_path / "people"), people(COUNTS))), {f"New {i}": 3 for i in range(8)}
    files = people({"Zoë": 6, "Per son 13": 2, **new})
    sides = fold(where(data(laid(tmp_path / "b", files), state=state), files))
    assert sides["test"] >= set(new)
    for person in ("Zoë", "Per son 13"):
        for name in sides:
            assert (person in sides[name]) == (person in old[name])


def test_a_photo_seen_in_training_is_no_test_under_another_name(folder, state, tmp_path):
    sides = where(data(folder), people(COUNTS))
    person = sides["train"][0][0]
    files = people({f"New {i}": 3 for i in range(4)}) | {"New 1/x.png": people(COUNTS)[f"{person}/{person}_0001.png"]}
    found = data(laid(tmp_path / "b", files), state=state)
    assert len(found.test) == 12 and not len(found.train)
    assert data(folder, state=state).facts["validation_pairs"] > 0 and "validation_pairs" not in found.facts  # no val
    assert "1 photos were seen in training under another name: no test, left out" in found.notes


def test_nobody_is_left_to_test(folder, state, tmp_path):
    person = where(data(folder), people(COUNTS))["train"][0][0]
    with pytest.raises(BadInput, match="nobody to test"):
        data(laid(tmp_path / "b", people({person: 3})), state=state)


@pytest.mark.parametrize("changed", [{"size": 20}, {"grey": True}, {"validation": 0.3}], ids=str)
def test_what_decided_the_split_cannot_be_changed(folder, state, changed):
    ((name, value),) = changed.items()
    with pytest.raises(BadInput, match=f"data.{name}={str(value).lower()}: .*train anew") as refused:
        data(folder, state=state, **changed)
    assert "\n" not in str(refused.value)


def test_predict_reads_what_the_state_says(folder, state, tmp_path):
    found = FaceFolder.inputs(str(folder / "Zoë"), state, str(folder))
    assert len(found.names) == 4 and found.pixels.shape[1:] == (3, 16, 16) and len(found) == 4 + sum(COUNTS.values())
    with pytest.raises(BadInput, match=r"gallery=: give the folder"):
        FaceFolder.inputs(str(folder / "Zoë"), state)


def test_of_few_people_two_are_test_and_two_choose_the_threshold():
    few = FaceFolder.__new__(FaceFolder)
    few.validation = 0.2
    for folder in range(20):
        roles = [*few.roles([f"{folder} {person}" for person in range(6)]).values()]
        assert min(roles.count("test"), roles.count("val")) >= 2
    many = [f"person {i}" for i in range(200)]
    assert {one for one, role in few.roles(many).items() if role == "test"} == {one for one in many if share(one) < 0.2}


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "files, settings, says",
    [
        (
            people({"A": 3, "B": 2}),
            {},
            r"data.path=.*: \d people with \d photos are left for \w+, where two are needed",
        ),
        (
            people({f"P{i}": 1 for i in range(40)}),
            {},
            "are left for train, where two are needed and pairs of photos.*; note: .* people have one photo",
        ),
        (
            people(COUNTS),
            {"photos": 6},
            "data.photos=6: none of the people in training has so many",
        ),
        (people(COUNTS), {"people": 99}, r"data.people=99: only \d+ people in training have two photos"),
        (people(COUNTS), {"validation": 0.0}, "data.validation=0.0: a share"),
        (people(COUNTS), {"size": 8}, "data.size=8: pixels a side"),
        (people(COUNTS), {"flip": 3.0}, "data.flip=3.0: lies between 0 and 1"),
        (
            {"a.png": packed(picture(0))},
            {},
            "none of its 1 photos can be used; the first, a.png: in no person's folder",
        ),
        (
            {"A/a.png": b"no"},
            {},
            "the first, A/a.png: no picture that pillow can read; it should hold person/photo.jpg",
        ),
    ],
)
def test_too_little_or_too_much(tmp_path, files, settings, says):
    with pytest.raises(BadInput, match=says) as error:
        data(laid(tmp_path / "a", files), **settings)
    assert "\n" not in str(error.value)


def test_no_path():
    with pytest.raises(BadInput, match=r"data.path: give a folder or a zip"):
        FaceFolder()


def test_photos_left_out_are_counted_and_named(tmp_path):
    files = people(COUNTS) | {"Zoë/a.jpg": b"no", "Zoë/b.jpg": b"no", "loose.png": packed(picture(1))}
    notes = data(laid(tmp_path / "a", files)).notes
    total = sum(COUNTS.values()) + 3
    assert notes[0] == (
        f"3 of {total} photos left out: 2 no picture that pillow can read (Zoë/a.jpg, Zoë/b.jpg); "
        "1 in no person's folder (loose.png)"
    )


def test_nothing_warns(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = data(folder)
        found.train.draw(torch.arange(2))
