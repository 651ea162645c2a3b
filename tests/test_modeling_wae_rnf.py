"""The model: every term against a hand-written formula, padding, gradients, saving, decoding."""

import math

import mpmath
import pytest
import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel, log_kernel
from modeling_wae_rnf.gaussian import standard_normal_log_prob

CONFIGS = {
    "wae-rnf": {},
    "authors": {"objective": "authors", "posterior_head": "linear"},
    "authors, gaussian": {"objective": "authors", "flow_kernel": "gaussian", "kernel_bandwidth": 0.5},
    "vae": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "kl_weight": 1.0},
    "vae-nf": {"flow_kernel": None, "mmd_weight": 0.0, "objective": "flow_posterior"},
    "pushforward": {"flow_kernel": None, "mmd_weight": 0.0, "objective": "pushforward"},
    "vmf": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "posterior": "vmf", "kappa": 3.0},
    "lstm-lm": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "latent_size": 0},
    "fixed gamma": {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "mean_gamma": 0.6},
    "no batch normalization": {"num_flows": 1, "flow_kernel": None, "batch_norm": False},
    "z at every step": {"latents_at_every_step": True, "mmd_kernel": "gaussian"},
}


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def model(request, tiny_model):
    return tiny_model(**request.param)


def sentence_nll(model, sentence, z):
    """-log p(x | F(z)) of one unpadded sentence, token by token, from the decoder's logits."""
    logits = model(torch.tensor([sentence]), latents=z.unsqueeze(0)).logits[0]
    return -sum(logits[t].log_softmax(-1)[token] for t, token in enumerate(sentence[1:]))


