"""What a run leaves to look at is there, under the names that are promised."""

import csv
import json

import pytest
import yaml
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.backend_context import Context

from dlthink.files.atomic import write_json
from dlthink.training.logger import Logger

METRICS = {"bits_per_spike", "bits_per_spike_median", "bits_per_spike_min", "d2", "log_score", "oracle_share"}


@pytest.fixture(scope="module")
def events(finished):
    accumulator = EventAccumulator(str(finished))
    accumulator.Reload()
    return accumulator


def test_metrics_by_name(finished):
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics.keys() == {"val", "test", "training"}
    assert metrics["training"].keys() == {"steps", "best", "late_gain"}
    for split in ("val", "test"):
        assert metrics[split].keys() >= METRICS
        assert all(isinstance(value, float) for value in metrics[split].values())


def test_curves(events):
    tags = set(events.Tags()["scalars"])
    assert {"train/nll", "val/nll", "optim/learning_rate", "optim/gradient_norm"} <= tags
    assert {"speed/steps_per_second", "speed/samples_per_second"} <= tags
    assert {f"{split}/{name}" for split in ("train", "val", "test") for name in METRICS} <= tags
    assert [e.step for e in events.Scalars("train/nll")] == [2, 4, 6]
    assert [e.step for e in events.Scalars("val/log_score")] == [3, 6]


def test_figures_at_every_validation_and_for_the_test(finished, events):
    figures = {f"figures/{s}_{n}" for s in ("val", "test") for n in ("rate", "calibration", "bits_per_spike")}
    figures |= {f"figures/test_{n}" for n in ("pit", "dispersion", "counts")}  # at the end alone
    assert figures == set(events.Tags()["images"])
    assert not figures & set(events.Tags()["scalars"])  # TensorBoard shows neither of two with one tag
    assert [e.step for e in events.Images("figures/val_rate")] == [3, 6]
    for file in (finished / "figures").glob("*.png"):
        assert file.read_bytes()[:4] == b"\x89PNG"
    assert len(list((finished / "figures").glob("*.png"))) == 9


def test_text_and_hparams_in_the_same_folder(finished, events):
    text = events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "Poisson" in text and "minutes: 2" in text
    assert not [p for p in finished.iterdir() if p.is_dir() and p.name not in ("checkpoints", "figures")]
    content = events._plugin_to_tag_to_content["hparams"]
    info = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    assert info.hparams["loss"].string_value == "poisson"
    assert info.hparams["data"].string_value == "spikes"
    assert info.hparams["data.minutes"].number_value == 2  # typed, so it is shown
    assert info.hparams["seed"].number_value == 0
    assert {f"test/{name}" for name in METRICS} <= set(events.Tags()["scalars"])


def test_the_tab_of_settings_shows_those_of_all_runs_below_a_folder(tmp_path):
    typed = {"a": {"seed": 0, "model.width": 8}, "b": {"seed": 1, "optim.betas": "[0.8,0.9]", "trainer.patience": 2},
             "c": {"seed": 1, "trainer.patience": "null"}}  # fmt: skip
    for name, choices in typed.items():
        (tmp_path / name).mkdir()
        logger = Logger(tmp_path / name)
        logger.scalars("test", {f"auc_{name}": 0.5}, 1, 0)
        logger.hparams(choices, 1)
        logger.close()
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path)).Reload()
    tab = Context(TBContext(data_provider=MultiplexerDataProvider(runs, str(tmp_path))))
    asked = RequestContext()
    shown = tab.experiment_from_metadata(asked, "", True, tab.hparams_metadata(asked, ""), [])
    kinds = {info.name: api_pb2.DataType.Name(info.type) for info in shown.hparam_infos}
    text, number = "DATA_TYPE_STRING", "DATA_TYPE_FLOAT64"
    assert kinds == {"seed": number, "model.width": number, "optim.betas": text, "trainer.patience": text}
    assert {info.name.tag for info in shown.metric_infos} == {"test/auc_a", "test/auc_b", "test/auc_c"}


def test_table_over_time(finished):
    with open(finished / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(r["step"], r["split"]) for r in rows} >= {("2", "train"), ("3", "val"), ("6", "val"), ("6", "test")}
    metrics = json.loads((finished / "metrics.json").read_text())
    (last,) = [r for r in rows if (r["split"], r["name"]) == ("test", "log_score")]
    assert float(last["value"]) == pytest.approx(metrics["test"]["log_score"], rel=1e-6)


def test_config_versions_and_git(finished):
    config = yaml.safe_load((finished / "config.yaml").read_text())
    assert config["loss"]["_target_"] == "dlthink.losses.counts.poisson.Poisson" and config["data"]["minutes"] == 2
    story = json.loads((finished / "provenance.json").read_text())
    assert story["choices"]["model"] == "mlp"
    assert story["versions"]["torch"] and story["versions"]["python"]
    assert "data.minutes=2" in story["command"] and "git" in story


def test_what_is_not_a_number_is_null(tmp_path):
    write_json(tmp_path / "m.json", {"test": {"a": float("nan"), "b": 1.5, "c": "word"}})
    text = (tmp_path / "m.json").read_text()
    assert "NaN" not in text and json.loads(text) == {"test": {"a": None, "b": 1.5, "c": "word"}}
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]


def test_a_projection_has_its_names_and_its_sprites(tmp_path):
    import torch

    logger = Logger(tmp_path)
    pictures = torch.randint(0, 255, (10, 3, 8, 8), dtype=torch.uint8)
    logger.projection("test", torch.randn(10, 4), [f"person {i // 2}" for i in range(10)], pictures, 7)
    logger.close()
    told = (tmp_path / "projector_config.pbtxt").read_text()
    assert "tensors.tsv" in told and "sprite" in told
    (names,) = tmp_path.rglob("metadata.tsv")
    assert names.read_text().split("\n")[:3] == ["person 0", "person 0", "person 1"]
    assert list(tmp_path.rglob("sprite.png"))


def test_a_path_that_is_no_utf_8_is_told_as_well_as_can_be(tmp_path):
    logger = Logger(tmp_path)
    logger.text("config", "data.path: p\udce4ople")
    logger.hparams({"data.path": "p\udce4ople", "seed": 1.0}, 1)
    logger.close()


@pytest.mark.parametrize(
    "row",
    [
        b"\xb2,1,val,x,1",
        b"9" * 5000 + b",1,val,x,1",
        b"\x00" * 5000,
        b'3,1,val,"x',
        b"\xff,1,val,x,1",
        b"1,2,3",
        b"x" * 200_000,
    ],
    ids=range(7),
)
def test_rows_that_no_run_has_written_are_left_out_on_resuming(tmp_path, row):
    sound = b"step,epoch,split,name,value\n1,0,val,a,2\n"
    (tmp_path / "metrics.csv").write_bytes(sound + row + b"\n2,0,val,a,3\n7,0,val,a,4\n")
    Logger(tmp_path, after=2).close()
    assert (tmp_path / "metrics.csv").read_bytes().replace(b"\r", b"") in (sound + b"2,0,val,a,3\n", sound)


def test_a_table_of_a_terabyte_of_nothing_is_not_read_to_its_end(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_bytes(b"step,epoch,split,name,value\n1,0,val,a,2\n")
    with file.open("ab") as table:
        table.truncate(1 << 40)
    Logger(tmp_path, after=2).close()
    assert file.read_bytes().replace(b"\r", b"") == b"step,epoch,split,name,value\n1,0,val,a,2\n"
