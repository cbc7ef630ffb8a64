"""The sweep as a service of plone.restapi, for cron and timers."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.restapi.protection import Operation
from niteoweb.click2sell.storage import schedule
from niteoweb.click2sell.worker import clock
from niteoweb.click2sell.worker import sweep
from typing import Any
from zExceptions import BadRequest


class SweepPost(Operation):
    """Answers a POST to ``@click2sell-sweep``, for those who may operate purchases.

    Options in the body, all of them optional:

    ``dry_run``: true for a preview, which changes nothing.
    ``as_of``: with ``dry_run``, a preview for a later time. A date means the end
    of that day in the site's time zone; a date and time without an offset is in that zone.
    ``confirmed``: true to end access although the circuit breaker stops it, or a provider is
    silent.

    The answer is the report. Its status is 200 also when the circuit breaker tripped, where
    ``stopped`` says so, and on a copy of the site, where ``copy_of_the_site`` does: nothing
    went wrong, and a script that goes by the status would try again, which changes nothing.
    """

    #: The report is of use only with the members who lost access.
    names_people = True

    def operate(self) -> dict[str, Any]:
        """Sweep once.

        :returns: the report.
        :raises BadRequest: an option is not possible.
        """
        options = self.options(dry_run=bool, as_of=str, confirmed=bool)
        if text := options.pop("as_of", None):
            try:
                options["as_of"] = timestamps.end(text, plone_site.timezone())
            except ValueError:
                raise BadRequest(
                    '"as_of" must be a date such as 2027-01-31, or a date and time such as '
                    "2027-01-31T12:00:00+00:00."
                ) from None
            if not options.get("dry_run"):
                raise BadRequest('"as_of" needs "dry_run": true.')
        if options.get("dry_run"):
            return sweep.sweep(**options).as_json()
        return clock.run_in_request(schedule.SERVICE, options.get("confirmed", False)).as_json()