def test_loss_is_the_formula(model, batch):
    model.eval()
    config = model.config
    output = model(**batch, kl_weight=0.3, mmd_weight=0.0)
    posterior = model.encode(**batch)
    losses = []
    for row, z in enumerate(output.latents):
        sentence = [token for token in batch["input_ids"][row].tolist() if token != 0]
        nll = sentence_nll(model, sentence, z)
        x, volume, kernel = z, 0.0, []
        for step in model.flow.steps:
            kernel.append(log_kernel(x[None], model.centres, config.flow_kernel or "imq", config.kernel_bandwidth)[0])
            jacobian = torch.autograd.functional.jacobian(lambda v, step=step: step(v)[0], x)
            volume = volume + torch.linalg.slogdet(jacobian)[1]
            x = step(x)[0]
        kernel = kernel if config.flow_kernel else []
        if config.posterior == "vmf":  # E[log q - log p] on the sphere of four dimensions, from Bessel's functions
            bessel = {order: float(mpmath.besseli(order, 3)) for order in (1, 2)}
            closed_kl = 3 * bessel[2] / bessel[1] + math.log(3 / bessel[1] / 2)
            sampled_kl = math.nan
        else:
            mean, variance = posterior.mean[row], posterior.variance[row]
            closed_kl = 0.5 * (mean**2 + variance - 1 - variance.log()).sum()
            log_q = torch.distributions.Normal(mean, variance.sqrt()).log_prob(z).sum()
            sampled_kl = log_q - standard_normal_log_prob(x)
        losses.append(
            nll
            + {
                "paper": 0.3 * (closed_kl - volume - sum(kernel)),
                "pushforward": 0.3 * closed_kl,
                "flow_posterior": 0.3 * (sampled_kl - volume),
                "authors": 0.3 * sampled_kl
                - volume
                + sum(0.5 * k if config.flow_kernel == "imq" else -(1 + k.exp()).log() for k in kernel),
            }[config.objective]
        )
        torch.testing.assert_close(output.reconstruction[row], nll, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(output.loss, sum(losses) / len(losses), rtol=1e-5, atol=1e-5)


def test_without_sampling_the_code_is_the_mean(model, batch):
    model.eval()
    output = model(**batch, sample=False)
    mean = model.encode(**batch).mean
    assert torch.equal(output.latents, mean)
    score = model.score(**batch, z_prime=model.push(mean)[0])
    torch.testing.assert_close(output.reconstruction, score, rtol=0, atol=0)


def test_mmd_enters_the_loss_by_its_weight(tiny_model, batch):
    model = tiny_model().eval()
    torch.manual_seed(1)
    output = model(**batch, mmd_weight=5.0)
    torch.manual_seed(1)
    without = model(**batch, mmd_weight=0.0)
    assert output.mmd != 0
    torch.testing.assert_close(output.loss - without.loss, 5 * output.mmd, rtol=1e-4, atol=1e-5)


def test_a_weight_given_to_forward_counts_where_the_configuration_has_none(tiny_model, batch):
    model = tiny_model(mmd_weight=0.0).eval()
    assert model(**batch).mmd == 0
    assert model(**batch, mmd_weight=5.0).mmd != 0


def test_mask_is_derived_from_padding(tiny_model, batch):
    model = tiny_model().eval()
    z = torch.zeros(4, 4)
    torch.testing.assert_close(
        model.score(batch["input_ids"], None, z), model.score(**batch, z_prime=z), rtol=0, atol=0
    )


def test_labels_leave_tokens_out(tiny_model, batch):
    model = tiny_model().eval()
    z = torch.randn(4, 4)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"].eq(0), -100)
    whole = model.score(**batch, z_prime=z)
    torch.testing.assert_close(model.score(**batch, z_prime=z, labels=labels), whole, rtol=0, atol=0)
    labels[0, 2] = -100
    partial = model.score(**batch, z_prime=z, labels=labels)
    assert partial[0] < whole[0]
    torch.testing.assert_close(partial[1:], whole[1:], rtol=0, atol=0)


def test_tuple_equals_dictionary(tiny_model, batch):
    model = tiny_model().eval()
    torch.manual_seed(0)
    named = model(**batch)
    torch.manual_seed(0)
    for left, right in zip(model(**batch, return_dict=False), named.to_tuple(), strict=True):
        assert torch.equal(left, right)


def test_one_sentence_has_a_finite_loss(model, batch):
    for mode in (True, False):
        model.train(mode)
        output = model(batch["input_ids"][:1], batch["attention_mask"][:1])
        assert output.loss.isfinite()
        assert output.mmd == 0


def test_centres_of_another_shape_are_refused(tiny_model):
    with pytest.raises(ValueError, match=r"the centres have shape \(3, 5\)"):
        tiny_model().set_centres(torch.zeros(3, 5))


def test_push_is_the_flow(tiny_model):
    model = tiny_model()
    z = torch.randn(5, 4)
    z_prime, log_abs_det = model.push(z)
    for row in range(5):
        jacobian = torch.autograd.functional.jacobian(lambda x: model.push(x)[0], z[row])
        torch.testing.assert_close(log_abs_det[row], torch.linalg.slogdet(jacobian)[1], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(z_prime, z)


def test_greedy_decoding_follows_the_logits(model):
    model.eval()
    z = torch.randn(6, model.config.latent_size)
    sentences = model.generate(latents=z, do_sample=False, max_new_tokens=9)
    for row, sentence in enumerate(sentences.tolist()):
        words = [1]
        while words[-1] != 2 and len(words) < 10:
            logits = model(torch.tensor([words]), latents=z[row : row + 1]).logits[0, -1]
            logits[:2] = -torch.inf
            words.append(int(logits.argmax()))
        assert sentence[: len(words)] == words
        assert set(sentence[len(words) :]) <= {0}


def test_sampled_words_have_the_models_frequencies(tiny_model):
    model = tiny_model().eval()
    z = torch.randn(1, 4)
    generator = torch.Generator().manual_seed(0)
    words = model.generate(latents=z.expand(20_000, -1), max_new_tokens=1, generator=generator)[:, 1]
    logits = model(torch.tensor([[1]]), latents=z).logits[0, -1].detach()
    logits[:2] = -torch.inf
    expected = logits.softmax(-1)
    torch.testing.assert_close(words.bincount(minlength=13) / 20_000, expected, rtol=0, atol=4 * 0.5 / 20_000**0.5)


def test_prior_is_reproducible_and_its_two_readings_differ(tiny_model):
    model = tiny_model(num_flows=3).eval()
    for step in model.flow.steps:
        torch.nn.init.normal_(step.u, std=5.0)

    def draw(seed, prior):
        generator = torch.Generator().manual_seed(seed)
        return model.generate(num_samples=200, prior=prior, generator=generator, max_new_tokens=7)

    assert torch.equal(draw(0, "pushforward"), draw(0, "pushforward"))
    assert not torch.equal(draw(0, "pushforward"), draw(1, "pushforward"))
    assert not torch.equal(draw(0, "pushforward"), draw(0, "flow_posterior"))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("latent_size", -1, "latent_size must be at least 0"),
        ("latent_size", 0, "without a latent variable has neither flows nor MMD"),
        ("posterior", "vmf", "whose latents lie on the sphere has neither flows nor MMD"),
        ("posterior", "uniform", "posterior must be one of"),
        ("word_dropout", -0.1, "word_dropout must lie in"),
        ("kappa", 0.0, "kappa must be positive"),
        ("mean_gamma", -1.0, "mean_gamma must be positive"),
        ("num_flows", -1, "num_flows must not be negative"),
        ("dropout", 1.0, "dropout must lie in"),
        ("vocab_size", 3, "vocab_size must be at least 4"),
        ("objective", "elbo", "objective must be one of"),
        ("flow_kernel", "rbf", "flow_kernel must be one of"),
        ("kl_weight", float("nan"), "kl_weight must not be negative"),
    ],
)
def test_impossible_configurations(field, value, message):
    with pytest.raises(ValueError, match=message):
        WaeRnfConfig(**{field: value})


def test_a_step_never_reads_from_an_accelerator(tiny_model, batch):
    """Nothing can be read from the meta device: it stands for any device that the host should not wait for."""
    model = tiny_model().to("meta").train()
    output = model(**{name: values.to("meta") for name, values in batch.items()})
    output.loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name


