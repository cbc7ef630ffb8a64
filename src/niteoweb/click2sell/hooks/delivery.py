"""The delivery of events to their receivers, signed as Standard Webhooks has it.

The receivers are posted to beside each other: one that hangs holds up no other. Their threads
do HTTP alone; the writer takes events and notes the answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.hooks import batches
from niteoweb.click2sell.hooks import receivers
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import standardhook
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.storage import log_failure
from niteoweb.click2sell.storage import steps
from niteoweb.click2sell.storage import writer
from threading import Thread

import time


#: Seconds for an answer, and for all events of a receiver in one go.
ANSWER, ROUND = 5, 10
#: Rounds of the sweep, where no thread goes on.
ROUNDS = 20

#: Statuses that say no to this one event; others are about the receiver.
REFUSALS = frozenset({400, 409, 413, 415, 422})
GONE = 410

HEADERS = {"Content-Type": "application/json", "User-Agent": "niteoweb.click2sell"}


def send_due(may_go_on: Callable[[], bool] = lambda: True) -> bool:
    """Post a round of the due events of the current site.

    :param may_go_on: asked before each event.
    :returns: whether more of them are due.
    :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same data;
        what was taken is posted again.
    """
    site = plone_site.get()
    due = batches.due(site, timestamps.now())
    if not due or plone_site.is_copy():
        return False
    taken = writer.run(lambda site: _take(site, due))
    steps.reached("events taken")
    rounds = [_Round(batch, may_go_on) for batch in taken]
    until = time.monotonic() + ROUND + ANSWER
    for round_ in rounds:
        round_.thread.start()
    for round_ in rounds:
        round_.end(max(0.0, until - time.monotonic()))
    steps.reached("events posted")
    writer.run(lambda site: _note(site, rounds))
    return bool(taken) and bool(batches.due(plone_site.get(), timestamps.now()))


def send_all_due() -> None:
    """Post the due events of the current site, in the sweep."""
    for _round in range(ROUNDS):
        if not send_due():
            break


def _take(site: object, due: list[str]) -> list[batches.Batch]:
    now = timestamps.now()
    taken = (batches.take(site, receiver_id, now) for receiver_id in due)
    return [batch for batch in taken if batch is not None]


def _note(site: object, rounds: list["_Round"]) -> None:
    for round_ in rounds:
        batches.note(site, round_.batch, round_.answers, timestamps.now())


@dataclass
class _Round:
    """The thread that posts a batch, and the answers so far.

    :ivar over: nobody waits for more answers.
    """

    batch: batches.Batch
    may_go_on: Callable[[], bool]
    answers: list[batches.Answer] = field(default_factory=list)
    over: bool = False

    def __post_init__(self) -> None:
        self.thread = Thread(target=self._post, name="click2sell hook", daemon=True)

    def end(self, seconds: float) -> None:
        """Wait for the answers; a receiver that has not answered by then is away."""
        self.thread.join(seconds)
        self.over = True
        if self.thread.is_alive():
            self.answers = [*self.answers, batches.Answer("", batches.AWAY)]

    def _post(self) -> None:
        until, refused = time.monotonic() + ROUND, set[str]()
        for letter in self.batch.letters:
            if self.over or time.monotonic() > until or not self.may_go_on():
                break
            if letter.member in refused:
                continue
            answer = _post(self.batch, letter)
            if self.over:
                break
            self.answers.append(answer)
            if answer.what in (batches.AWAY, batches.GONE):
                break
            if answer.what == batches.REFUSED and letter.member:
                refused.add(letter.member)


def _post(batch: batches.Batch, letter: batches.Letter) -> batches.Answer:
    """Post an event once, signed for this moment."""
    signed = standardhook.sign(
        batch.secret, letter.id, int(timestamps.now().timestamp()), letter.body
    )
    try:
        # What the environment allows may have changed since the address was saved.
        if not receivers.is_address(batch.url):
            return batches.Answer(letter.id, batches.AWAY)
        status, pause = jsonapi.post(batch.url, letter.body, {**HEADERS, **signed}, ANSWER)
    except Unreachable:
        return batches.Answer(letter.id, batches.AWAY)
    except Exception as error:
        log_failure("Outgoing hook", error)
        return batches.Answer(letter.id, batches.AWAY)
    if 200 <= status < 300:
        return batches.Answer(letter.id, batches.TAKEN)
    what = batches.REFUSED if status in REFUSALS else batches.AWAY
    what = batches.GONE if status == GONE else what
    return batches.Answer(letter.id, what, str(status), pause)
