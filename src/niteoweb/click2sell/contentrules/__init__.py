"""Content rules: triggers for access that begins or ends, and substitutions for their mails."""

from niteoweb.click2sell.contentrules import trigger


__all__ = ["trigger"]
