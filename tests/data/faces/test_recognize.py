"""Whose photo it is, and who is it? Photos of the user's among people of a gallery."""

import numpy as np
import pytest
import torch

from dlthink.data.faces import recognize
from dlthink.data.faces.person_folders import left_out, people_of
from dlthink.errors import BadInput
from tests.data.photos.made_photos import decode, laid, packed, people, picture


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))


@pytest.mark.parametrize(
    "names, whose",
    [
        (["A/1.jpg", "B/2.jpg"], ["A", "B"]),
        (["faces/A/1.jpg", "faces/B/2.jpg"], ["A", "B"]),
        (["x/y/A/1.jpg", "x/y/B/2.jpg"], ["A", "B"]),
        (["A/2020/1.jpg", "B/2.jpg"], ["A", "B"]),
        (["A/1.jpg", "2.jpg"], ["A", ""]),
        (["A/1.jpg", "A/2.jpg"], ["A", "A"]),
        (["A/2019/1.jpg", "A/2020/2.jpg"], ["A", "A"]),
        (["2019/1.jpg", "2020-05/2.jpg", "20200531/3.jpg"], ["top", "top", "top"]),
        (["2019/1.jpg", "Ann/2.jpg"], ["2019", "Ann"]),
        (["0001/1.jpg", "1984/2.jpg"], ["0001", "1984"]),
        (["s1/1.jpg", "s2/2.jpg"], ["s1", "s2"]),
    ],
)
def test_whose_photo_it_is(names, whose):
    people_, homeless = people_of(names, "top")
    assert people_ == whose and list(homeless) == [n for n, w in zip(names, whose, strict=True) if not w]


def test_photos_left_out_are_accounted_for():
    assert left_out({}, 4) == []
    assert left_out({"Ann/bad one.jpg": "cut short", "b": "damaged", "c": "cut short"}, 4) == [
        "3 of 4 photos left out: 2 cut short (Ann/bad one.jpg, c); 1 damaged (b)"
    ]


STATE = {"size": 16, "channels": 3, "centre": None}


def asked(tmp_path, gallery=None, photos=None):
    gallery = laid(tmp_path / "gallery", people({"Ann": 2, "Zoë Ü": 1}) if gallery is None else gallery)
    photos = laid(
        tmp_path / "photos", {"b.png": packed(picture(5)), "a x.png": packed(picture(6))} if photos is None else photos
    )
    return recognize.Recognize.read(str(photos), str(gallery), STATE)


def rows_of(path):
    import csv

    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def unit(*angles):
    return torch.stack([torch.tensor([np.cos(a), np.sin(a)]) for a in angles]).float()


def test_who_is_it(tmp_path):
    found = asked(tmp_path, photos={"b.png": packed(picture(5)), "a x.png": packed(picture(6)), "bad.jpg": b"no"})
    assert len(found) == 5 and found.people == ["Ann", "Ann", "Zoë Ü"] and found.names == ["a x.png", "b.png"]
    x, y = found.take(torch.tensor([3, 0]))
    assert y is None and x.shape == (2, 3, 16, 16) and found.known(torch.tensor([0])) == {}
    assert torch.allclose(x[0], torch.tensor(decode(packed(picture(6)), 16, False)).float() / 127.5 - 1)
    read = {"embedding": unit(0.0, 0.4, 1.0, 0.9, 2.5), "threshold": torch.tensor(0.05)}
    out = tmp_path / "who.csv"
    found.to("cpu").write(read, str(out))
    e = read["embedding"].double()
    d = [float((e[i] - e[j]).square().sum()) for i, j in ((3, 2), (3, 1), (4, 2), (4, 1))]
    assert np.allclose(d, [2 - 2 * np.cos(gap) for gap in (0.1, 0.5, 1.5, 2.1)], atol=1e-5)
    assert rows_of(out) == [
        ["photo", "who", "nearest", "distance", "accepted", "second", "second_distance", "problem"],
        ["a x.png", "Zoë Ü", "Zoë Ü", f"{round(d[0], 7):.6g}", "yes", "Ann", f"{round(d[1], 7):.6g}", ""],
        ["b.png", "unknown", "Zoë Ü", f"{round(d[2], 7):.6g}", "no", "Ann", f"{round(d[3], 7):.6g}", ""],
        ["bad.jpg", "", "", "", "", "", "", "no picture that pillow can read"],
    ]
    assert found.summary() == "2 photos among 2 people of the gallery; 1 could not be read (see the column problem)"


