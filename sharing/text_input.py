"""The names of `wae_rnf.text.text_input` that the page uses."""

from wae_rnf.text.text_input import encode, warn_of_unread

__all__ = ["encode", "warn_of_unread"]
