"""Warnings of a collapsed latent variable: figures on both sides of each threshold, and the places they are shown."""

import copy
import json
import math

import pytest
import torch

from modeling_wae_rnf import GaussianPosterior, VonMisesFisherPosterior, WaeRnfConfig, log_kernel
from modeling_wae_rnf.priors import FlowPrior, MixturePrior, StandardNormal
from wae_rnf.evaluation import latent_use
from wae_rnf.evaluation.estimators import latent_usage, used_units
from wae_rnf.evaluation.latent_use import (
    LatentUse,
    centres_effect,
    centres_warning,
    latent_warning,
    warnings_of_metrics,
)
from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.sharing.model_card import model_card
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.model_options import check_model
from wae_rnf.training.option_parser import parser_of
from wae_rnf.training.option_scope import check_scope
from wae_rnf.training.remedies import advice
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS
from wae_rnf.training.validation import has_collapsed

HEALTHY = {"mutual_information": 3.9, "kl": 12.9, "units": 8, "latent_size": 32, "sentences": 3761}


@pytest.mark.parametrize(
    ("changes", "collapsed"),
    [
        ({}, False),
        ({"mutual_information": 0.51}, False),
        ({"mutual_information": 0.49}, True),
        ({"mutual_information": -0.01}, True),  # an estimate may be
        ({"kl": 0.6, "mutual_information": 0.55, "units": 1}, False),
        ({"kl": 0.6, "mutual_information": 0.55, "units": 0}, True),
        ({"units": None}, False),
        ({"mutual_information": 0.49, "units": None}, True),
        ({"mutual_information": 0.0, "sentences": 10}, True),
        ({"mutual_information": 0.0, "sentences": 9}, False),  # so few say nothing
    ],
)
def test_thresholds_of_the_latent_variable(changes, collapsed):
    use = LatentUse(**HEALTHY | changes)
    assert use.collapsed == collapsed
    warning = latent_warning(use)
    assert (warning is not None) == collapsed
    if collapsed:
        assert f"mutual information {max(use.mutual_information, 0):.2f} nats, KL {use.kl:.2f} nats" in warning
        assert (f"{use.units} of 32 units with a KL over 0.05" in warning) == (use.units is not None)


def test_units_are_counted_by_their_own_divergence():
    """Of N(m, s²): ½ (m² + s² - 1 - ln s²), in the mean over the sentences."""
    mean = torch.tensor([[0.31, 0.33, 0.0, 0.0], [-0.31, -0.33, 0.0, 0.0]])  # ½ 0.31² = 0.048, ½ 0.33² = 0.054
    stddev = torch.tensor([1.0, 1.0, 0.8, 0.75]).expand(2, 4)  # 0.043 and 0.069 nats
    posterior = GaussianPosterior(mean, stddev)
    assert used_units(posterior) == 2
    use = LatentUse.of_posterior(posterior, 0.2, StandardNormal())
    assert (use.units, use.latent_size, use.sentences) == (2, 4, 2)
    assert use.kl == pytest.approx(posterior.kl_divergence().mean().item())
    sphere = VonMisesFisherPosterior(torch.nn.functional.normalize(torch.randn(5, 3), dim=-1), 4.0)
    assert used_units(sphere) is None


def test_the_divergence_from_a_flow_is_of_a_posterior_in_double_precision():
    """As validation gives it: log q(z|x) - log p(z) at one sample a sentence, against a prior in double precision."""
    prior = FlowPrior(WaeRnfConfig(latent_size=2, prior_layers=2, hidden_size=4))
    posterior = GaussianPosterior(torch.zeros(40, 2).double(), torch.ones(40, 2).double())
    use = LatentUse.of_posterior(posterior, 0.0, prior)
    z = posterior.rsample(generator=torch.Generator().manual_seed(0))
    expected = posterior.log_prob(z) - prior.double().log_prob(z)
    assert use.kl == pytest.approx(expected.mean().item(), abs=1e-5)


def test_the_divergence_is_from_the_models_own_prior():
    """A learned prior that has moved to the posterior is no information lost: log q - log p at the same z is 0."""
    prior = MixturePrior(WaeRnfConfig(latent_size=2, prior_components=1))
    prior.mean.data[:], prior.log_stddev.data[:] = torch.tensor([[3.0, -2.0]]), math.log(0.5)
    posterior = GaussianPosterior(torch.tensor([[3.0, -2.0]]).expand(50, 2), torch.full((50, 2), 0.5))
    use = LatentUse.of_posterior(posterior, 0.0, prior)
    assert use.kl == pytest.approx(0.0, abs=1e-5)
    assert use.units is None
    assert LatentUse.of_posterior(posterior, 0.0, StandardNormal()).units == 2


