"""The texts of mails to the owner: figures and links, nothing about any buyer."""

from collections.abc import Mapping
from email.message import EmailMessage
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.provider import registry
from typing import Any
from urllib.parse import quote_plus
from zope.i18nmessageid import Message


#: The headings of the daily mail by outcome, in their order.
HEADINGS = {
    Outcome.ATTENTION: _("Needs attention: ${number}"),
    Outcome.REFUSED: _("Refused: ${number}"),
    Outcome.FAILED: _("Failed, and tried again by each automatic check: ${number}"),
}

SUBJECTS = {
    outbox.DAILY: _("${site}: notifications wait for you (${number})"),
    outbox.SILENT: _("${site}: nothing arrives from ${provider}"),
    outbox.HEARD: _("${site}: notifications from ${provider} arrive again"),
    outbox.STOPPED: _(
        "${site}: access was not ended, because ${members} members would have lost it"
    ),
    outbox.DOUBTED: _(
        "${site}: no access is ended for now, because the server's clock has jumped"
    ),
    outbox.RESUMED: _("${site}: access is ended again when it is over"),
    outbox.HELD: _("${site}: new accounts have to wait (${waiting})"),
    outbox.NOT_TAKEN: _("${site}: ${host} does not take the events of your outgoing hook"),
}

TEXTS = {
    outbox.DAILY: _(
        "daily_text",
        default="""\
These notifications have failed or are waiting for your decision, and you have not been told
about them before.

${list}
Older ones that are still waiting: ${older}

This mail is sent once a day at most, and only when there is something new. Its settings:
${settings}
""",
    ),
    outbox.SILENT: _(
        "silent_text",
        default="""\
Nothing has arrived from ${provider} since ${since}. That is unusually long for this site.

Either nobody has bought anything, or ${provider} and the site cannot reach each other. Check
whether the site can be reached from outside, whether it can ask ${provider} if it is meant to,
and whether the provider shows any sales. Until something arrives again, none of its
subscriptions is ended because a renewal is missing.

What arrived before:
${notifications}?provider=${provider_in_address}
""",
    ),
    outbox.HEARD: _(
        "heard_text",
        default="""\
${provider} was silent from ${since} on. It was heard again and had a day to deliver what had
waited. From now on subscriptions that were not renewed are ended as usual.

What arrived:
${notifications}?provider=${provider_in_address}
""",
    ),
    outbox.STOPPED: _(
        "stopped_text",
        default="""\
Members who would have lost access in one automatic check: ${members}
The settings allow at most: ${limit}

So nobody lost access, and nobody will before you have looked. Is the server's clock right?
Are the days of access of your products right?
${settings}

If all of them are to lose access, see who they are, and confirm it here:
${check}
""",
    ),
    outbox.DOUBTED: _(
        "doubted_text",
        default="""\
The server's clock is off by ${hours_off} hours from the time that was expected after the last
automatic check. Either it was put forward or back, or the site was down for long, or restored
from a backup.

Nobody loses access before you have looked. If the clock is wrong, have it set right: the check
goes on by itself then. If it is right, wait until the payment providers have delivered the
notifications that they could not deliver, and confirm it here:
${check}
""",
    ),
    outbox.RESUMED: _(
        "resumed_text",
        default="""\
No more members than the settings allow would lose access in one automatic check, or an owner
has confirmed it. Access that is over is ended as usual.
""",
    ),
    outbox.HELD: _(
        "held_text",
        default="""\
Buyers waiting for their accounts: ${waiting}
New accounts allowed in an hour: ${limit}

Every purchase is recorded. The automatic check creates the accounts in the order of the
purchases, as many in an hour as the settings allow. If you are simply selling well, raise the
number:
${settings}

If you have not sold that much, somebody else may know the secret key. Change it without keeping
the old one, and look at what needs your attention:
${overview}#needs

You get this mail only once, however long buyers have to wait.
""",
    ),
    outbox.NOT_TAKEN: _(
        "not_taken_text",
        default="""\
Either ${host} answered that it is gone for good, and gets nothing any more, or it has not taken
events for three days. These are not sent again by themselves.

See which, and have them sent again once it works:
${hooks}
""",
    ),
}


def message(mail: outbox.Mail) -> EmailMessage:
    """A mail to the owner, in the main language of the site.

    :param mail: of one of the kinds :data:`niteoweb.click2sell.mail.outbox.TO_OWNER`.
    """
    values = _values(mail["about"])
    subject, text = (
        messages.translated(Message(texts[mail["kind"]], mapping=values))
        for texts in (SUBJECTS, TEXTS)
    )
    return messages.message(mail["to"], mail["message_id"], subject, text)


def _values(about: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the placeholders in a subject and a text."""
    values = {
        **about,
        "site": plone_site.title(),
        "settings": plone_site.link("@@click2sell-settings"),
        "hooks": plone_site.link("@@click2sell-hooks"),
        "check": plone_site.link("@@click2sell-check"),
        "notifications": plone_site.link("@@click2sell-notifications"),
        "overview": plone_site.link("@@click2sell-overview"),
    }
    if "provider" in about:
        values["provider_in_address"] = quote_plus(about["provider"])
        values["provider"] = registry.title(about["provider"])
    if "since" in about:
        values["since"] = plone_site.mailed_time(timestamps.from_iso(about["since"]))
    if "counts" in about:
        values["list"] = "\n".join(_sections(about["counts"], values["notifications"]))
        values["number"] = sum(number for *_what, number in about["counts"])
    return values


def _sections(counts: tuple[tuple[str, str, str, int], ...], url: str) -> list[str]:
    """For each outcome: the number of entries, a line for each reason, and their list."""
    lines = []
    for outcome, heading in HEADINGS.items():
        counted = [reason for name, *reason in counts if name == outcome]
        if not counted:
            continue
        number = sum(number for *_reason, number in counted)
        lines.append(messages.translated(Message(heading, mapping={"number": number})))
        for code, subject, number in counted:
            if text := reasons.text(code, subject):
                lines.append(f"  {number} × {messages.translated(text)}")
        lines += [f"  {url}?outcome={quote_plus(outcome)}", ""]
    return lines
