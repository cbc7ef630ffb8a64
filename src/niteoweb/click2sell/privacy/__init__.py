"""Privacy: export and erasure of a person's data, and the retention of payloads."""

from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import preview
from niteoweb.click2sell.privacy import retention


__all__ = ["erasure", "export", "preview", "retention"]
