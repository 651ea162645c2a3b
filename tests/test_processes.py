"""Two processes and one: the same gradients, the same metrics, and runs that resume to the bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
import torch.distributed as dist
from datasets import Dataset
from safetensors.torch import load_file
from torch.nn.parallel import DistributedDataParallel

from modeling_wae_rnf import GaussianPosterior, WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.distributed import batch_mean, batch_rows
from wae_rnf.evaluation import evaluate_split
from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.shared_work import gather, my_part, my_share, on_main
from wae_rnf.tokenization.batching import load_batches
from wae_rnf.training.checkpoints import checkpoints

from .test_adversarial import after_a_step

TRAIN = str(Path(__file__).parent.parent / "train.py")
SIZES = {"vocab_size": 30, "embedding_size": 6, "hidden_size": 8, "latent_size": 4, "num_centres": 3, "dropout": 0.0}
SYSTEMS = {
    "wae-rnf": {},
    "free bits": {"free_bits": 0.1, "minimum_rate": 0.5, "mmd_kernel": "gaussian"},
    "iwae, vamp": {"objective": "iwae", "importance_samples": 3, "prior": "vamp", "prior_components": 2},
}
NUM_SENTENCES = 33  # no number of processes divides it


def sentences():
    generator = torch.Generator().manual_seed(3)
    lengths = torch.randint(1, 8, (NUM_SENTENCES,), generator=generator).tolist()
    rows = [[1, *torch.randint(3, 30, (length,), generator=generator).tolist(), 2] for length in lengths]
    return Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})


def build(fields):
    torch.manual_seed(0)
    model = WaeRnfModel(WaeRnfConfig(**(SIZES | fields)))
    model.set_centres(torch.randn(model.centres.shape))
    return model


def gradients(fields, numbers):
    """The loss's gradients for the sentences of these numbers, each with noise of its own, and the running moments."""
    model = build(fields).double()  # in single precision, what the order of a sum does depends on the CPU
    samples = fields.get("importance_samples", 1)
    noise = torch.randn(samples, NUM_SENTENCES, 4, generator=torch.Generator().manual_seed(7)).double()[:, numbers]
    wrapped = DistributedDataParallel(model) if dist.is_initialized() else model
    inputs = next(load_batches(sentences(), [numbers], 0, "cpu"))
    torch.manual_seed(11)  # of the prior's sample
    noise = noise if samples > 1 else noise[0]
    with patch.object(GaussianPosterior, "rsample", lambda self, **_: self.mean + self.stddev * noise):
        loss = wrapped.train()(**inputs, sample=True).loss
    loss.backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    running = {name: buffer for name, buffer in model.named_buffers() if "running" in name}
    return {"loss": loss.detach()} | found | running


def measured():
    with patch.object(evaluate_split, "BATCH_SIZE", 4):
        found = evaluate(build({}), sentences(), samples=3, seed=4)
    return {
        name: found[name] for name in ("pushforward", "flow_posterior", "paper_protocol", "mutual_information", "mmd")
    }


def spreads_of_a_new_model():
    """Standard deviations over the rows of all processes, of mean and log variance, by (scale of what the head reads,
    precision)."""
    torch.manual_seed(0)
    model = WaeRnfModel(WaeRnfConfig(vocab_size=10_000))
    input_ids = torch.randint(4, 10_000, (64, 20))[my_share(list(range(64)))]
    found = {}
    for scale in (1e-3, 1.0, 1e3):
        for dtype in (torch.float32, torch.bfloat16):
            hook = model.posterior_head.register_forward_pre_hook(lambda _, x, scale=scale: (scale * x[0],))
            with torch.no_grad(), torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
                posterior = model.train().encode(input_ids)
            hook.remove()
            both = torch.stack([posterior.mean, 2 * posterior.stddev.log()], dim=1)
            found[scale, str(dtype)] = batch_rows(both).std(0, correction=0)
    return found


def one_of_several(index, count, place, folder):
    dist.init_process_group("gloo", init_method=f"file://{place}", rank=index, world_size=count)
    torch.set_num_threads(1)
    found = {name: gradients(fields, my_share(list(range(NUM_SENTENCES)))) for name, fields in SYSTEMS.items()}
    found["adversary"] = after_a_step(my_share(list(range(5))))
    values = torch.full((index + 1, 2), float(index))
    found["rows"], found["mean"] = batch_rows(values), batch_mean(values)
    found["gathered"] = gather([number**2 for number in my_part(range(7))])
    found["of main"] = on_main(lambda: f"made by {dist.get_rank()}")
    try:
        on_main(lambda: int("nothing"))
    except ValueError as error:
        found["error"] = str(error)
    found["metrics"], found["spreads"] = measured(), spreads_of_a_new_model()
    torch.save(found, folder / f"{count}-{index}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module", params=[2, 3])
def outcomes(request, tmp_path_factory):
    """What each of several processes found."""
    count, folder = request.param, tmp_path_factory.mktemp("processes")
    torch.multiprocessing.spawn(one_of_several, (count, folder / f"meeting-{count}", folder), nprocs=count)
    return [torch.load(folder / f"{count}-{index}.pt") for index in range(count)]


