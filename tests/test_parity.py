"""The authors' objective, by hand in plain torch: the same weights and noise give the same terms and gradients.

Their code: encoder input beginning-of-sentence w1 … wn, one linear head on (h_n, c_n), batch-normalized; per sentence
alpha (log q(z|x) - log p(z')) - Σ log|det| + ½ Σ log K_m, and lambda times the multi-scale, unbiased MMD of z.
"""

import math
from unittest.mock import patch

import pytest
import torch

from modeling_wae_rnf import GaussianPosterior, WaeRnfConfig, WaeRnfModel

D, CENTRES, FLOWS, ALPHA, LAMBDA, EPS = 4, 3, 3, 0.3, 9.7, 1e-5
SENTENCES = [[1, 5, 6, 7, 2], [1, 4, 2], [1, 9, 8, 7, 6, 5, 2], [1, 12, 10, 2], [1, 11, 2]]
ONE = torch.zeros((), dtype=torch.float64)  # the log variance of a standard deviation of 1
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def read(lstm, words, h, c):
    """An LSTM over one sentence's word vectors (length, size), gate by gate: all its h, and the last c."""
    states = []
    for x in words:
        gates = lstm["weight_ih_l0"] @ x + lstm["bias_ih_l0"] + lstm["weight_hh_l0"] @ h + lstm["bias_hh_l0"]
        i, f, g, o = gates.split(len(h))
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return torch.stack(states), c


def normalized(x, scale, shift):
    centred = x - x.mean(0)
    return centred / (centred.square().mean(0) + EPS).sqrt() * scale + shift


def planar(z, u, w, b):
    """One step on (n, d), and log|det|: û = u + (log(1 + exp(uᵀw)) - 1 - uᵀw) w / wᵀw."""
    u_hat = u + (torch.log1p((u @ w).exp()) - 1 - u @ w) * w / (w @ w)
    activation = torch.tanh(z @ w + b)
    psi = (1 - activation**2)[:, None] * w
    return z + activation[:, None] * u_hat, torch.log((1 + psi @ u_hat).abs() + 1e-8)


def kernel(z, centres):
    """K_m of (n, d) at the nearest centre: Σ_s 2ds / (2ds + distance²)."""
    distance = torch.stack([((z - centre) ** 2).sum(1) for centre in centres]).min(0).values
    return sum(2 * z.shape[1] * s / (2 * z.shape[1] * s + distance) for s in SCALES)


def discrepancy(x, y):
    """The unbiased MMD: pairs of different points within a sample, all pairs across, one pair at a time."""

    def k(a, b):
        return sum(2 * len(a) * s / (2 * len(a) * s + ((a - b) ** 2).sum()) for s in SCALES)

    def within(a):
        return sum(k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j) / (len(a) * (len(a) - 1))

    return within(x) + within(y) - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


def log_normal(z, mean=0.0, log_variance=ONE):
    return -0.5 * (math.log(2 * math.pi) + log_variance + (z - mean) ** 2 / log_variance.exp()).sum(1)


def by_hand(weights, noise, prior):
    """Every term of the authors' loss from the state dict's tensors."""

    def part(prefix):
        return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}

    embedding, zero = weights["embedding.weight"], torch.zeros(8, dtype=torch.float64)
    last = []
    for sentence in SENTENCES:
        hidden, cell = read(part("encoder.lstm."), embedding[sentence[:-1]], zero, zero)
        last.append(torch.cat([hidden[-1], cell]))
    head = part("posterior_head.")
    mean, log_variance = (
        normalized(torch.stack(last) @ head[f"{name}.0.weight"].T, head[f"{name}.1.weight"], head[f"{name}.1.bias"])
        for name in ("mean", "log_variance")
    )
    z = mean + (0.5 * log_variance).exp() * noise
    z_prime, log_abs_det, log_kernel = z, 0.0, 0.0
    for number in range(FLOWS):
        step = part(f"flow.steps.{number}.")
        log_kernel = log_kernel + kernel(z_prime, weights["centres"]).log()
        z_prime, step_log_abs_det = planar(z_prime, step["u"], step["w"], step["b"])
        log_abs_det = log_abs_det + step_log_abs_det
    start = torch.tanh(z_prime @ weights["decoder.initial_state.weight"].T + weights["decoder.initial_state.bias"])
    reconstruction = []
    for sentence, state in zip(SENTENCES, start, strict=True):
        hidden, _ = read(part("decoder.lstm."), embedding[sentence[:-1]], state[:8], state[8:])
        scores = hidden @ weights["decoder.projection.weight"].T + weights["decoder.projection.bias"]
        log_probs = scores - scores.exp().sum(1, keepdim=True).log()
        reconstruction.append(-sum(log_probs[row, word] for row, word in enumerate(sentence[1:])))
    reconstruction = torch.stack(reconstruction)
    kl = log_normal(z, mean, log_variance) - log_normal(z_prime)
    mmd = discrepancy(z, prior)
    loss = (reconstruction + ALPHA * kl - log_abs_det + 0.5 * log_kernel).mean() + LAMBDA * mmd
    return {"loss": loss, "reconstruction": reconstruction, "kl": kl, "log_abs_det": log_abs_det,
            "log_kernel": log_kernel, "mmd": mmd, "latents": z}  # fmt: skip