def test_photos_asked_about_that_lie_in_the_gallery_are_told(tmp_path):
    gallery = people({"Ann": 2, "Zoë Ü": 1})
    again = next(iter(gallery.values()))
    found = asked(tmp_path, gallery, {"b.png": packed(picture(77)), "a x.png": again})
    (note,) = found.notes
    assert note.startswith("1 photo asked about lies in the gallery, too (a x.png): its own copy is nearest")
    assert note in found.summary()
    assert not asked(tmp_path / "other", gallery, {"b.png": packed(picture(77))}).notes


def test_a_gallery_of_one_and_a_single_photo(tmp_path):
    gallery = laid(tmp_path / "gallery", people({"Ann": 1}))
    photo = laid(tmp_path, {"who is it.png": packed(picture(5))}) / "who is it.png"
    found = recognize.Recognize.read(str(photo), str(gallery), STATE)
    found.write({"embedding": unit(0.0, 0.0), "threshold": torch.tensor(0.5)}, str(tmp_path / "o.csv"))
    assert rows_of(tmp_path / "o.csv")[1:] == [["who is it.png", "Ann", "Ann", "0", "yes", "", "", ""]]


def test_somebody_called_unknown_can_be_told_from_a_stranger(tmp_path):
    found = asked(tmp_path, people({"unknown": 1, "nan": 1, "1984": 1}))
    assert found.people == ["1984", "nan", "unknown"] and "unknown is somebody, too" in found.summary()
    found.write({"embedding": unit(0.0, 1.0, 2.0, 2.0, 3.0), "threshold": torch.tensor(0.05)}, str(tmp_path / "o.csv"))
    assert [row[1:5] for row in rows_of(tmp_path / "o.csv")[1:]] == [
        ["unknown", "unknown", "0", "yes"],
        ["unknown", "unknown", "0.919395", "no"],
    ]


def test_a_few_distances_at_a_time_are_all_distances(tmp_path, monkeypatch):
    found = asked(tmp_path, people({f"P{i}": 1 + i % 3 for i in range(7)}))
    embedding = torch.nn.functional.normalize(torch.randn(len(found), 5, generator=torch.Generator().manual_seed(0)))
    people_, near, who = found.nearest(embedding)
    n = len(found.people)
    d = torch.cdist(embedding[n:].double(), embedding[:n].double()).square()
    for row, two, numbers in zip(d.tolist(), near.tolist(), who.tolist(), strict=True):
        each = {p: min(v for v, of in zip(row, found.people, strict=True) if of == p) for p in people_}
        best = sorted(each, key=each.get)[:2]
        assert [people_[k] for k in numbers] == best and two == pytest.approx([each[p] for p in best])
    monkeypatch.setattr(recognize, "CHUNK", 2)
    assert all(torch.equal(a, b) for a, b in zip(found.nearest(embedding)[1:], (near, who), strict=True))


@pytest.mark.parametrize(
    "gallery, photos, says",
    [
        ({"readme.txt": b""}, None, "gallery=.*holds no photo"),
        ({"a.png": packed(picture(1))}, None, "gallery=.*no person's folder.*person/photo.jpg"),
        ({"A/a.png": b"no"}, None, "gallery=.*shows nobody .*A/a.png: no picture"),
        (None, {"readme.txt": b""}, "input=.*holds no photo"),
        (None, {"a.png": b"no"}, "input=.*the first, a.png: no picture"),
    ],
)
def test_an_empty_gallery_or_input(tmp_path, gallery, photos, says):
    with pytest.raises(BadInput, match=says) as error:
        asked(tmp_path, gallery, photos)
    assert "\n" not in str(error.value)


def test_a_gallery_of_one_person_by_year(tmp_path):
    files = people({"x": 2})
    one, other = files.values()
    laid(tmp_path / "alice", {"2019/a.png": one, "2020/b.png": other, "notes.md": b"x"})
    found = recognize.Recognize.read(str(tmp_path / "alice" / "2019"), str(tmp_path / "alice"), STATE)
    assert found.people == ["alice", "alice"]
    assert "gallery: its folders are dates, so all photos show alice" in found.summary()
    assert "gallery: not used: 1 no photos (notes.md)" in found.summary()


def test_photos_of_the_gallery_that_are_lost_are_told(tmp_path):
    found = asked(tmp_path, people({"Ann": 1}) | {"Ann/x.jpg": b"no", "loose.png": packed(picture(9))})
    assert found.people == ["Ann"] and "1 people of the gallery (2 photos of it could not be used)" in found.summary()


def test_a_table_that_cannot_be_written(tmp_path):
    found = asked(tmp_path)
    with pytest.raises(BadInput, match=r"output=.*cannot be written"):
        found.write(
            {"embedding": unit(*range(len(found))), "threshold": torch.tensor(1.0)}, str(tmp_path / "no" / "o.csv")
        )
