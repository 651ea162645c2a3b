"""Every system is a configuration that the model accepts, and trains."""

import math

import mpmath
import pytest
import torch
from torch.distributions import Dirichlet, Normal, kl_divergence

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.training.adversarial import Adversarial
from wae_rnf.training.arguments import TrainArguments, as_system
from wae_rnf.training.lagging import Lagging
from wae_rnf.training.model_options import model_config
from wae_rnf.training.systems import SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_system_learns(name, tiny_model, batch):
    few = {"inference_kwargs": {"steps": 3}} if name == "sa-vae" else {}
    model = tiny_model(**SYSTEMS[name].config, **few, dropout=0.0).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        output = model(**batch)
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(output.reconstruction.mean().item())
    # one that learns nothing stays at 1; over 5 seeds and more of each system the largest was 0.66
    assert sum(losses[-20:]) / 20 < 0.8 * losses[0]


def normal(z, mean=0.0, stddev=1.0):
    """log N(z; mean, stddev²), a sum over the dimensions."""
    terms = [
        -0.5 * ((x - m) / s) ** 2 - math.log(s) - 0.5 * math.log(2 * math.pi)
        for x, m, s in zip(z, broadcast(mean, z), broadcast(stddev, z), strict=True)
    ]
    return sum(terms)


def broadcast(value, z):
    return value if isinstance(value, list) else [value] * len(z)


def kernel_by_hand(x, y):
    """Σ_s 2ds / (2ds + ||x - y||²)."""
    distance, d = sum((a - b) ** 2 for a, b in zip(x, y, strict=True)), len(x)
    return sum(2 * d * s / (2 * d * s + distance) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))


def planar_by_hand(step, z):
    """f(z) and log|det|, number by number, with û of the invertible parametrization."""
    u, w, b = step.u.tolist(), step.w.tolist(), step.b.item()
    inner, squared = sum(p * q for p, q in zip(u, w, strict=True)), sum(q * q for q in w)
    factor = (math.log1p(math.exp(inner)) - 1 - inner) / squared
    u_hat = [p + factor * q for p, q in zip(u, w, strict=True)]
    activation = math.tanh(sum(p * q for p, q in zip(z, w, strict=True)) + b)
    slope = (1 - activation**2) * sum(p * q for p, q in zip(u_hat, w, strict=True))
    return [p + activation * q for p, q in zip(z, u_hat, strict=True)], math.log(abs(1 + slope))


@torch.no_grad()
@pytest.mark.parametrize("name", SYSTEMS)
def test_loss_by_hand_on_two_sentences(name, tiny_model, batch):
    """Number by number from the encoder's and the decoder's outputs: eq. 17 and each baseline's own bound."""
    model = tiny_model(**SYSTEMS[name].config).eval()
    inputs, alpha = {key: ids[:2] for key, ids in batch.items()}, 0.4
    weight = 2.0 if model.config.mmd_weight else 0.0
    torch.manual_seed(7)
    output = model(**inputs, kl_weight=alpha, mmd_weight=weight)
    torch.manual_seed(7)
    torch.randn_like(output.latents)  # of the posterior's samples
    prior = torch.randn_like(output.latents).tolist()
    posterior, losses, codes = model.encode(**inputs), [], output.latents.tolist()
    for row, z in enumerate(codes):
        start, volume, closeness = z, 0.0, 0.0
        for step in model.flow.steps:
            closeness += math.log(max(kernel_by_hand(z, centre) for centre in model.centres.tolist()))
            z, log_abs_det = planar_by_hand(step, z)
            volume += log_abs_det
        ids = inputs["input_ids"][row : row + 1]
        scores = model(ids, latents=output.latents[row : row + 1]).logits[0].tolist()
        words = [word for word in ids[0, 1:].tolist() if word != 0]
        nll = sum(math.log(sum(map(math.exp, scores[t]))) - scores[t][word] for t, word in enumerate(words))
        if name == "lstm-lm":
            latent = 0.0
        elif name == "vmf-vae":  # KL to the uniform sphere in four dimensions
            i1, i2 = (float(mpmath.besseli(order, 80)) for order in (1, 2))
            latent = alpha * (80 * i2 / i1 + math.log(80 / i1 / 2))
        elif name == "dirichlet-vae":  # of [z ; t], whose p(t|z) is a network's
            gaussian, topics = posterior.gaussian, posterior.topics
            of_z = kl_divergence(Normal(gaussian.mean[row], gaussian.stddev[row]), Normal(0.0, 1.0)).sum()
            scores = model.prior.scores(output.latents[row, :2]) / math.log(1000)
            given_z = Dirichlet((math.log(1000) * scores.tanh()).exp())
            latent = alpha * (of_z + kl_divergence(Dirichlet(topics.concentration[row]), given_z)).item()
        else:
            mean, stddev = posterior.mean[row].tolist(), posterior.stddev[row].tolist()
            closed = sum(0.5 * (m * m + s * s - 1) - math.log(s) for m, s in zip(mean, stddev, strict=True))
            sampled = normal(start, mean, stddev) - normal(z)
            latent = {
                "vae": alpha * closed,
                "vae-bow": alpha * closed,
                "cnn-vae": alpha * closed,
                "hybrid-vae": alpha * closed,
                "sa-vae": alpha * closed,
                "infovae": alpha * closed,
                "lagging-vae": alpha * closed,
                "dae": alpha * closed,  # the discriminator's part is in test_adversarial.py
                "aae": alpha * closed,
                "daae": alpha * closed,
                "vae-nf": alpha * (sampled - volume),
                "wae": alpha * closed,
                "wae-nf": alpha * (closed - volume),
                "wae-rnf": alpha * (closed - volume - closeness),
            }[name]
        losses.append(nll + latent)
    divergence = 0.0
    if weight:
        across = sum(kernel_by_hand(x, y) for x in codes for y in prior) / 4
        divergence = kernel_by_hand(*codes) + kernel_by_hand(*prior) - 2 * across
    assert output.loss.item() == pytest.approx(sum(losses) / 2 + weight * divergence, rel=1e-5)