@pytest.fixture(scope="module")
def pair():
    """The model's output and gradients, and those by hand."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 13, "embedding_size": 6, "hidden_size": 8, "latent_size": D, "num_centres": CENTRES}
    authors = {"objective": "authors", "posterior_head": "linear", "encoder_input": "bos", "flow_init": "normal"}
    config = WaeRnfConfig(**sizes, **authors, num_flows=FLOWS, batch_norm_eps=EPS, dropout=0.0)
    model = WaeRnfModel(config).double().train()
    model.set_centres(torch.randn(CENTRES, D))
    with torch.no_grad():  # away from where a scale of 1 and a shift of 0 would hide a mistake
        for name in ("mean", "log_variance"):
            getattr(model.posterior_head, name)[-1].weight.uniform_(0.5, 1.5)
            getattr(model.posterior_head, name)[-1].bias.normal_()
    noise = torch.randn(len(SENTENCES), D, dtype=torch.float64)
    input_ids = torch.zeros(len(SENTENCES), 7, dtype=torch.long)
    for row, sentence in enumerate(SENTENCES):
        input_ids[row, : len(sentence)] = torch.tensor(sentence)
    torch.manual_seed(1)
    prior = torch.randn(len(SENTENCES), D, dtype=torch.float64)
    torch.manual_seed(1)
    with patch.object(GaussianPosterior, "rsample", lambda self, **_: self.mean + self.stddev * noise):
        output = model(input_ids, kl_weight=ALPHA, mmd_weight=LAMBDA)
    output.loss.backward()
    weights = {name: value.detach().clone().requires_grad_() for name, value in model.named_parameters()}
    expected = by_hand(weights | {"centres": model.centres}, noise, prior)
    expected["loss"].backward()
    return output, dict(model.named_parameters()), expected, weights


def test_terms_agree(pair):
    output, _, expected, _ = pair
    for name, value in expected.items():
        torch.testing.assert_close(output[name].detach(), value.detach(), rtol=0, atol=1e-9, msg=name)


def test_gradients_agree(pair):
    _, found, _, expected = pair
    assert all(weight.grad.abs().max() > 1e-6 for weight in expected.values())  # each has a part in the loss
    for name, weight in expected.items():
        torch.testing.assert_close(found[name].grad, weight.grad, rtol=0, atol=1e-9, msg=name)


def test_the_formulas_by_hand_give_the_golden_values(golden):
    """What is compared with is the authors' code itself."""

    def tensor(values):
        return torch.tensor(values, dtype=torch.float64)

    def same(found, expected):
        torch.testing.assert_close(found, tensor(expected), rtol=0, atol=1e-9)

    z, centres, total, log_kernel = tensor(golden["z0"]), tensor(golden["centres"]), 0.0, 0.0
    same(kernel(z, centres), golden["imq_kernel_sum_over_scales_at_z0_nearest_centre"])
    for step in golden["flows"]:
        log_kernel = log_kernel + kernel(z, centres).log()
        z, log_abs_det = planar(z, *(tensor(step[name]) for name in ("u", "w", "b")))
        total = total + log_abs_det
    same(z, golden["z_K"])
    same(total, golden["sum_log_abs_det"])
    same(log_kernel, golden["sum_over_flows_log_imq_kernel_at_flow_input"])
    samples, bound = golden["mmd"], golden["bound"]
    same(discrepancy(tensor(samples["q_samples"]), tensor(samples["p_samples"])), samples["imq_unbiased_multi_scale"])
    same(log_normal(tensor(bound["z0"]), tensor(bound["mean"]), tensor(bound["log_var"])), bound["log_q0_z0"])
    log_p = log_normal(tensor(bound["z_K"]))
    same(log_p, bound["log_prior_zK"])
    same(
        log_normal(tensor(bound["z0"]), tensor(bound["mean"]), tensor(bound["log_var"]))
        - log_p
        - tensor(bound["sum_log_abs_det"]),
        bound["one_sample_kl_flow_posterior"],
    )