def test_the_estimate_finds_what_there_is():
    """Means at ±3 in so many units: a bit each; and means at one place: nothing."""
    generator = torch.Generator().manual_seed(0)
    signs = torch.randint(2, (2000, 8), generator=generator) * 2.0 - 1
    for scale, collapsed in ((3.0, False), (0.05, True)):
        posterior = GaussianPosterior(scale * signs, torch.ones(2000, 8))
        use = LatentUse.of_posterior(
            posterior, latent_usage(posterior, generator)["mutual_information"], StandardNormal()
        )
        assert use.collapsed == collapsed


def centres_at(distance, count=20, size=32):
    """On a circle, so that all lie `distance` from their mean."""
    angle = torch.arange(count) * 2 * torch.pi / count
    centres = torch.full((count, size), 0.3)
    centres[:, 0], centres[:, 1] = distance * angle.cos(), distance * angle.sin()
    return centres


@pytest.mark.parametrize("kernel", ["imq", "gaussian"])
def test_the_effect_of_centres_is_that_of_a_loop(kernel):
    centres = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    z = torch.randn(latent_use.NUM_PRIOR, 3, generator=torch.Generator().manual_seed(0)).double()
    middle = sum(centres.double()) / 4
    squares = []
    for point in z[:200]:
        near = min(((point - centre) ** 2).sum() for centre in [*centres.double()])
        one = ((point - middle) ** 2).sum()
        if kernel == "gaussian":
            squares.append((2.0 * (one - near)) ** 2)
        else:
            logs = [sum(6 * s / (6 * s + d) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10)).log() for d in (near, one)]
            squares.append((logs[0] - logs[1]) ** 2)
    part = (log_kernel(z[:200], centres.double(), kernel, 2.0) - log_kernel(z[:200], middle[None], kernel, 2.0)) ** 2
    torch.testing.assert_close(torch.stack(squares), part)
    whole = (log_kernel(z, centres.double(), kernel, 2.0) - log_kernel(z, middle[None], kernel, 2.0)) ** 2
    assert centres_effect(centres, kernel, 2.0) == pytest.approx(whole.mean().sqrt().item())


def test_thresholds_of_the_centres():
    """The effect grows with the distance; on both sides of 0.01 nats."""
    effects = [centres_effect(centres_at(distance), "imq", 10.0) for distance in (0.0, 0.1, 0.5, 2.0, 4.0)]
    assert effects == sorted(effects)
    low, high = 0.0, 4.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if centres_effect(centres_at(middle), "imq", 10.0) < 0.01 else (low, middle)
    assert centres_warning(centres_at(high * 1.01), "imq", 10.0) is None
    warning = centres_warning(centres_at(low * 0.99), "imq", 10.0)
    assert "the 20 centres of the metric are as good as one" in warning
    assert f"{torch.pdist(centres_at(low * 0.99)).mean():.2g} apart" in warning
    assert centres_warning(centres_at(0.0, count=1), "imq", 10.0) is None


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("more", [{}, {"objective": "authors", "preset": "authors"}, {"batch_norm": False},
                                  {"mean_gamma": 0.5, "minimum_rate": 5.0, "autoencoder_epochs": 2}])  # fmt: skip
def test_what_is_named_is_what_a_run_could_have(system, more):
    own = SYSTEMS[system].config
    if own.get("objective") == "flow_posterior" or own.get("posterior") in ("vmf", "gaussian_dirichlet"):
        more = {name: value for name, value in more.items() if name != "minimum_rate"}
    options = {"system": system} | (more if system != "lstm-lm" else {})
    warning = latent_warning(LatentUse(0.1, 0.1, 0, 32, 100), advice(options).latent)
    named = warning.partition("To try: ")[2].rstrip(".").split(", ") if "To try" in warning else []
    assert named or system == "lstm-lm"
    parser = parser_of(TrainArguments, prog="x")
    for words in named:
        if not words.startswith("--"):  # a later --kl_end
            assert words.split()[-1] in ("--kl_end", "--kl_weight", "--adversarial_weight")
            continue
        change = vars(parser.parse_args(words.split()))
        assert not set(change) & set(options)
        arguments = TrainArguments(**options | change)
        check_scope(change, arguments)
        check_model(arguments)


