"""Prompts of `generate`: what is given, checked, and in the form that the decoder goes on from."""

import torch
import torch.nn.functional as F


def check_prompts(input_ids: torch.Tensor, mask: torch.Tensor | None, vocab_size: int) -> None:
    """Raises a ValueError for what is no batch of prompts: ids (batch, length), and a mask of the same shape."""
    if not isinstance(input_ids, torch.Tensor) or input_ids.dim() != 2 or input_ids.is_floating_point():
        if isinstance(input_ids, torch.Tensor):
            given = f"{input_ids.dtype} of shape {tuple(input_ids.shape)}"
        else:
            given = f"a {type(input_ids).__name__}; the tokenizer makes them, to be given as generate(**batch)"
        raise ValueError(f"prompts must be token ids of shape (batch, length), but are {given}")
    if len(input_ids) == 0:
        raise ValueError("there is no prompt to go on from: the batch has 0 rows")
    if mask is not None and mask.shape != input_ids.shape:
        raise ValueError(
            f"attention_mask must have the prompts' shape, {tuple(input_ids.shape)}, not {tuple(mask.shape)}"
        )
    if input_ids.numel() and not 0 <= int(input_ids.min()) <= int(input_ids.max()) < vocab_size:
        raise ValueError(f"token ids of prompts must lie in 0 … {vocab_size - 1}")


def align_prompts(
    input_ids: torch.Tensor, mask: torch.Tensor, bos_token_id: int | None, eos_token_ids: list[int], pad_token_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts with beginning-of-sentence first and without end-of-sentence last, padded on the left.

    Args:
        input_ids: (batch, length), padded on either side.
        mask: (batch, length), true for tokens and false for padding.
        bos_token_id: put before the first word; None puts nothing there.
        eos_token_ids: the tokens that end a sentence, a list.
        pad_token_id: what stands at padding.

    Returns:
        Ids and mask, (batch, longest prompt); no narrower than what is given, since callers count columns to find
        what is new.

    Examples:
        >>> input_ids = torch.tensor([[1, 5, 6], [7, 2, 0]])
        >>> align_prompts(input_ids, input_ids.ne(0), 1, [2], 0)[0].tolist()
        [[1, 5, 6], [0, 1, 7]]
    """
    mask, width = mask.bool(), input_ids.shape[1]
    ends = torch.isin(input_ids, input_ids.new_tensor(eos_token_ids))
    mask = mask & ~(ends & (ends | ~mask).flip(1).cumprod(1).flip(1).bool())
    if bos_token_id is not None:
        begins = input_ids.eq(bos_token_id)
        mask = mask & ~(begins & (begins | ~mask).cumprod(1).bool())
        # room for beginning-of-sentence, left of the first word
        input_ids, mask = F.pad(input_ids, (1, 0)), F.pad(mask, (1, 0))
    order = mask.long().argsort(dim=1, stable=True)  # what is masked goes to the left
    input_ids, mask = input_ids.gather(1, order), mask.gather(1, order)
    if bos_token_id is not None:
        first = input_ids.shape[1] - mask.sum(1, keepdim=True) - 1
        input_ids, mask = input_ids.scatter(1, first, bos_token_id), mask.scatter(1, first, True)
    input_ids = input_ids.masked_fill(~mask, pad_token_id)
    spare = min(int((~mask).sum(1).min()), max(input_ids.shape[1] - width, 0))
    return input_ids[:, spare:], mask[:, spare:].long()
