"""A trained run on another data set of the same kind, `evaluate on=`: prepared as its own, leaks left out and told."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dlthink.config.compose import composed
from dlthink.runs import other_data
from dlthink.runs.folder import Run
from tests.conftest import refused

TINY = ["trainer=smoke", "trainer.device=cpu"]


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path_factory.getbasetemp() / "drawn"))


def kept(name, run="run"):
    return json.loads(Path(run, f"metrics_{name}.json").read_text())


def own(run="run"):
    return json.loads(Path(run, "metrics.json").read_text())["test"]


def trained(cli, *words):
    code, _, err = cli("train", *words, *TINY, "hydra.run.dir=run")
    assert code == 0, err


# ----------------------------------------------------------------------------------------------- properties and shifts


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The folder in which the tests of this file keep the run on molecules that each of them works on."""
    return tmp_path_factory.mktemp("molecules")


@pytest.fixture
def of_molecules(cli, tmp_path, once):
    """A run on a table of molecules, trained once, and what that table holds."""
    pytest.importorskip("rdkit", reason="molecules need rdkit")
    from tests.data.molecules.made_molecules import save
    from tests.data.molecules.made_properties import rows, table

    save(tmp_path / "a.csv", table())
    if not (once / "run").exists():
        trained(
            cli,
            "data=molecule_table",
            "data.path=a.csv",
            "data.target=atoms",
            "model.width=8",
            "model.depth=2",
            "data.baselines=[constant,lookup]",
            "data.split=side",
        )
        shutil.move("run", once / "run")
    shutil.copytree(once / "run", "run")
    return list(rows())


@pytest.mark.slow
def test_a_second_table_of_molecules(cli, drawn, of_molecules, tmp_path):
    """Another name of the column, a separator, molecules that the run has seen and others."""
    new = [f"N{'C' * n}O;{n + 2},5" for n in range(9, 20)]
    old = [f"{row['smiles']};99" for row in of_molecules]
    Path("b.csv").write_text("\n".join(["Drug_SMILES;heavy", *old, *new, "B(O)(O)C;3"]))
    words = ["evaluate", "run=run", "on=molecule_table", "data.path=b.csv", "data.target=heavy"]
    code, out, err = cli(*words, "output=again.json")
    assert code == 0 and err == "", err
    test = sum(row["side"] == "TEST" for row in of_molecules)
    assert f"note: molecules (values) that the run has not seen: {test + 12} ({test + 12})" in out
    assert f"{len(of_molecules) - test} molecules are among those that the run was trained on" in out
    assert "1 molecules hold atoms unlike any in training: B (sp2)" in out
    found = kept("molecule_table")
    assert found["on"] == ["data=molecule_table", "data.path=b.csv", "data.target=heavy"]
    assert {"rmse", "rmse_constant", "rmse_lookup"} <= set(found["test"])
    assert found["test"] == json.loads(Path("again.json").read_text()) != own()
    figures = {file.name for file in Path("run/figures").iterdir()}
    assert {"molecule_table_measured.png", "molecule_table_molecules.png"} <= figures

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = EventAccumulator("run")
    logger.Reload()
    tags = logger.Tags()["scalars"]
    assert {"molecule_table/rmse", "test/rmse"} <= set(tags)
    assert logger.Scalars("molecule_table/rmse")[-1].value == pytest.approx(found["test"]["rmse"], rel=1e-6)
    assert cli("evaluate", "run=run")[0] == 0  # and the run's own is as before
    assert cli(*words, "name=second_lab")[0] == 0 and kept("second_lab")["test"] == found["test"]


@pytest.mark.slow  # of the data alone: tests/data
def test_the_runs_own_test_is_found_again(cli, of_molecules):
    """Of the file that it was trained with, all that is left is what it was tested on."""
    assert (
        cli("evaluate", "run=run", "on=molecule_table", "data.path=a.csv", "data.split=random", "data.fold=3")[0] == 0
    )
    assert kept("molecule_table")["test"] == own()


