"""Records: the same again for the same seed, found when asked for, whole or not there, and every change noticed."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
import torch

from common import data as datasets
from common import files, labs, recording, records, runs
from common.errors import CourseError
from common.records import find, identity, read, read_all, table


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def train_one(variant, options, **changes):
    return runs.runs("lab", "variant", variant, options.model_copy(update=changes))


def test_a_run_is_trained_once_and_then_replayed(folders, variant, options, monkeypatch):
    first = train_one(variant, options, seeds=2)
    monkeypatch.setattr(runs, "train", lambda *a: pytest.fail("trained again"))
    assert train_one(variant, options, seeds=2) == first
    assert [r.seed for r in first] == [0, 1] and first[0].test_acc != first[1].test_acc
    assert not list(folders.rglob("*.checkpoint"))


def test_the_same_seed_gives_the_same_record_but_for_the_time(folders, variant, options):
    one = train_one(variant, options)[0]
    before = contents(folders)
    two = train_one(variant, options, retrain=True)[0]

    def timeless(record):
        fields = record.model_dump(exclude={"seconds", "date", "history"})
        return fields, [{k: v for k, v in row.items() if k != "seconds"} for row in record.history]

    assert timeless(one) == timeless(two)
    after = contents(folders)
    assert {k: v for k, v in before.items() if k.suffix != ".json"} == {
        k: v for k, v in after.items() if k.suffix != ".json"}  # predictions and weights, to the byte


@pytest.mark.parametrize("change", ["recipe", "network", "seed", "engine", "data"])
def test_another_run_is_not_found(folders, variant, options, change):
    train_one(variant, options)
    wanted = identity("synthetic", variant, 0)
    assert find("lab", "variant", wanted) is not None
    other = {"recipe": wanted["recipe"] | {"lr": 0.049}, "network": "0" * 16, "seed": 1, "engine": 0, "data": "x"}
    assert find("lab", "variant", wanted | {change: other[change]}) is None


def test_a_record_of_seed_10_is_none_of_seed_1s(folders, variant, options):
    path = folders / "runs" / "lab" / "variant" / "seed-10-0.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert find("lab", "variant", identity("synthetic", variant, 1)) is None
    with pytest.raises(CourseError, match="seed-10-0.json is cut short"):
        find("lab", "variant", identity("synthetic", variant, 10))


def test_a_pause_is_no_part_of_the_time_that_a_run_took(folders, variant, options):
    record = train_one(variant, options, epochs=3)[0]
    for row, seconds in zip(record.history, (2.0, 3000.0, 2.5)):
        row["seconds"] = seconds
    assert record.took == 7.5


def test_weights_that_were_never_kept_are_not_called_missing(folders, variant, options, monkeypatch):
    monkeypatch.setattr(records, "KEEP_WEIGHTS", 10)
    record = train_one(variant, options)[0]
    with pytest.raises(CourseError, match="No .safetensors was kept with the record .*: weights are those of seed 0"):
        record.load_weights(variant.build())


def test_a_run_on_fewer_images_is_another_run(variant):
    assert identity("synthetic", variant, 0) == identity("synthetic", variant, 0, images=0)
    assert identity("synthetic", variant, 0, images=60)["data"] == datasets.load("synthetic", images=60).digest


def test_what_a_record_holds(folders, variant, options, tiny):
    record = train_one(variant, options)[0]
    assert record.split == dict(train=130, validation=20, test=50)  # a tenth of each class's 15, rounded
    assert record.params == sum(p.numel() for p in variant.build().parameters())
    assert len(record.history) == 2 and record.precision in ("fp32", "bf16") and record.seconds > 0
    predictions = torch.from_numpy(record.predictions()).long()
    assert (predictions == tiny.test_labels).double().mean().item() == record.test_acc
    assert torch.equal(torch.from_numpy(record.correct()), predictions == tiny.test_labels)
    assert sum(map(sum, record.confusion)) == 50 and sum(record.confusion[c][c] for c in range(10)) / 50 == record.test_acc
    weights = record.load_weights(variant.build()).state_dict()
    assert weights["0.0.weight"].abs().sum() > 0 and weights["0.0.weight"].dtype == torch.float32


def test_any_changed_byte_of_a_record_is_noticed(folders, variant, options):
    path = train_one(variant, options)[0].path
    text = path.read_text()
    for place in range(0, len(text) - 1, 97):  # digits, names, braces, the checksum itself; the last is a line's end
        changed = text[:place] + ("7" if text[place] != "7" else "3") + text[place + 1:]
        path.write_text(changed)
        with pytest.raises(CourseError, match=r"The record .*seed-0.*json is cut short or was changed"):
            read(path)
    path.write_text(text)
    assert read(path).seed == 0


def test_a_whole_record_with_a_setting_that_is_not_known_here_is_named(folders, variant, options):
    path = train_one(variant, options)[0].path
    body = path.read_text().rsplit(',\n "checksum"', 1)[0].replace('"recipe": {', '"recipe": {"colour": "red", ')
    path.write_text(f'{body},\n "checksum": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n')
    with pytest.raises(CourseError, match=r"The record .*seed-0.*json .*The recipe's setting colour is not known"):
        read(path)


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_a_changed_byte_beside_a_record_is_noticed(folders, variant, options, ending):
    record = train_one(variant, options)[0]
    path = record.path.with_suffix(ending)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CourseError, match=f"{ending} is missing or is not what its record"):
        record.predictions() if ending == ".npz" else record.load_weights(variant.build())


def test_a_record_cut_short_is_named_and_left_as_it_is(folders, variant, options):
    path = train_one(variant, options)[0].path
    path.write_bytes(path.read_bytes()[:300])
    before = contents(folders)
    with pytest.raises(CourseError, match="cut short or was changed .*make record"):
        train_one(variant, options)
    assert contents(folders) == before


def test_the_json_without_which_nothing_counts_is_put_in_place_last(folders, variant, options, monkeypatch):
    placed, replace = [], os.replace
    monkeypatch.setattr(files.os, "replace", lambda one, other: (placed.append(Path(other).suffix), replace(one, other)))
    monkeypatch.setattr(recording, "RECORDS", folders / "records")
    monkeypatch.setattr(datasets, "ROOT", folders)
    one = train_one(variant, options)[0]
    assert placed[-3:] == [".npz", ".safetensors", ".json"]
    recording.promote(one)
    assert placed[-3:] == [".npz", ".safetensors", ".json"] and len(placed) > 5


@pytest.mark.parametrize("fails_at", [2, 3, 4, 5])  # the second epoch's checkpoint; predictions, weights, record
def test_a_full_disk_leaves_no_half_record_and_the_run_is_not_lost(folders, variant, options, monkeypatch, fails_at):
    calls, fsync = [], os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CourseError, match=r"could not be read or written \(No space left on device\): make room"):
        train_one(variant, options)
    assert [p.suffix for p in contents(folders)] == [".checkpoint"]
    monkeypatch.setattr(files.os, "fsync", fsync)
    epochs = []
    monkeypatch.setattr("common.train.line", lambda *a: epochs.append(a) or "")
    assert len(train_one(variant, options)[0].history) == 2
    assert len(epochs) == (fails_at == 2)  # nothing is trained anew but the epoch that was not stored


def test_a_full_disk_leaves_an_older_record_as_it_was(folders, variant, options, monkeypatch):
    train_one(variant, options)
    before = contents(folders)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("common.train.save", lambda *a: None)  # the disk fills up at the very end
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CourseError, match="No space left on device"):
        train_one(variant, options, retrain=True)
    assert contents(folders) == before


def test_a_gpu_that_is_too_small_is_said(folders, variant, options, monkeypatch):
    def full(*args, **more):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(runs, "train", full)
    with pytest.raises(CourseError, match="lab variant seed 0 needs more memory than the GPU has free: run fewer at once"):
        train_one(variant, options)


def test_ctrl_c_keeps_the_finished_runs_and_goes_on_from_the_last_epoch(folders, variant, options, monkeypatch):
    from common import train as module

    whole = train_one(variant, options, seeds=2)
    for path in folders.rglob("seed-1*"):
        path.unlink()
    save = module.save

    def interrupted(*state):
        save(*state)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "save", interrupted)
    with pytest.raises(CourseError, match="Stopped in lab variant seed 1: finished runs are kept"):
        train_one(variant, options, seeds=2)
    monkeypatch.setattr(module, "save", save)
    again = train_one(variant, options, seeds=2)
    assert again[0] == whole[0] and again[1].test_loss == whole[1].test_loss


def test_the_table_and_its_json(folders, variant, options, capsys):
    train_one(variant, options, seeds=2)
    found = read_all(records.RUNS)
    frame = table(found)
    row = frame.iloc[0]
    accuracies = [r.test_acc for r in found]
    assert row.seeds == 2 and row.test_acc_mean == pytest.approx(sum(accuracies) / 2)
    assert row.test_acc_std == pytest.approx(abs(accuracies[0] - accuracies[1]) / 2**0.5)
    keys = "lab variant params macs seeds test_acc_mean test_acc_std train_acc_mean epochs device seconds"
    assert list(json.loads(frame.to_json(orient="records"))[0]) == keys.split()
    assert table(found[:1]).test_acc_std.isna().all()
    other = found[1].model_copy(update=dict(recipe=found[1].recipe.plus(lr=0.2)))
    with pytest.raises(CourseError, match="The records of lab/variant are of different experiments"):
        table([found[0], other])


def test_a_lab_shows_as_many_seeds_as_are_on_record_of_all_its_variants():
    for path in labs.paths():
        offered = labs.variants(path).items()
        on_record = min(len(list((records.RECORDS / path.stem / name).glob("seed-*.json"))) for name, _ in offered)
        assert on_record <= labs.seeds(path), f"Set seeds to {on_record} in the parameters cell of {path}, and run make pair."
