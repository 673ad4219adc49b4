"""Two domains are called after what they show: by two words, or as their folders are called."""

import pytest
import torch

from dlthink.data.seasons.domains import checked, named_after, swapped
from dlthink.data.seasons.two_folders import TwoFolders
from dlthink.data.seasons.yosemite import Yosemite
from dlthink.errors import BadInput
from tests.data.photos.made_photos import laid, zipped
from tests.data.seasons.made_seasons import photos, published


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))


@pytest.mark.parametrize(
    "places, names",
    [
        (("horses", "zebras"), ["horses", "zebras"]),
        (("photos/horses/", "/data/zebras.zip"), ["horses", "zebras"]),
        (("a.tar.gz", "b.TGZ"), ["a", "b"]),
        (("my photos (2019)", "für Jörg"), ["my_photos_2019", "für_Jörg"]),
    ],
)
def test_folders_give_the_names(places, names):
    assert named_after(*places) == names


@pytest.mark.parametrize("places", [("cats/photos", "dogs/photos"), ("..", "b"), ("Cats", "cats.zip"), ("train", "b")])
def test_folders_that_give_no_two_names_ask_for_them(places):
    with pytest.raises(BadInput, match=r"data\.domains=\[horse,zebra\]") as error:
        named_after(*places)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "domains, why",
    [
        (["horse"], "two different"),
        (["horse", "horse"], "two different"),
        (["horse", "zebra", "okapi"], "two different"),
        (["a horse", "zebra"], "letters"),
        (["../horse", "zebra"], "letters"),
        (["", "zebra"], "letters"),
        (["whole", "zebra"], "something else"),
        (["values", "zebra"], "something else"),
        (["back_horse", "zebra"], "something else"),
    ],
)
def test_what_is_no_name_is_refused_in_one_line(domains, why):
    with pytest.raises(BadInput, match=rf"^data\.domains=.*{why}") as error:
        checked(domains)
    assert "\n" not in str(error.value)


def test_swapped():
    assert list(swapped({"horse": 1, "zebra": 2}).items()) == [("zebra", 1), ("horse", 2)]


def two(tmp_path, **more):
    a, b = laid(tmp_path / "horses", photos(5)), zipped(tmp_path / "zebras.zip", photos(6, "winter"))
    return TwoFolders(str(a), str(b), size=32, load=32, **more)


def test_all_of_a_data_set_is_called_after_them(tmp_path):
    data = two(tmp_path)
    assert data.facts["domains"] == data.state["domains"] == ["horses", "zebras"]
    x, _ = data.val.take(torch.arange(1))
    assert list(x) == ["horses", "zebras"]
    known = data.val.known(torch.arange(1))
    assert list(known["baselines"]["color_transfer"]) == ["zebras", "horses"]
    assert data.notes[-1].startswith("photos (horses + zebras) for train / val / test: ")
    named = two(tmp_path, domains=["horse", "zebra"])
    assert named.facts["domains"] == ["horse", "zebra"]


def test_a_run_keeps_its_names_whatever_other_folders_are_called(tmp_path):
    run = two(tmp_path)
    a, b = laid(tmp_path / "later" / "x", photos(3, first=20)), laid(tmp_path / "later" / "y", photos(3, "w", first=20))
    again = TwoFolders(str(a), str(b), size=32, load=32, state=run.state)
    assert again.facts["domains"] == ["horses", "zebras"] and again.test.count == {"horses": 3, "zebras": 3}
    with pytest.raises(BadInput, match=r"data\.domains=\[dog,cat\]: the run was trained with \[horses,zebras\]"):
        two(tmp_path, domains=["dog", "cat"], state=run.state)


def test_a_set_in_the_layout_of_cyclegan_may_show_anything(tmp_path):
    place = laid(tmp_path / "horse2zebra", published())
    data = Yosemite(str(place), domains=["horse", "zebra"], size=32)
    assert data.test.count == {"horse": 3, "zebra": 2}
    assert Yosemite(str(place), size=32).facts["domains"] == ["summer", "winter"]
    with pytest.raises(BadInput, match="where trainA and testA are horse, trainB and testB zebra"):
        Yosemite(str(laid(tmp_path / "none", photos(3))), domains=["horse", "zebra"], size=32)