def test_what_is_asked_must_make_sense(cli, of_molecules):
    on = ["evaluate", "run=run", "on=molecule_table", "data.path=a.csv"]
    refused(cli("evaluate", "run=run", "on=molecule_tabel"), "on=molecule_tabel", "did you mean on=molecule_table?")
    refused(
        cli("evaluate", "run=run", "on=nmrshiftdb2"), "is shifts of atoms", "properties of molecules", "on=molecule_t"
    )
    refused(cli("evaluate", "run=run", "on=spikes"), "on=spikes", "properties of molecules")
    refused(cli(*on, "split=val"), "split=val", "all is test")
    refused(cli("evaluate", "run=run", "name=x"), "name=x", "on=DATA")
    for name in ("../x", "test", "a b", ".x", "", "x" * 300):
        refused(cli(*on, f"name={name}"), "name=")
    refused(cli(*on, "data.target=[atoms,others]"), "the run predicts atoms; name as many columns")
    refused(cli(*on, "data.target=atom"), "did you mean atoms?")
    refused(cli(*on, "data.descriptors=true"), "data.descriptors=true", "which decides what the network sees; leave it")
    refused(cli("evaluate", "run=run", "on=molecule_table"), "data.path")
    refused(cli(*on, "audit=true"), "no audit")
    assert not list(Path("run").glob("metrics_*.json"))


@pytest.mark.slow
def test_a_run_from_elsewhere(cli, of_molecules, tmp_path):
    """A stranger's run is opened as any other, and reads the user's file alone."""
    shutil.move("run", "gift")
    config = Path("gift/config.yaml").read_text()
    Path("gift/config.yaml").write_text(
        "\n".join(config.splitlines()[:-1]).replace("a.csv", "/etc/secret/none.csv") + "\n"
    )
    on = ["on=molecule_table", "data.path=a.csv"]
    assert cli("evaluate", "run=gift", *on)[0] == 0 and kept("molecule_table", "gift")["test"] == own("gift")
    (tmp_path / "outside.json").write_text("mine")
    Path("gift/metrics_x.json").symlink_to(tmp_path / "outside.json")
    refused(cli("evaluate", "run=gift", *on, "name=x"), "is a link")
    assert (tmp_path / "outside.json").read_text() == "mine"


@pytest.mark.slow
def test_the_shifts_of_a_second_laboratory(cli, tmp_path, monkeypatch):
    pytest.importorskip("rdkit", reason="molecules need rdkit")
    from tests.data.molecules.made_molecules import save
    from tests.data.molecules.made_shifts import EVERY, line, shifts_of

    monkeypatch.setattr("dlthink.metrics.reals.shifts.Shifts.figures", lambda *_: {})
    save(tmp_path / "a.jsonl", "".join(line(smiles, shifts_of(smiles)) for smiles in EVERY))
    trained(cli, "data=nmrshiftdb2", "data.path=a.jsonl", "model.width=8", "model.depth=2", "data.split=random")
    new = [f"{'C' * n}C(F)O" for n in range(8, 16)]
    save(tmp_path / "b.jsonl", "".join(line(s, shifts_of(s, 1.0), split="train") for s in [*EVERY[:40], *new]))
    code, out, err = cli("evaluate", "run=run", "on=nmrshiftdb2", "data.path=b.jsonl", "name=lab")
    assert code == 0, err
    assert "molecules (atoms) that the run has not seen" in out and "are among those that the run was trained on" in out
    assert {"mae", "mae_lookup"} <= set(kept("lab")["test"])
    refused(cli("evaluate", "run=run", "on=nmrshiftdb2", "data.path=b.jsonl", "data.nucleus=1H"), "data.nucleus=1H")
    code, out, err = cli("evaluate", "run=run", "on=molecules", "data.molecules=40")  # simulated ones, of the same kind
    assert code == 0, err
    assert "crps_truth" in kept("molecules")["test"]


# -------------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("kind", ["reals", pytest.param("counts", marks=pytest.mark.slow)])
def test_a_second_table(cli, tmp_path, monkeypatch, kind):
    pd = pytest.importorskip("pandas")
    from tests.data.tables.made import frame, written

    for room in ("reals", "counts"):
        monkeypatch.setattr(f"dlthink.metrics.{room}.metrics.{room.title()}.figures", lambda *_: {})
    one, two = frame(200), frame(100, seed=3)
    for made in (one, two):
        made["y"] = made["y"].abs().round() if kind == "counts" else made["y"]
    words = [] if kind == "reals" else ["loss=poisson"]
    trained(
        cli,
        "data=table",
        f"data.path={written(tmp_path, one)}",
        "data.target=y",
        f"data.kind={kind}",
        *words,
        "model=mlp",
        "model.width=8",
        "data.baselines=[constant]",
    )
    second = pd.concat([two, one.iloc[:50]]).rename(columns={"y": "harvest"}).assign(more=1)
    path = written(tmp_path, second, "second.csv", sep=";", decimal=",")
    code, out, err = cli("evaluate", "run=run", "on=table", f"data.path={path}", "data.target=harvest")
    assert code == 0, err
    assert "left out, the run has seen them" in out
    assert kept("table")["test"].keys() <= own().keys() | {"mae_constant"}
    refused(cli("evaluate", "run=run", "on=table", f"data.path={path}", "data.target=harvst"), "did you mean harvest?")
    second.drop(columns="a").to_csv(tmp_path / "less.csv", index=False)
    refused(cli("evaluate", "run=run", "on=table", "data.path=less.csv", "data.target=harvest"), "has no column a")
    other = "counts" if kind == "reals" else "reals"
    asked = ["on=table", f"data.path={path}", "data.target=harvest", f"data.kind={other}"]
    refused(cli("evaluate", "run=run", *asked), f"tables of {other}", f"tables of {kind}")


