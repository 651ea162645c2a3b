"""Semi-amortized inference against a loop by hand, finite differences, and what it promises."""

from itertools import pairwise

import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig
from modeling_wae_rnf.semi_amortized import SEED
from wae_rnf.commands.main import main
from wae_rnf.evaluation.metrics import Metrics
from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.schema import unknown_keys
from wae_rnf.sharing.model_card import model_card
from wae_rnf.sharing.onnx_export import export_programs
from wae_rnf.text.text_input import encode
from wae_rnf.training.run import train
from wae_rnf.training.schedules import annealed_weights
from wae_rnf.training.systems import NO_FLOW, NO_MMD, SYSTEMS

from .small_runs import SENTENCES

FIXED = {"dropout": 0.0, "batch_norm": False, "mean_gamma": None}
FEW = {"steps": 3, "step_size": 0.3, "max_norm": 0.5}  # the steps are long, and some gradients are clipped


@pytest.fixture
def model(tiny_model):
    """A model in double precision whose decoder depends on z, and whose posterior moves."""

    def build(system="sa-vae", kwargs=FEW, **fields):
        model = tiny_model(**SYSTEMS[system].config | FIXED | {"inference_kwargs": kwargs} | fields).double()
        with torch.no_grad():
            for parameter in model.decoder.parameters():
                parameter.mul_(3)
        return model

    return build


def loss_by_hand(model, ids, parameters, noise, alpha):
    """-log p(x|z) + alpha · KL of one sentence, token by token through the LSTM's equations."""
    mean, log_variance = parameters
    decoder = model.decoder
    z = mean + (log_variance / 2).exp() * noise
    h, c = torch.tanh(decoder.initial_state.weight @ z + decoder.initial_state.bias).chunk(2)
    w_in, w_state, b_in, b_state = (getattr(decoder.lstm, f"{name}_l0") for name in NAMES)
    nll = 0.0
    for word, following in pairwise(ids):
        gates = w_in @ model.embedding.weight[word] + b_in + w_state @ h + b_state
        entry, kept, new, shown = gates.chunk(4)
        c = kept.sigmoid() * c + entry.sigmoid() * new.tanh()
        h = shown.sigmoid() * c.tanh()
        scores = decoder.projection.weight @ h + decoder.projection.bias
        nll = nll + scores.exp().sum().log() - scores[following]
    return nll + alpha * 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()


NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def refined_by_hand(model, ids, parameters, noise, alpha):
    """lambda_K of one sentence, with gradients that keep their graph."""
    options = model.inference
    velocity = [torch.zeros_like(values) for values in parameters]
    for of_step in noise:
        slopes = torch.autograd.grad(
            loss_by_hand(model, ids, parameters, of_step, alpha), parameters, create_graph=True
        )
        moved = []
        for number, slope in enumerate(slopes):
            norm = slope.square().sum().sqrt()
            if norm > options.max_norm:
                slope = slope * options.max_norm / norm
            velocity[number] = options.momentum * velocity[number] - slope
            moved.append(parameters[number] + options.step_size * velocity[number])
        parameters = moved
    return parameters


def encoded(model, inputs):
    """lambda_0 of each sentence, as its posterior is without steps: [(mean, log variance)]."""
    steps, model.inference.refinement_steps = model.inference.refinement_steps, 0
    posterior = model.encode(**inputs)
    model.inference.refinement_steps = steps
    return list(zip(posterior.mean, 2 * posterior.stddev.log(), strict=True))


def sentences_of(inputs):
    return [ids[mask.bool()].tolist() for ids, mask in zip(*inputs.values(), strict=True)]


def gradients(model):
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad()
    return found


