"""What every part keeps to, over the tables: a new part and a new system are tested by being listed."""

import os
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModel

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.batch_norm import BatchNorm
from modeling_wae_rnf.components import COMPONENTS, FIELDS
from wae_rnf.evaluation.shared_work import my_share
from wae_rnf.training.systems import SYSTEMS

SIZES = {"vocab_size": 13, "embedding_size": 6, "hidden_size": 8, "latent_size": 4, "num_centres": 3}
SMALL = {"prior_components": 3, "prior_layers": 2, "importance_samples": 3, "dropout": 0.0}
NO_FLOW_NO_MMD = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}
# what is no part of its own, but another way for a part
OPTIONS = {
    "linear head": {"posterior_head": "linear", "encoder_input": "bos"},
    "no batch normalization": {"batch_norm": False, "num_flows": 1, "flow_kernel": None},
    "fixed gamma": {"mean_gamma": 0.6},
    "gaussian kernels": {"flow_kernel": "gaussian", "kernel_bandwidth": 0.5, "mmd_kernel": "gaussian"},
    "z at every step": {"latents_at_every_step": True},
    "free bits": {"free_bits": 0.1, "minimum_rate": 0.5},
    "iwae, vamp": {"objective": "iwae", "prior": "vamp"},
}


def fields_of(kind, name):
    """The configuration of a model that has a part: with it what it cannot be without."""
    if kind == "auxiliary_losses":
        features = COMPONENTS[kind][name].reads_position_features
        suited = (decoder for decoder, part in COMPONENTS["decoder"].items() if part.has_position_features >= features)
        return {"auxiliary_losses": {name: 0.5}, "decoder_type": next(suited)}
    fields = {FIELDS.get(kind, kind): name}
    if kind == "prior":  # with a posterior whose z lie where those of the prior lie
        space = COMPONENTS["prior"][name].space
        fields["posterior"] = next(head for head, part in COMPONENTS["posterior"].items() if part.space == space)
    if COMPONENTS["posterior"][fields.get("posterior", "gaussian")].space != "euclidean":
        fields |= NO_FLOW_NO_MMD
    return fields


PARTS = {f"{kind} {name}": fields_of(kind, name) for kind, table in COMPONENTS.items() for name in table}
CASES = PARTS | OPTIONS | {name: system.config for name, system in SYSTEMS.items()}


def build(fields):
    """A small model of a configuration, always with the same weights."""
    torch.manual_seed(0)
    few = {"inference_kwargs": {"steps": 3}} if fields.get("inference") == "semi_amortized" else {}
    model = WaeRnfModel(WaeRnfConfig(**(SIZES | SMALL | few | fields)))
    model.set_centres(torch.randn(model.centres.shape))
    return model


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def model(request):
    return build(request.param)


def learned_loss(model, batch):
    """The loss of a step of training, always with the same random numbers."""
    torch.manual_seed(1)
    return model.train()(**batch).loss


def padded(batch, left=0, right=0):
    return {name: F.pad(values, (left, right)) for name, values in batch.items()}


def check_gradients(model, batch):
    learned_loss(model, batch).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
        else:
            assert model.config.mean_gamma is not None, name


def test_every_parameter_gets_a_gradient(model, batch):
    check_gradients(model, batch)


def check_padding(model, batch):
    """A sentence among others, alone, and between paddings: the same posterior and the same likelihood."""
    model.eval()
    posterior, z = model.encode(**batch), torch.randn(4, model.config.latent_size)
    scores = model.score(**batch, z_prime=z)
    for row in range(4):
        length = int(batch["attention_mask"][row].sum())
        alone = {name: values[row : row + 1, :length] for name, values in batch.items()}
        for inputs in (alone, padded(alone, right=5), padded(alone, left=5), padded(alone, left=2, right=3)):
            found = model.encode(**inputs)
            torch.testing.assert_close(found.mean[0], posterior.mean[row], rtol=0, atol=1e-5)
            torch.testing.assert_close(found.entropy()[0], posterior.entropy()[row], rtol=0, atol=1e-5)
            score = model.score(**inputs, z_prime=z[row : row + 1])[0]
            torch.testing.assert_close(score, scores[row], rtol=0, atol=1e-5)