# --------------------------------------------------------------------------------------------------------------- faces


@pytest.mark.slow  # of the data alone: tests/data
def test_faces_of_another_collection(cli, tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="photos need pillow")
    from tests.data.photos.made_photos import laid, people

    monkeypatch.setattr("dlthink.metrics.embeddings.metrics.Embeddings.figures", lambda *_: {})
    first = people({f"person {i}": 3 for i in range(30)})
    laid(tmp_path / "first", first)
    trained(
        cli,
        "data=face_folder",
        "data.path=first",
        "data.size=24",
        "data.people=6",
        "data.photos=2",
        "model.width=4",
        "loss.dim=16",
        "trainer.batch=12",
    )
    others = people({f"other {i}": 2 for i in range(8)})
    seen = dict(list(first.items())[:30])
    again = {name.replace("person", "alias"): content for name, content in list(first.items())[:30]}
    laid(tmp_path / "second", others | seen | again)
    code, out, err = cli("evaluate", "run=run", "on=face_folder", "data.path=second")
    assert code == 0, err
    assert "photos (people) that the run has not seen" in out
    assert "are among those that the run was trained on: no test, left out" in out
    assert "recall_at_1" in kept("face_folder")["test"] and "pairs of two people" not in out
    code, out, err = cli("evaluate", "run=run", "on=faces", "data.identities=10", "data.photos_each=3")  # drawn ones
    assert code == 0, err
    assert "photos (people) that the run has not seen: 30 (10)" in out
    assert "validation has" not in out  # all of it is test, and picked no weights
    refused(cli("evaluate", "run=run", "on=faces", "data.size=32"), "data.size=32: the run was trained with 24")
    refused(cli("evaluate", "run=run", "on=seasons"), "photos of people", "on=face_folder", "on=lfw")
    assert image


# ------------------------------------------------------------------------------------------------------------- seasons


@pytest.mark.slow  # of the data alone: tests/data
def test_photos_of_another_place(cli, tmp_path, monkeypatch):
    pytest.importorskip("PIL.Image", reason="photos need pillow")
    from tests.data.photos.made_photos import laid
    from tests.data.seasons.made_seasons import photos, published

    monkeypatch.setattr("dlthink.metrics.translations.metrics.Translations.figures", lambda *_: {})
    for season in ("summer", "winter"):
        laid(tmp_path / season, photos(6, season))
    small = ["model.width=4", "model.blocks=1", "trainer.batch=2", "metrics.features=embedded"]
    trained(
        cli, "data=two_folders", "data.a=summer", "data.b=winter", "data.size=32", "data.load=32", "loss=cycle", *small
    )
    laid(tmp_path / "b" / "summer", photos(8, "summer"))  # some of them are known
    laid(tmp_path / "b" / "winter", photos(3, "winter", first=20))
    on = ["evaluate", "run=run", "on=two_folders", "metrics.features=embedded"]
    code, out, err = cli(*on, "data.a=b/summer", "data.b=b/winter")
    assert code == 0, err
    assert "note: photos (summer + winter) that the run has not seen: " in out
    known = [line for line in out.splitlines() if "of summer were seen in training: no test, left out" in line]
    assert len(known) == 1
    assert "kid_embedded_to_winter" in kept("two_folders")["test"]
    laid(tmp_path / "set", published())
    code, out, err = cli("evaluate", "run=run", "on=yosemite", "data.path=set", "metrics.features=embedded")
    assert code == 0, err
    refused(cli(*on, "data.a=summer", "data.b=winter", "data.domains=[a,b]"), "data.domains", "trained with")


def test_settings_that_follow_a_prepared_one_follow_that_of_the_run():
    words = ["data=two_folders", "data.a=a", "data.b=b"]
    run = Run(Path("run"), composed([*words, "data.size=256"], {})[0])
    for more, load in (([], 256), (["data.load=512"], 512)):
        found = other_data._config(run, {"size": 256}, "two_folders", [*words[1:], *more]).data
        assert (found.size, found.load) == (256, load)