def test_scoring_all_tokens_equals_picking_those_that_count(tiny_model, batch):
    decoder = tiny_model().decoder.eval()
    hidden, scored = torch.randn(4, 6, 8), batch["attention_mask"][:, 1:].bool()
    targets = batch["input_ids"][:, 1:].masked_fill(~scored, -100)
    found, expected = decoder._nll_of_all(hidden, targets, scored), decoder._nll_of_scored(hidden, targets, scored)
    torch.testing.assert_close(found, expected)


def test_free_bits_charge_what_is_over_them(tiny_model, batch):
    fields = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "kl_weight": 1.0}
    model = tiny_model(**fields, free_bits=0.05).eval()
    output, posterior = model(**batch), model.encode(**batch)
    charged = 0.0
    for mean, variance in zip(posterior.mean.T, posterior.variance.T, strict=True):
        nats = (0.5 * (mean**2 + variance - 1 - variance.log())).mean().item()
        charged += max(nats, 0.05)
    assert charged > output.kl.mean() + 1e-3  # some dimension is under its free bits
    assert output.loss.item() == pytest.approx(output.reconstruction.mean().item() + charged, abs=1e-5)
    for rate, expected in ((charged - 0.1, charged), (charged + 0.5, charged + 0.5)):
        torch.manual_seed(0)
        output = tiny_model(**fields, free_bits=0.05, minimum_rate=rate).eval()(**batch)
        assert output.loss.item() == pytest.approx(output.reconstruction.mean().item() + expected, abs=1e-5)
    with pytest.raises(ValueError, match="free_bits and minimum_rate need"):
        tiny_model(**fields, free_bits=0.1, objective="flow_posterior")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pad_token_id": None}, "pad_token_id and bos_token_id must be ids of tokens, not None"),
        ({"bos_token_id": None}, "pad_token_id and bos_token_id must be ids of tokens, not None"),
        ({"unk_token_id": None, "word_dropout": 0.1}, "but unk_token_id is None"),
    ],
)
def test_a_special_token_that_is_read_cannot_be_none(fields, reason):
    with pytest.raises(ValueError, match=reason):
        WaeRnfConfig(vocab_size=9, **fields)
    config = WaeRnfConfig(vocab_size=9)
    for name, value in fields.items():
        setattr(config, name, value)
    with pytest.raises(ValueError, match=reason):
        WaeRnfModel(config)


def test_end_and_unknown_need_no_token(batch):
    config = WaeRnfConfig(vocab_size=13, hidden_size=8, latent_size=4, eos_token_id=None, unk_token_id=None)
    assert WaeRnfModel(config).train()(**batch).loss.isfinite()


def test_words_are_dropped_while_training_alone(tiny_model):
    model = tiny_model(word_dropout=0.5)
    ids = torch.randint(4, 13, (200, 20))
    ids[:, 0] = 1
    dropped = model.train()._drop_words(ids)
    changed = dropped != ids
    assert set(dropped[changed].tolist()) == {3}
    assert not changed[:, 0].any()
    assert changed[:, 1:].float().mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 3800**0.5)
    assert model.eval()._drop_words(ids) is ids


def test_fixed_gamma_bounds_the_divergence_from_below(tiny_model, batch):
    model = tiny_model(num_flows=0, flow_kernel=None, mmd_weight=0.0, mean_gamma=0.6).train()
    model.posterior_head.mean[-2].weight.data *= 100  # far above what keeps the normalization from dividing by zero
    model(**batch).loss.backward()
    torch.optim.Adam(model.parameters(), lr=0.1).step()
    assert (model.posterior_head.mean[-1].weight == 0.6).all()
    mean = model.encode(**batch).mean
    torch.testing.assert_close(mean.var(0, correction=0), torch.full((4,), 0.36), rtol=0.05, atol=0)
    assert model.encode(**batch).kl_divergence().mean() > 4 * 0.34 / 2


def test_language_model_has_no_code(tiny_model, batch):
    model = tiny_model(num_flows=0, flow_kernel=None, mmd_weight=0.0, latent_size=0).eval()
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names == {"embedding", "decoder"}
    output = model(**batch)
    assert output.loss == output.reconstruction.mean()
    assert model.generate(num_samples=3, max_new_tokens=4).shape[0] == 3


@pytest.mark.parametrize("name", ["wae-rnf", "vmf"])
def test_second_derivatives_of_the_loss_against_finite_differences(name, tiny_model, batch):
    model = tiny_model(**CONFIGS[name], dropout=0.0, batch_norm=False).double()
    weight, step = model.decoder.projection.weight, 1e-5
    direction = torch.randn_like(weight)

    def gradient(**options):
        torch.manual_seed(0)
        return torch.autograd.grad(model(**batch).loss, weight, **options)[0]

    (found,) = torch.autograd.grad((gradient(create_graph=True) * direction).sum(), weight)
    differences = []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * step * direction
        differences.append(gradient())
        with torch.no_grad():
            weight -= sign * step * direction
    expected = (differences[0] - differences[1]) / (2 * step)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)
