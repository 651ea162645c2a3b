"""The cache of each decoder as Transformers handles one, and in the loop that leaves ended sentences out."""

import pytest
import torch

from modeling_wae_rnf.components import COMPONENTS


@torch.no_grad()
@pytest.mark.parametrize("decoder", COMPONENTS["decoder"])
def test_the_cache_as_the_library_handles_one(tiny_model, decoder):
    """Rows in another order, repeated or left out go on as they would have alone."""
    model = tiny_model(decoder_type=decoder).eval()
    ids, z = torch.tensor([[1, 5, 6], [0, 1, 7], [1, 9, 4]]), torch.randn(3, 4)
    mask = ids.ne(0).long()
    for change, rows in (
        (lambda cache: cache.reorder_cache(torch.tensor([2, 0, 0])), [2, 0, 0]),
        (lambda cache: cache.batch_select_indices(torch.tensor([1, 2])), [1, 2]),
        (lambda cache: cache.batch_repeat_interleave(2), [0, 0, 1, 1, 2, 2]),
    ):
        cache = model(ids, mask, latents=z, use_cache=True).cache
        change(cache)
        word = torch.full((len(rows), 1), 8)
        found = model(word, latents=z[rows], cache=cache).logits
        longer = torch.cat([ids[rows], word], dim=1)
        expected = model(longer, longer.ne(0).long(), latents=z[rows]).logits[:, -1:]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    cache.reset()
    assert cache.get_seq_length() == 0
    torch.testing.assert_close(model(ids, mask, latents=z, cache=cache).logits, model(ids, mask, latents=z).logits)
    for method, given in (("reorder_cache", torch.tensor([0])), ("batch_repeat_interleave", 2)):
        getattr(model.decoder.new_cache(), method)(given)  # of no word


@torch.no_grad()
@pytest.mark.parametrize("decoder", COMPONENTS["decoder"])
def test_the_own_loop_writes_what_the_library_s_does(tiny_model, decoder):
    """Sentences end at different words, and are taken out of the batch and its cache."""
    model = tiny_model(decoder_type=decoder, max_words=12).eval()
    for name, parameter in model.decoder.named_parameters():
        if "norm" not in name:
            parameter.mul_(3)
    options = {"latents": 3 * torch.randn(40, 4), "do_sample": False}
    endless = model.generate(**options, eos_token_id=None)[:, 1:]
    places = [len(set(endless.eq(word).long().argmax(1).tolist())) for word in range(13)]
    options["eos_token_id"] = places.index(max(places))  # of the words the one whose first place differs most
    own = model.generate(**options)
    library = model.generate(**options, return_dict_in_generate=True).sequences
    assert torch.equal(own, library)
    assert len(set(own.ne(0).sum(1).tolist())) > 2
