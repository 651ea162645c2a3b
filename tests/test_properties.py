"""Properties that hold for any text, any batch, any latent variable."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modeling_wae_rnf import GaussianPosterior, PlanarFlow, WaeRnfConfig, WaeRnfModel, mmd
from wae_rnf.tokenization.batching import collate
from wae_rnf.tokenization.preparation import UNK_ID, encode_batch, pure_rules
from wae_rnf.tokenization.tokenizer import build_tokenizer
from wae_rnf.tokenization.vocabulary import SPECIAL_TOKENS, build_vocabulary, count_words, split_words
from wae_rnf.training.systems import SYSTEMS

settings.register_profile("here", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("here")

TEXTS = st.lists(st.text(max_size=60), min_size=1, max_size=5)
WORDS = st.lists(st.integers(3, 19), max_size=9)  # of a sentence, between its ends
SIZES = {"embedding_size": 5, "hidden_size": 6, "latent_size": 3, "num_centres": 2}


def build(system="wae-rnf", vocab_size=20, **fields):
    torch.manual_seed(0)
    return WaeRnfModel(WaeRnfConfig(**(SIZES | {"vocab_size": vocab_size} | SYSTEMS[system].config | fields)))


def step(model, inputs):
    """One step of training; returns the loss before it."""
    optimizer = torch.optim.Adam(model.parameters())
    loss = model.train()(**inputs).loss
    loss.backward()
    optimizer.step()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    return loss.item()


@given(TEXTS)
def test_any_text_goes_all_the_way(texts):
    tokenizer = build_tokenizer(build_vocabulary(count_words([*texts, "word"])), max_words=12)
    ids = encode_batch({"text": texts}, pure_rules(tokenizer), 12)["input_ids"]
    inputs = collate([{"input_ids": row} for row in ids], tokenizer.pad_token_id)
    model = build(vocab_size=len(tokenizer))
    assert math.isfinite(step(model, inputs))
    model.eval()
    assert model.encode(**inputs).mean.isfinite().all()
    written = tokenizer.batch_decode(model.reconstruct(inputs, max_length=5), skip_special_tokens=True)
    assert len(written) == len(texts)
    assert all(isinstance(text, str) for text in written)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.integers(1, 8))
def test_the_tokenizer_splits_as_the_counting_does(texts, max_words):
    vocabulary = build_vocabulary(count_words([*texts, "word"]))
    tokenizer = build_tokenizer(vocabulary, max_words)
    for text, ids in zip(
        texts, encode_batch({"text": texts}, pure_rules(tokenizer), max_words)["input_ids"], strict=True
    ):
        words = split_words(text, max_words)
        # a special token that occurs in the text is a word that no one knows
        assert ids == [1, *(UNK_ID if word in SPECIAL_TOKENS else vocabulary[word] for word in words), 2]


@pytest.mark.parametrize("system", SYSTEMS)
@given(sentences=st.lists(WORDS, min_size=1, max_size=6), padding=st.integers(0, 3))
@settings(max_examples=15)
def test_any_batch_can_be_trained_on(system, sentences, padding):
    rows = [{"input_ids": [1, *words, 2]} for words in sentences]
    inputs = collate(rows, 0)
    padded = {name: torch.nn.functional.pad(ids, (0, padding)) for name, ids in inputs.items()}
    model = build(system)
    assert math.isfinite(step(model, padded))
    model.eval()
    z_prime = model.push(model.encode(**inputs).mean)[0]
    nll = model.score(**inputs, z_prime=z_prime)
    alone = [
        model.score(row["input_ids"], None, z[None])
        for row, z in zip(([{"input_ids": torch.tensor([row["input_ids"]])}] for row in rows), z_prime, strict=True)
        for row in row
    ]
    torch.testing.assert_close(nll, torch.cat(alone))
    torch.testing.assert_close(model.score(**padded, z_prime=z_prime), nll)


@pytest.mark.parametrize("head", ["mlp", "linear"])
@given(sentences=st.lists(WORDS, min_size=1, max_size=4), empty=st.integers(1, 3))
@settings(max_examples=15)
def test_rows_of_padding_do_no_harm(head, sentences, empty):
    inputs = collate([{"input_ids": [1, *words, 2]} for words in sentences], 0)
    padded = {name: torch.cat([ids, ids.new_zeros(empty, ids.shape[1])]) for name, ids in inputs.items()}
    model = build(posterior_head=head)
    assert math.isfinite(step(model, padded))
    model.eval()
    mean = model.encode(**padded).mean
    torch.testing.assert_close(mean[: len(sentences)], model.encode(**inputs).mean)
    nll = model.score(**padded, z_prime=mean)
    assert nll[len(sentences) :].tolist() == [0.0] * empty


NUMBERS = st.floats(-6, 6, width=32)


@given(arrays("float32", (4, 3), elements=NUMBERS), arrays("float32", (3, 3), elements=NUMBERS))
def test_a_flow_is_undone(z, parameters):
    flow = PlanarFlow(3).double()
    with torch.no_grad():
        flow.w.copy_(torch.from_numpy(parameters[0]) + 0.1)
        flow.u.copy_(torch.from_numpy(parameters[1]))
        flow.b.copy_(torch.from_numpy(parameters[2][:1]).view_as(flow.b))
    z = torch.from_numpy(z).double()
    z_prime, log_abs_det = flow(z)
    torch.testing.assert_close(flow.inverse(z_prime), z, rtol=1e-5, atol=1e-5)
    for row, value in zip(z, log_abs_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda point: flow(point[None])[0][0], row)
        torch.testing.assert_close(torch.linalg.slogdet(jacobian)[1], value, rtol=1e-5, atol=1e-5)


@given(arrays("float32", (5, 3), elements=NUMBERS), arrays("float32", (5, 3), elements=st.floats(-3, 3, width=32)))
def test_divergences_have_their_signs(mean, log_stddev):
    mean, stddev = torch.from_numpy(mean).double(), torch.from_numpy(log_stddev).double().exp()
    assert (GaussianPosterior(mean, stddev).kl_per_dimension() >= -1e-12).all()
    assert mmd(mean, stddev, kernel="gaussian") >= -1e-12
    torch.testing.assert_close(mmd(mean, stddev), mmd(stddev, mean))
