"""Unexpected errors: their type and place, never their message, which could hold an address."""

import logging
import traceback


logger = logging.getLogger("niteoweb.click2sell")


def description(error: BaseException) -> str:
    """Type and traceback of an error."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def log_failure(failed: str, error: BaseException) -> None:
    """Log an unexpected error.

    :param failed: the work that failed, without a name or an address.
    """
    logger.error("%s: %s", failed, description(error))