@pytest.mark.parametrize("name", SYSTEMS)
def test_gradients_are_those_of_one_process(outcomes, name):
    expected = gradients(SYSTEMS[name], list(range(NUM_SENTENCES)))
    largest = max(value.abs().max() for part, value in expected.items() if part != "loss")
    for found in outcomes:
        assert found[name].keys() == expected.keys()
        for part, value in expected.items():
            assert (found[name][part] - value).abs().max() < 1e-12 * largest, part


def test_an_adversary_is_that_of_one_process(outcomes):
    expected = after_a_step(list(range(5)))
    for found in outcomes:
        assert found["adversary"].keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found["adversary"][name], value, rtol=1e-9, atol=1e-11)


def test_metrics_are_those_of_one_process(outcomes):
    expected = measured()
    for found in outcomes:
        assert flat(found["metrics"]) == pytest.approx(flat(expected), abs=1e-4)


def test_a_new_model_is_normalized_over_all_rows(outcomes):
    for found in outcomes:
        for case, spreads in found["spreads"].items():
            assert (spreads - 1).abs().max() < 0.01, case


def flat(tree, prefix=""):
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {name: value for key, part in tree.items() for name, value in flat(part, f"{prefix}/{key}").items()}


def test_shared_work(outcomes):
    count = len(outcomes)
    rows = torch.cat([torch.full((index + 1, 2), float(index)) for index in range(count)])
    for found in outcomes:
        assert torch.equal(found["rows"], rows)
        torch.testing.assert_close(found["mean"], rows.mean(0))
        assert found["gathered"] == [0, 1, 4, 9, 16, 25, 36]
        assert found["of main"] == "made by 0"
        assert "invalid literal" in found["error"]


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """Starts `train.py` in so many processes, on a corpus whose batches they cannot share evenly."""
    folder = tmp_path_factory.mktemp("launched")
    words = ["the", "a", "cat", "dog", "sat", "ran", "on", "in", "mat", "fog", "rain", "day", "old", "fast"]
    generator = torch.Generator().manual_seed(0)
    for split, size in (("train", 240), ("valid", 13), ("test", 11)):
        picks = [torch.randint(len(words), (1 + number % 7,), generator=generator) for number in range(size)]
        lines = [" ".join(words[pick] for pick in picked) for picked in picks]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    small = "--embedding_size 16 --hidden_size 24 --eval_iwae_samples 3 --batch_size 9"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(folder / "cache")}
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node"]

    def start(processes, name, options):
        program = [
            TRAIN,
            "--dataset",
            str(folder),
            "--output_dir",
            str(folder / name),
            *small.split(),
            *options.split(),
        ]
        launcher = [*run, str(processes), "--standalone"] if processes > 1 else [sys.executable]
        return subprocess.Popen([*launcher, *program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=environment)  # fmt: skip

    start.folder = folder
    return start


def finish(process, expected=0):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == expected, output
    return output


def test_a_run_of_two_processes_is_that_of_one(launch):
    options = "--system lstm-lm --dropout 0 --num_epochs 2"  # nothing is drawn
    finish(launch(1, "one", options))
    output = finish(launch(2, "two", options))
    assert output.count("The model lies in") == 1
    one, two = (load_file(launch.folder / name / "model.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-4)
    one, two = (read_json(launch.folder / name / "metrics.json") for name in ("one", "two"))
    assert flat(two["pushforward"]) == pytest.approx(flat(one["pushforward"]), abs=1e-3)
    assert [run["training"]["processes"] for run in (one, two)] == [1, 2]


def test_two_processes_resume_to_the_bit(launch):
    # 27 steps an epoch
    options = "--system wae-rnf --latent_size 4 --num_centres 3 --num_epochs 4 --save_steps 3 --streaming"
    finish(launch(2, "whole", options))
    process, folder = launch(2, "cut", options), launch.folder / "cut" / "checkpoints"
    while not (folder / "step-000000030").exists():  # in the middle of the second stage's second epoch
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)  # the launcher hands it on
    assert "stopped by SIGTERM after step" in finish(process, expected=1)
    stopped = int(checkpoints(folder)[0].name.removeprefix("step-"))
    assert stopped in range(30, 108, 10)
    finish(launch(2, "cut", options + " --resume"))
    whole, cut = (load_file(checkpoints(launch.folder / name / "checkpoints")[0] / "model.safetensors")
                  for name in ("whole", "cut"))  # fmt: skip
    assert all(torch.equal(value, cut[name]) for name, value in whole.items())


def test_errors_of_several_processes_are_sentences(launch):
    output = finish(launch(2, "none", "--batch_size 1"), expected=1)
    assert "wae-rnf: error: 2 processes cannot share a batch of 1; start fewer processes" in output
    output = finish(launch(2, "none", "--system wae-rnf"), expected=1)
    assert "holds another run" in output


def test_a_launcher_that_starts_too_few_is_told_of(launch, monkeypatch):
    code = "from wae_rnf.training.launch import join_processes; print(join_processes().num_processes)"
    program = [sys.executable, "-c", code]
    environment = {name: value for name, value in os.environ.items() if name != "WORLD_SIZE"} | {
        "MASTER_PORT": "29500"
    }
    done = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=300)
    assert done.stdout == "1\n"
    assert "asked for several processes and started one" in done.stderr
