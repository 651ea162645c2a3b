"""The forward as other libraries call it: what it gives when, what it refuses, and what does not depend on luck."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.decoder import Decoder
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

LANGUAGE_MODEL = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "latent_size": 0}
VMF = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "posterior": "vmf", "kappa": 3.0}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first if name != "hidden_states")


@pytest.mark.parametrize("fields", [{}, VMF, LANGUAGE_MODEL], ids=["wae-rnf", "vmf", "lstm-lm"])
def test_logits_are_those_that_the_loss_is_of(tiny_model, batch, fields):
    model = tiny_model(**fields).eval()
    output = model(**batch, labels=batch["input_ids"])
    for row, sentence in enumerate(batch["input_ids"].tolist()):
        words = [word for word in sentence if word]
        log_probs = output.logits[row].log_softmax(-1)
        nats = -sum(log_probs[position, word] for position, word in enumerate(words[1:]))
        torch.testing.assert_close(output.reconstruction[row], nats)
    if model.config.latent_size:
        of_decoder = model(**batch, latents=output.latents).logits
        kept = batch["attention_mask"].bool()
        torch.testing.assert_close(output.logits[kept], of_decoder[kept])


def test_logits_are_given_outside_of_training_or_where_asked(tiny_model, batch):
    model, other = tiny_model(), tiny_model(return_logits=True)
    assert model.train()(**batch).logits is None
    assert model(**batch, labels=batch["input_ids"]).logits is None
    assert model(**batch, return_logits=True).logits.shape == (4, 7, 13)
    assert other.train()(**batch).logits.shape == (4, 7, 13)
    assert model.eval()(batch["input_ids"]).logits.shape == (4, 7, 13)
    assert model(**batch, return_logits=False).logits is None
    assert tiny_model(return_logits=False).eval()(**batch).logits is None


def test_nobody_in_the_package_pays_for_logits(monkeypatch, tmp_path):
    """Training, validation and evaluation; generation has those of one word at a time."""
    (tmp_path / "corpus").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "corpus" / f"{split}.txt").write_text("the cat sat\na dog ran fast\n" * 3)
    logits = Decoder.logits

    def of_one_word(decoder, states):
        assert states.shape[1] == 1
        return logits(decoder, states)

    monkeypatch.setattr(Decoder, "logits", of_one_word)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    sizes = {"embedding_size": 8, "hidden_size": 8, "latent_size": 4, "num_centres": 2, "max_steps": 2}
    options = {"eval_iwae_samples": 2, "dataset": str(tmp_path / "corpus"), "output_dir": str(tmp_path / "model")}
    train(TrainArguments(**sizes, **options))


def test_the_first_of_the_tuple(tiny_model, batch):
    """A model's first output is its loss where it is given labels or trains, and features otherwise."""
    model = tiny_model(eval_latents="mean")
    assert torch.equal(model.eval()(**batch)[0], model.embed(**batch).unsqueeze(1).expand(-1, 7, -1))
    labelled = model(**batch, labels=batch["input_ids"])
    assert labelled[0] is labelled.loss
    assert model(**batch, return_dict=False)[1] == labelled.loss
    assert model.train()(**batch)[0].dim() == 0


def test_without_a_loss_no_term_of_it_is_given(tiny_model, batch):
    output = tiny_model().eval()(**batch, return_loss=False)
    assert list(output) == ["last_hidden_state", "latents", "logits"]


def test_a_language_models_features_are_its_states(tiny_model, batch):
    model = tiny_model(**LANGUAGE_MODEL).eval()
    output = model(**batch, output_hidden_states=True)
    assert torch.equal(output.last_hidden_state, output.hidden_states[-1])
    torch.testing.assert_close(model.decoder.logits(output.last_hidden_state), output.logits)


def test_hidden_states(tiny_model, batch):
    model = tiny_model().eval()
    words, states = model(**batch, output_hidden_states=True).hidden_states
    assert torch.equal(words, model.embedding(batch["input_ids"]))
    assert states.shape == (4, 7, 8)
    model.config.output_hidden_states = True
    z = torch.randn(4, 4)
    words, states = model(**batch, latents=z).hidden_states
    state = model.decoder.start(model.push(z)[0])
    for position in range(3):  # the shortest sentence
        _, state = model.decoder.step(words[:, position], model.push(z)[0], state)
        torch.testing.assert_close(states[:, position], state[0])
    assert model(**batch, output_hidden_states=False).hidden_states is None
    assert model.train()(**batch).hidden_states[1].shape == (4, 7, 8)


@pytest.mark.parametrize("fields", [{}, VMF, {"objective": "authors"}], ids=["wae-rnf", "vmf", "authors"])
@pytest.mark.parametrize("options", [{"sample": False}, {"eval_latents": "mean"}, {"eval_latents": "seeded"}])
def test_an_evaluation_that_does_not_depend_on_the_random_numbers(tiny_model, batch, fields, options):
    options = dict(options)
    chosen = {name: options.pop(name) for name in list(options) if name == "eval_latents"}
    model = tiny_model(**fields, **chosen).eval()
    torch.manual_seed(1)
    before, first = torch.get_rng_state(), model(**batch, **options)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(first, model(**batch, **options))
    mean = model.encode(**batch).mean
    assert torch.equal(first.latents, mean) == (chosen != {"eval_latents": "seeded"})
    drawn = tiny_model(**fields, **chosen).eval()(**batch, sample=True)
    assert not torch.equal(drawn.latents, first.latents)