@pytest.mark.slow
def test_drawn_scenes_of_another_seed(cli, monkeypatch):
    monkeypatch.setattr("dlthink.metrics.translations.metrics.Translations.figures", lambda *_: {})
    drawn = ["data.scenes=4", "data.val_scenes=3", "data.test_scenes=3", "data.size=32"]
    trained(
        cli,
        "data=seasons",
        *drawn,
        "model.width=4",
        "model.blocks=1",
        "trainer.batch=2",
        "loss=cycle",
        "metrics.features=embedded",
    )
    on = [
        "evaluate",
        "run=run",
        "on=seasons",
        "data.scenes=2",
        "data.val_scenes=2",
        "data.test_scenes=3",
        "metrics.features=embedded",
    ]
    refused(cli(*on), "data.seed=0: the run was trained with some of these scenes")
    code, _, err = cli(*on, "data.seed=1")
    assert code == 0, err
    assert "psnr_to_winter" in kept("seasons")["test"]


# ---------------------------------------------------------------------------------------------------------- recordings


def recorded(path, seed, **more):
    """A recording as labs store it: two units that follow x, at 20 Hz."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, 90, 0.05)
    x = np.sin(times / 3 + seed)
    names = [*more, "left", "right"]
    spikes = {unit: np.sort(rng.uniform(0, 89, 300)) for unit in more}
    for unit, sign in (("left", 1), ("right", -1)):
        number = rng.poisson(np.exp(sign * x))
        spikes[unit] = np.sort(np.repeat(times, number) + rng.uniform(0, 0.05, number.sum()))
    np.savez(
        path,
        spike_times=np.concatenate([spikes[unit] for unit in names]),
        spike_units=np.repeat(names, [len(spikes[unit]) for unit in names]),
        covariate_times=times,
        covariates=np.stack([rng.normal(size=len(x)), x], 1),
        covariate_names=["noise", "x"],
    )


@pytest.mark.parametrize("direction", ["encode", pytest.param("decode", marks=pytest.mark.slow)])
def test_the_next_session(cli, monkeypatch, direction):
    for room in ("reals", "counts"):
        monkeypatch.setattr(f"dlthink.metrics.{room}.metrics.{room.title()}.figures", lambda *_: {})
    recorded("monday.npz", 0)
    recorded("tuesday.npz", 7, new=1)
    trained(cli, "data=recording", "data.path=monday.npz", f"data.direction={direction}", "model=glm", "data.history=4")
    code, out, err = cli("evaluate", "run=run", "on=recording", "data.path=tuesday.npz")
    assert code == 0, err
    assert "left out, unknown to the run: unit new" in out and "train 0, val 0, test 1,79" in out
    assert kept("recording")["test"].keys() == own().keys()
    code, out, err = cli("evaluate", "run=run", "on=recording", "data.path=monday.npz", "name=again")
    assert code == 0 and "left out, the run has seen them" in out, err
    assert kept("again")["test"] == pytest.approx(own(), rel=1e-4)
    recorded("wednesday.npz", 3)
    renamed = dict(np.load("wednesday.npz")) | {"covariate_names": np.array(["noise", "y"])}
    np.savez("wednesday.npz", **renamed)
    asked = ["evaluate", "run=run", "on=recording", "data.path=wednesday.npz"]
    refused(cli(*asked), "wednesday.npz", "has no covariate 'x'", "noise, y")
    refused(cli(*asked, "data.bin=0.1"), "data.bin=0.1", "trained with 0.05")
    other = {"encode": "decode", "decode": "encode"}[direction]
    refused(cli(*asked, f"data.direction={other}"), "loss", "costs that fit")


def test_a_constructor_of_a_family_takes_elsewhere():
    """Every shipped data set of a family can be handed to a run of that family."""
    from dlthink.config import build
    from dlthink.config.paths import conf_folder, options
    from dlthink.config.types import parameters
    from dlthink.protocols import Data
    from tests.problems import composed

    found = {}
    for name in options("data", conf_folder()):
        kind = build.find(composed(f"data={name}").data, "data")
        if family := Data.family.of(kind):
            found.setdefault(family, []).append(name)
            assert "elsewhere" in parameters(kind) and {*Data.prepares.of(kind)} <= {*kind.fixed}
    assert {"face_folder", "lfw", "faces"} == {*found["photos of people"]}
    assert {"recording", "spikes", "linear_track", "grasshopper"} == {*found["recordings"]}
    assert {"nmrshiftdb2", "molecules"} == {*found["shifts of atoms"]} and found["properties of molecules"]
