"""Mail: the outbox, its delivery, the texts for buyers and the alerts for owners."""

from niteoweb.click2sell.mail import alerts
from niteoweb.click2sell.mail import delivery
from niteoweb.click2sell.mail import failures
from niteoweb.click2sell.mail import farewells
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.mail.delivery import Sent


__all__ = ["alerts", "delivery", "failures", "farewells", "messages", "outbox", "Sent"]
