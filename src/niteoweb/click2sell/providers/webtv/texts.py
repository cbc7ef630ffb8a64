"""Why something of the store needs attention: codes that are stored, and their texts."""

from niteoweb.click2sell import _


ENDS_HELD = "ends held"

REASONS = {
    ENDS_HELD: _(
        "The store no longer lists suspiciously many subscriptions. Nothing was ended. See "
        "there whether that is right; an automatic check that you confirm ends them."
    ),
}