def test_by_default_an_evaluation_draws(tiny_model, batch):
    model = tiny_model().eval()
    assert model(**batch).loss != model(**batch).loss


def test_training_draws_whatever_the_evaluation_does(tiny_model, batch):
    for choice in ("mean", "seeded"):
        model = tiny_model(eval_latents=choice).train()
        assert not torch.equal(model(**batch).latents, model(**batch).latents)
        mmds = [model(**batch, sample=False).mmd for _ in range(2)]
        assert mmds[0] != mmds[1]  # against a new sample of the prior at each step


def test_seeded_samples_are_samples_of_the_posterior(tiny_model, batch):
    """With as many rows as this the noise has the moments of a standard normal one."""
    model = tiny_model(eval_latents="seeded", mmd_weight=0.0).eval()
    many = {name: values.repeat(500, 1) for name, values in batch.items()}
    posterior = model.encode(**many)
    noise = (model(**many, return_logits=False).latents - posterior.mean) / posterior.stddev
    assert noise.mean(0).abs().max() < 5 / 2000**0.5
    assert (noise.std(0) - 1).abs().max() < 5 / 4000**0.5


def test_labels_with_latents_give_a_loss(tiny_model, batch):
    model, z = tiny_model().eval(), torch.randn(4, 4)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"].eq(0), -100)
    for given in ({"latents": z}, {"z_prime": model.push(z)[0]}):
        output = model(**batch, **given, labels=labels)
        expected = torch.nn.functional.cross_entropy(
            output.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum"
        )
        torch.testing.assert_close(output.loss, expected / 4)
        torch.testing.assert_close(output.reconstruction, model.score(**batch, z_prime=model.push(z)[0]))
        assert model(**batch, **given).loss is None
        assert model(**batch, **given, return_logits=False, labels=labels).logits is None


def test_inputs_that_do_not_fit_are_refused(tiny_model, batch):
    model, z = tiny_model(), torch.randn(4, 4)
    cache = model(batch["input_ids"][:, :2], latents=z, use_cache=True).cache
    for options, message in (
        ({"latents": z, "z_prime": z}, "takes latents or z_prime"),
        ({"latents": z[:3]}, r"latents must have shape \(batch, latent_size\) = \(4, 4\), not \(3, 4\)"),
        ({"z_prime": z[:, :3]}, r"z_prime must have shape \(batch, latent_size\) = \(4, 4\), not \(4, 3\)"),
        ({"labels": batch["input_ids"][:, 1:]}, r"labels must have the shape of input_ids, \(4, 7\), not \(4, 6\)"),
        ({"past_key_values": cache}, "a cache continues a sentence of known latents"),
        ({"cache": cache, "latents": z, "labels": batch["input_ids"]}, "scored over whole sentences"),
        ({"output_attentions": True}, "there are no attention weights"),
        ({"inputs_embeds": torch.zeros(4, 7, 6)}, "needs input_ids, not inputs_embeds"),
    ):
        with pytest.raises(ValueError, match=message):
            model(**batch, **options)
    with pytest.raises(ValueError, match="needs input_ids, not inputs_embeds"):
        model(inputs_embeds=torch.zeros(4, 7, 6))


def test_what_changes_nothing_is_accepted(tiny_model, batch):
    model = tiny_model(eval_latents="mean").eval()
    output = model(**batch, token_type_ids=torch.zeros_like(batch["input_ids"]), output_attentions=False)
    assert output.loss == model(**batch).loss


def test_tied_embeddings(tiny_model, batch, tmp_path):
    model = tiny_model(tie_word_embeddings=True, embedding_size=8)
    assert model.decoder.projection.weight is model.embedding.weight
    model(**batch).loss.backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert loaded.decoder.projection.weight is loaded.embedding.weight
    assert torch.equal(loaded.embedding.weight, model.embedding.weight)
    assert torch.equal(loaded.eval().encode(**batch).mean, model.eval().encode(**batch).mean)


def test_embeddings_of_another_size_cannot_be_tied():
    message = r"tie_word_embeddings needs an embedding_size \(8\) equal to hidden_size \(16\)"
    with pytest.raises(ValueError, match=message):
        WaeRnfConfig(tie_word_embeddings=True, embedding_size=8, hidden_size=16)
    config = WaeRnfConfig(embedding_size=8, hidden_size=16)
    config.tie_word_embeddings = True
    with pytest.raises(ValueError, match=message):
        WaeRnfModel(config)


@pytest.mark.parametrize(("field", "value"), [("eval_latents", "median"), ("return_logits", "yes")])
def test_unknown_choices_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} must be"):
        WaeRnfConfig(**{field: value})