@torch.no_grad()
def test_padding_changes_nothing(model, batch):
    check_padding(model, batch)


def check_cache(model, batch):
    """Whole sentences, word by word, with words that are padding, with rows in another order: the same logits."""
    for parameter in model.decoder.parameters():
        parameter.mul_(3)  # words that depend on what came before, and on z
    for norm in model.decoder.modules():
        if isinstance(norm, BatchNorm):  # whose statistics are then of these weights
            norm.momentum = 1.0
    model.train()(**batch)
    model.eval()
    ids, mask = batch["input_ids"], batch["attention_mask"]
    z, real = model.sample_prior(4, torch.Generator().manual_seed(0)), mask.bool()
    states = model.decoder(model.embedding(ids), model.push(z)[0], mask.sum(1))
    whole = model.decoder.logits(states)
    torch.testing.assert_close(model(**batch, latents=z).logits[real], whole[real], rtol=1e-5, atol=1e-5)
    left = padded(batch, left=3)
    torch.testing.assert_close(model(**left, latents=z).logits[:, 3:][real], whole[real], rtol=1e-5, atol=1e-5)
    spread, holes = (torch.stack([values, torch.zeros_like(values)], dim=2).flatten(1) for values in (ids, mask))
    torch.testing.assert_close(model(spread, holes, latents=z).logits[:, ::2][real], whole[real], rtol=1e-5, atol=1e-5)
    unbegun = model(ids[:, 1:], mask[:, 1:], latents=z).logits
    torch.testing.assert_close(unbegun[real[:, 1:]], whole[:, 1:][real[:, 1:]], rtol=1e-5, atol=1e-5)

    order, start = torch.tensor([2, 0, 0]), 2
    cache = model(ids[:, :start], mask[:, :start], latents=z, use_cache=True).cache
    assert cache.get_seq_length() == start
    cache.reorder_cache(order)
    for position in range(start, ids.shape[1]):
        step = {"input_ids": ids[order, position, None], "attention_mask": mask[order, : position + 1]}
        found = model(**step, latents=z[order], cache=cache).logits[:, 0]
        kept = real[order, position]
        torch.testing.assert_close(found[kept], whole[order, position][kept], rtol=1e-5, atol=1e-5)
    assert cache.get_seq_length() == ids.shape[1]

    for options in ({"do_sample": False}, {"do_sample": False, "num_beams": 3}, {"do_sample": True}):
        written = []
        for use_cache in (True, False):
            torch.manual_seed(3)
            written.append(model.generate(latents=z, max_new_tokens=6, use_cache=use_cache, **options))
        assert torch.equal(*written), options


@torch.no_grad()
def test_cached_equals_uncached(model, batch):
    check_cache(model, batch)


def check_saved(model, batch, folder):
    learned_loss(model, batch)  # moves the running statistics
    model.save_pretrained(folder)
    loaded = AutoModel.from_pretrained(folder)
    state, again = model.state_dict(), loaded.state_dict()
    assert state.keys() == again.keys()
    assert all(torch.equal(state[name], again[name]) for name in state)
    assert loaded.config.to_dict() | {"_name_or_path": ""} == model.config.to_dict()
    assert torch.equal(learned_loss(loaded, batch), learned_loss(model, batch))


def test_saved_equals_loaded(model, batch, tmp_path):
    check_saved(model, batch, tmp_path)


ELSEWHERE = """
import sys
for name in ("modeling_wae_rnf", "wae_rnf", "datasets", "accelerate"):
    sys.modules[name] = None
import torch
from transformers import AutoModel
for folder in sys.argv[2:]:
    model = AutoModel.from_pretrained(folder, trust_remote_code=True).train()
    torch.manual_seed(1)
    print(repr(model(**torch.load(sys.argv[1])).loss.item()))
"""