def metrics_of(**changes):
    metrics = {"has_latents": True, "system": "vae", "num_sentences": 500, "options": {"latent_size": 8},
               "pushforward": {"elbo": {"kl": 0.02}}, "mutual_information": 0.01, "units_over_0.05": 0}  # fmt: skip
    return metrics | changes


def test_a_file_of_metrics_is_enough():
    (warning,) = warnings_of_metrics(metrics_of(), advise=advice)
    assert "mutual information 0.01 nats, KL 0.02 nats, 0 of 8 units" in warning
    assert "--mean_gamma 0.6" in warning
    assert warnings_of_metrics(metrics_of(mutual_information=3.0, **{"units_over_0.05": 8})) == []
    assert warnings_of_metrics(metrics_of(has_latents=False)) == []
    older = metrics_of()
    del older["units_over_0.05"]
    assert len(warnings_of_metrics(older)) == 1
    assert warnings_of_metrics(older | {"mutual_information": 0.6}) == []


def test_centres_are_looked_at_where_the_model_is_there(tiny_model):
    model = tiny_model()
    healthy = metrics_of(mutual_information=3.0, system="wae-rnf", **{"units_over_0.05": 8})
    assert warnings_of_metrics(healthy, model) == []
    model.centres.zero_()
    (warning,) = warnings_of_metrics(healthy, model)
    assert "the 3 centres of the metric are as good as one" in warning
    assert warnings_of_metrics(healthy, tiny_model(num_flows=0, flow_kernel=None)) == []


def test_the_card_and_older_files_say_it(trained_directory, tmp_path):
    config = load_model(trained_directory)[0].config
    found = json.loads((trained_directory / "metrics.json").read_text())
    for information, said in ((0.01, True), (3.0, False)):
        older = copy.deepcopy(found) | {"mutual_information": information, "units_over_0.05": 2}
        older |= {"format": 2, "published": older.pop("paper_protocol")}
        del older["warnings"]
        (tmp_path / "metrics.json").write_text(json.dumps(older))
        metrics = read_metrics(tmp_path / "metrics.json")
        assert bool(metrics["warnings"]) == said
        card = str(model_card("user/name", metrics, config))
        assert ("**Warning**: the latent variable has collapsed" in card) == said
        assert all(f"\n\n**Warning**: {warning}\n" in card for warning in metrics["warnings"])


CONFIG = WaeRnfConfig(latent_size=32, kl_weight=1.0)


def collapsed(information, kl_weight=1.0, config=CONFIG, sampled=True):
    use = LatentUse(**HEALTHY | {"mutual_information": information})
    return has_collapsed(use, {"kl_weight": kl_weight}, config, sampled)


def test_a_collapse_counts_when_alpha_matters():
    assert [collapsed(0.1, kl_weight) for kl_weight in (0.0, 0.4, 0.5, 1.0)] == [False, False, True, True]
    assert not collapsed(0.6)
    assert not collapsed(0.0, config=WaeRnfConfig(latent_size=0, num_flows=0, flow_kernel=None, mmd_weight=0.0))
    assert not collapsed(0.0, sampled=False)  # an autoencoder's


def test_training_says_it_once(tmp_path, monkeypatch, capsys):
    """On sentences of two kinds, of which a model hears nothing before it has learnt anything."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "corpus").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "corpus" / f"{split}.txt").write_text("the cat sat\na dog ran\n" * 8)
    sizes = {"embedding_size": 6, "hidden_size": 6, "latent_size": 3, "eval_iwae_samples": 2, "batch_size": 4}
    run = {"dataset": str(tmp_path / "corpus"), "output_dir": str(tmp_path / "run"), "system": "vae", "kl_end": 0.0}
    given = TrainArguments(**run, **sizes, num_epochs=3, learning_rate=1e-30, batch_norm=False)
    history = train(given)["training"]["history"]
    assert [past["collapsed"] for past in history] == [True, True, True]
    errors = capsys.readouterr().err
    assert errors.count("vae: the latent variable has collapsed") == 1
    warning = errors[errors.index("vae: the latent variable") :].splitlines()
    assert "--mean_gamma 0.6" not in " ".join(warning)  # there is no batch normalization
    assert "--minimum_rate 5" in " ".join(" ".join(warning).split())
    assert max(map(len, warning)) <= 80