def test_loss_and_gradient_by_hand_on_two_sentences(model, batch):
    """Refinement, loss at lambda_K and its gradient through the refinement, each sentence by itself."""
    model, inputs, alpha = model().train(), {name: values[:2] for name, values in batch.items()}, 0.4
    torch.manual_seed(5)
    output = model(**inputs, kl_weight=alpha)
    output.loss.backward()
    found = gradients(model)
    torch.manual_seed(5)
    noise, of_loss = (torch.randn(*shape, dtype=torch.double) for shape in ((FEW["steps"], 2, 4), (2, 4)))
    losses, clipped = [], 0
    for row, (ids, start) in enumerate(zip(sentences_of(inputs), encoded(model, inputs), strict=True)):
        last = refined_by_hand(model, ids, start, noise[:, row], alpha)
        losses.append(loss_by_hand(model, ids, last, of_loss[row], alpha))
        first = torch.autograd.grad(loss_by_hand(model, ids, start, noise[0, row], alpha), start, retain_graph=True)
        clipped += sum(slope.norm().item() > FEW["max_norm"] for slope in first)
    assert clipped  # or the clipping is not tested
    loss = sum(losses) / 2
    assert output.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    loss.backward()
    for name, expected in gradients(model).items():
        torch.testing.assert_close(found[name], expected, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("decoder", ["lstm", "transformer"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradient_against_finite_differences(model, batch, decoder, dropout):
    """Of a step of training along random directions, with each part's parameters; dropout is the same at each call."""
    kwargs = {"hidden_size": 8, "embedding_size": 8} if decoder == "transformer" else {}
    model = model(decoder_type=decoder, dropout=dropout, word_dropout=dropout, **kwargs).train()

    def loss():
        torch.manual_seed(2)
        return model(**batch).loss

    loss().backward()
    found, step = gradients(model), 1e-6
    for part in ("embedding", "encoder", "posterior_head", "decoder"):
        torch.manual_seed(3)
        with torch.no_grad():
            parameters = {n: p for n, p in model.named_parameters() if n.startswith(part)}
            along = {name: torch.randn_like(parameter) for name, parameter in parameters.items()}
            ends = []
            for side in (step, -step):
                for name, parameter in parameters.items():
                    parameter.add_(side * along[name])
                ends.append(loss().item())
                for name, parameter in parameters.items():
                    parameter.sub_(side * along[name])
        slope = sum((found[name] * direction).sum().item() for name, direction in along.items())
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-7), part


def test_without_second_order_the_steps_count_as_a_constant(model, batch):
    """The encoder gets the gradient of lambda_K, the decoder that of the loss alone, and the loss is the same."""
    model = model(kwargs=FEW | {"second_order": False}).train()
    torch.manual_seed(5)
    output = model(**batch)
    output.loss.backward()
    found = gradients(model)
    model.inference.second_order = True
    torch.manual_seed(5)
    assert model(**batch).loss.item() == pytest.approx(output.loss.item(), rel=1e-12)
    torch.manual_seed(5)
    noise, of_loss = (torch.randn(*shape, dtype=torch.double) for shape in ((FEW["steps"], 4, 4), (4, 4)))
    losses = []
    for row, (ids, start) in enumerate(zip(sentences_of(batch), encoded(model, batch), strict=True)):
        last = refined_by_hand(model, ids, start, noise[:, row], 1.0)
        shifted = [begun + (end - begun).detach() for begun, end in zip(start, last, strict=True)]
        losses.append(loss_by_hand(model, ids, shifted, of_loss[row], 1.0))
    (sum(losses) / 4).backward()
    for name, expected in gradients(model).items():
        torch.testing.assert_close(found[name], expected, rtol=1e-9, atol=1e-12, msg=name)


def test_outside_of_training_a_posterior_is_a_function_of_its_sentence(model, batch):
    """With a weight of 1, noise that is no one's state, no dropout and no graph; whatever the forward is asked."""
    model = model(dropout=0.5, kl_weight=0.3).eval()
    noise = torch.randn(FEW["steps"], 1, 4, generator=torch.Generator().manual_seed(SEED)).double()
    state = torch.get_rng_state()
    with torch.no_grad():
        posterior = model.encode(**batch)
        assert torch.equal(model(**batch, kl_weight=0.2, sample=False).latents, posterior.mean)
    assert torch.equal(torch.get_rng_state(), state)
    assert not posterior.mean.requires_grad
    with torch.inference_mode():
        copies = {name: values.clone() for name, values in batch.items()}
        assert torch.equal(model.encode(**copies).mean, posterior.mean)
    assert model.encode(**batch).mean.requires_grad
    for row, (ids, start) in enumerate(zip(sentences_of(batch), encoded(model, batch), strict=True)):
        mean, log_variance = refined_by_hand(model, ids, start, noise[:, 0], 1.0)
        torch.testing.assert_close(posterior.mean[row], mean.detach(), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(posterior.stddev[row], (log_variance / 2).exp().detach(), rtol=1e-10, atol=1e-12)


def test_an_autoencoder_refines_at_the_mean(model, batch):
    """What is trained without drawing z is refined without: the posterior is the same at each call."""
    model = model().train()
    first, second = (model(**batch, sample=False).latents for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(model(**batch).latents, model(**batch).latents)


@pytest.mark.parametrize("system", ["vae", "vae-nf", "wae-rnf"])
@pytest.mark.parametrize("prior", [None, "mixture", "vamp", "flow"])
def test_steps_lower_the_loss_of_the_sample_that_they_are_of(model, batch, system, prior):
    """With flows, other priors and objectives: a short step from the encoder's posterior, at the same noise."""
    short = {"steps": 1, "step_size": 1e-4, "max_norm": 100.0}
    model = model(system, short, inference="semi_amortized", prior=prior, prior_components=3, prior_layers=2).eval()
    noise = torch.randn(1, 1, 4, generator=torch.Generator().manual_seed(SEED)).double()[0]
    losses = []
    for steps in (0, 1):
        model.inference.refinement_steps = steps
        output = model(**batch, sample=False)
        posterior = model.encode(**batch)
        z_prime, volume = model.push(z := posterior.mean + posterior.stddev * noise)
        kl = model.prior.kl_divergence(posterior) if model.objective.closed_form else None
        if kl is None:
            kl = posterior.log_prob(z) - model.prior.log_prob(z if model.objective.closed_form else z_prime)
        losses.append(model.score(**batch, z_prime=z_prime) + kl)
        if model.objective.bound_of == "flow_posterior":
            losses[-1] = losses[-1] - volume
        assert output.loss.isfinite()
    assert (losses[1] < losses[0]).all()


def test_mixed_precision_and_single_precision(tiny_model, batch):
    """A step of training in each: the gradient is there, and near that of double precision."""
    fields = SYSTEMS["sa-vae"].config | FIXED | {"inference_kwargs": FEW}
    found = {}
    for name, dtype in (("double", torch.double), ("single", torch.float32), ("bfloat16", torch.float32)):
        model = tiny_model(**fields).to(dtype).train()
        with torch.autocast("cpu", torch.bfloat16, enabled=name == "bfloat16"):
            loss = model(**batch, sample=False).loss
        loss.backward()
        found[name] = torch.cat([p.grad.flatten().double() for p in model.parameters()])
    assert (found["single"] - found["double"]).norm() < 1e-4 * found["double"].norm()
    assert (found["bfloat16"] - found["double"]).norm() < 0.1 * found["double"].norm()


@pytest.mark.parametrize(("fields", "message"), [
    ({"posterior": "vmf"} | NO_FLOW | NO_MMD, "refines a gaussian posterior, not 'vmf'"),
    ({"objective": "iwae"}, "refines by one sample a sentence, and 'iwae' has several"),
    ({"decoder_type": "cnn"}, "refines each sentence by itself, and decoder 'cnn' is batch-normalized"),
    ({"decoder_type": "hybrid"}, "refines each sentence by itself, and decoder 'hybrid' is batch-normalized"),
    ({"input_drop": 0.1}, "refines on the sentence, which input_drop and input_shuffle change"),
    ({"inference_kwargs": {"steps": -1}}, "steps must be a whole number from 0 on, but is -1"),
    ({"inference_kwargs": {"step_size": 0}}, "step_size must be a number over 0, but is 0"),
    ({"inference_kwargs": {"momentum": 1}}, r"momentum must be a number in \[0, 1\), but is 1"),
    ({"inference_kwargs": {"max_norm": "5"}}, "max_norm must be a number over 0, but is '5'"),
    ({"inference_kwargs": {"second_order": 1}}, "second_order must be true or false, but is 1"),
])  # fmt: skip
def test_what_it_has_not_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        WaeRnfConfig(**{"vocab_size": 9, "inference": "semi_amortized"} | fields)


def test_a_run_its_metrics_and_its_report(small_run, tmp_path, capsys):
    """Trained, evaluated and shown: each says how far q(z|x) was refined, and the model generates in all ways."""
    metrics = train(small_run(system="sa-vae", num_epochs=1, inference_kwargs={"steps": 2}))
    assert metrics["refinement_steps"] == 2
    assert list(unknown_keys(read_metrics(tmp_path / "run" / "metrics.json"), Metrics)) == []
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--iwae_samples", "2"]) == 0
    assert "q(z|x) refined by 2 gradient steps" in " ".join(capsys.readouterr().out.split())
    model, tokenizer = load_model(tmp_path / "run")
    card = " ".join(str(model_card("me/it", metrics, model.config)).split())
    assert "The posterior of each sentence is refined by 2 steps of gradient ascent on its ELBO." in card
    one, other = (encode(model, tokenizer, texts) for texts in (SENTENCES[:2], SENTENCES[2:]))
    assert len(model.generate(num_samples=3, max_new_tokens=5)) == 3
    assert len(model.reconstruct(one, max_new_tokens=5)) == 2
    assert len(model.interpolate(one, other, steps=3, max_new_tokens=5).flatten(0, 1)) == 6
    # with a graph and without one, oneDNN's kernels may round otherwise
    torch.testing.assert_close(model.embed(**one), model.encode(**one).mean.detach())
    with pytest.raises(ValueError, match="a posterior that is refined on each sentence cannot be exported"):
        export_programs(model)


def test_alpha_climbs_from_a_tenth():
    system = SYSTEMS["sa-vae"]
    config = WaeRnfConfig(vocab_size=9, kl_weight=1.0, mmd_weight=0.0, num_flows=0, flow_kernel=None)
    found = [
        annealed_weights(part / 48, config, system.annealing, climbs_from=system.climbs_from)["kl_weight"]
        for part in (0, 5, 10, 48)
    ]
    assert found == pytest.approx([0.1, 0.55, 1.0, 1.0])