def test_what_is_saved_loads_where_the_package_is_not(batch, tmp_path):
    """From its own directory with `trust_remote_code`, one of each part and system."""
    torch.save(batch, tmp_path / "batch.pt")
    folders, expected = [], []
    for number, fields in enumerate(CASES.values()):
        model = build(fields)
        folders.append(str(tmp_path / f"model-{number}"))
        model.save_pretrained(folders[-1])
        expected.append(learned_loss(model, batch).item())
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "batch.pt"), *folders]
    printed = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True, timeout=300).split()
    assert [float(loss) for loss in printed] == pytest.approx(expected, rel=1e-6)


def gradients(fields, batch):
    """The gradients of a share of a batch at the posterior's mean, in double precision, and the running moments."""
    model = build(fields | {"input_drop": 0.0}).double().train()  # each process draws noise of its own
    # at the mean, what makes q's spread has no part in some losses
    wrapped = DistributedDataParallel(model, find_unused_parameters=True) if dist.is_initialized() else model
    mine = my_share(list(range(len(batch["input_ids"]))))
    torch.manual_seed(1)  # of the prior's sample
    wrapped(**{name: values[mine] for name, values in batch.items()}, sample=False).loss.backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return found | {name: buffer for name, buffer in model.named_buffers() if "running" in name}


def one_of_two(index, folder, batch):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=index, world_size=2)
    torch.set_num_threads(1)
    torch.save([gradients(fields, batch) for fields in CASES.values()], folder / f"{index}.pt")
    dist.destroy_process_group()


def test_two_processes_equal_one(batch, tmp_path):
    rows = [0, 1, 2, 3, 2]  # an odd number
    batch = {name: values[rows] for name, values in batch.items()}
    torch.multiprocessing.spawn(one_of_two, (tmp_path, batch), nprocs=2)
    of_both = [torch.load(tmp_path / f"{index}.pt") for index in range(2)]
    for number, (case, fields) in enumerate(CASES.items()):
        expected = gradients(fields, batch)
        largest = max(value.abs().max() for value in expected.values())
        for found in of_both:
            assert found[number].keys() == expected.keys(), case
            for name, value in expected.items():
                assert (found[number][name] - value).abs().max() < 1e-12 * largest, (case, name)


def refusal(**fields):
    """The one sentence that a configuration is refused with."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        WaeRnfConfig(**SIZES | fields)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", COMPONENTS)
def test_a_part_that_there_is_not_is_refused_with_those_there_are(kind):
    field = FIELDS.get(kind, kind)
    message = refusal(**{field: {"none": 1.0} if kind == "auxiliary_losses" else "none"})
    assert message == f"{field} must be one of {', '.join(COMPONENTS[kind])}, but is none"


@pytest.mark.parametrize("case", [case for case in PARTS if not case.startswith("objective ")])
def test_an_option_that_a_part_has_not_is_refused_with_those_it_has(case):
    kind, name = case.split(" ")
    options = {name: {"none": 1}} if kind == "auxiliary_losses" else {"none": 1}
    message = refusal(**PARTS[case], **{f"{kind}_kwargs": options})
    known = COMPONENTS[kind][name].options()
    assert f"{name!r} has no option 'none'; it has {', '.join(known) or 'none of its own'}" in message


def test_options_that_are_no_mapping_are_refused():
    assert refusal(decoder_kwargs=[1]) == "decoder_kwargs must be a dictionary, not [1]"
    assert refusal(auxiliary_losses="bow") == "auxiliary_losses must be a dictionary, not 'bow'"
    message = refusal(auxiliary_losses_kwargs={"bow": {}})
    assert message == "auxiliary_losses_kwargs has options of 'bow', which auxiliary_losses does not name"