def test_the_table_says_what_the_names_say():
    config = {name: system.config for name, system in SYSTEMS.items()}
    assert config["wae-rnf"] == {"mean_gamma": 0.6}
    assert config["wae-nf"] == {"flow_kernel": None, "mean_gamma": 0.6}
    assert config["wae"]["num_flows"] == config["vae"]["num_flows"] == 0
    assert config["vae"]["mmd_weight"] == config["vae-nf"]["mmd_weight"] == 0
    assert "mmd_weight" not in config["wae"]
    assert config["lstm-lm"]["latent_size"] == 0
    assert config["vmf-vae"]["posterior"] == "vmf"
    assert config["lagging-vae"] == config["vae"]
    assert [name for name, system in SYSTEMS.items() if system.strategy is Lagging] == ["lagging-vae"]
    assert config["aae"] == config["vae"] | {"kl_weight": 0.0}
    assert config["dae"] == config["daae"] == config["aae"] | {"input_drop": 0.3}
    assert [name for name, system in SYSTEMS.items() if system.strategy is Adversarial] == ["aae", "daae"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_option_may_change_a_default_and_never_what_is_fixed(name):
    system = SYSTEMS[name]
    for option, fixed in system.fixed.items():
        if option == "posterior":  # no option
            continue
        others = {"latent_size": 8, "num_flows": 2, "flow_kernel": "imq", "mmd_weight": 1.0}
        others |= {"encoder_type": "lstm", "decoder_type": "lstm"}
        other = others.get(option, {})
        reason = "it has none by definition" if not fixed else "it is .* by definition"
        with pytest.raises(ValueError, match=f"--{option} does not apply to {name}: {reason}"):
            TrainArguments(system=name, **{option: other})
        assert getattr(TrainArguments(system=name, **{option: fixed}), option) == fixed
    others = {"kl_weight": 0.3, "mmd_weight": 0.2, "objective": "pushforward", "mean_gamma": 0.9, "input_drop": 0.1}
    others |= {"prior": "dirichlet"}
    for option, default in system.defaults.items():
        assert getattr(TrainArguments(system=name), option) == default
        assert getattr(TrainArguments(system=name, **{option: others[option]}), option) == others[option]


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_scale_of_the_means_is_fixed_where_there_is_an_mmd_unless_it_is_learned(name):
    default = 0.6 if SYSTEMS[name].config.get("mmd_weight") != 0 else None
    assert TrainArguments(system=name).mean_gamma == default
    assert TrainArguments(system=name, mean_gamma=None).mean_gamma is None
    assert TrainArguments(system=name, batch_norm=False).mean_gamma is None
    gamma = model_config(TrainArguments(system=name), SYSTEMS[name], 9).mean_gamma
    assert gamma == default


def test_values_of_the_paper():
    """Of every system, what is not the configuration's own default: written down anew."""
    bound = {"num_flows": 0, "flow_kernel": None, "kl_weight": 1.0, "mmd_weight": 0.0}
    expected = {
        "lstm-lm": bound | {"latent_size": 0},
        "vae": bound,
        "vae-nf": bound | {"num_flows": 3, "objective": "flow_posterior"},
        "lagging-vae": bound,
        "vmf-vae": bound | {"posterior": "vmf"},
        "dirichlet-vae": bound | {"posterior": "gaussian_dirichlet", "prior": "conditional_dirichlet"},
        "wae": {"num_flows": 0, "flow_kernel": None, "mean_gamma": 0.6},
        "wae-nf": {"flow_kernel": None, "mean_gamma": 0.6},
        "wae-rnf": {"mean_gamma": 0.6},
    }
    default = WaeRnfConfig(vocab_size=9).to_dict()
    for name, fields in expected.items():
        found = model_config(TrainArguments(system=name), SYSTEMS[name], 9).to_dict()
        assert found == default | fields, name
    assert {name: SYSTEMS[name].annealing for name in expected} == {
        "lstm-lm": (0, 0), "vae": (0, 21 / 48), "vae-nf": (0, 21 / 48), "lagging-vae": (0, 10 / 48), "vmf-vae": (0, 0),
        "dirichlet-vae": (0, 21 / 48), "wae": (3 / 48, 19 / 48), "wae-nf": (3 / 48, 19 / 48),
        "wae-rnf": (3 / 48, 19 / 48),
    }  # fmt: skip


def test_a_metric_cannot_be_taken_away():
    for options, message in (({"flow_kernel": None}, "--flow_kernel none leaves wae-rnf without its metric"),
                             ({"num_flows": 0}, "--num_flows 0 leaves wae-rnf no flow"),
                             ({"latent_size": 0}, "without a latent variable is --system lstm-lm")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            TrainArguments(**options)


def test_where_the_rows_come_from():
    for system in SYSTEMS.values():
        assert 2010 < system.year < 2030
        assert str(system.year) in system.paper
        assert system.differs


def test_another_system_of_the_same_options():
    run = TrainArguments(hidden_size=8, latent_size=4, kl_weight=0.5, objective="iwae", num_centres=3)
    other = as_system(run, "lstm-lm", seed=3)
    assert (other.system, other.hidden_size, other.latent_size, other.seed) == ("lstm-lm", 8, 0, 3)
    assert (other.kl_weight, other.objective, other.mean_gamma, other.mmd_weight) == (1.0, "paper", None, 0.0)
    assert as_system(run, "vae").latent_size == 4
