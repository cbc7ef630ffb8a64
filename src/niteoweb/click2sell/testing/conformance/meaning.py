"""Do notifications say what the seam promises, however often and in whatever order?"""

from collections.abc import Iterable
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from itertools import permutations
from niteoweb.click2sell.entitlement import BillingEvent
from niteoweb.click2sell.entitlement import compute
from niteoweb.click2sell.entitlement import Policy
from niteoweb.click2sell.notification import Event
from niteoweb.click2sell.notification import Kind
from niteoweb.click2sell.notification import MIGRATION
from niteoweb.click2sell.notification import Notification
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.notification import VALIDATION
from niteoweb.click2sell.testing.conformance.case import for_each_sample
from niteoweb.click2sell.testing.conformance.case import ProviderCase
from niteoweb.click2sell.testing.conformance.case import Sample
from niteoweb.click2sell.testing.conformance.case import SECRET_KEY
from niteoweb.click2sell.testing.conformance.shape import mistakes


#: All orders are tried of so many notifications; of more of them, the rotations.
_MOST_IN_ALL_ORDERS = 5

#: How much later a delivery comes again, and is signed anew.
_LATER = timedelta(minutes=1)


class MeaningCase(ProviderCase):
    """The notifications of genuine deliveries."""

    def test_its_name_can_be_that_of_a_page(self) -> None:
        self.assertRegex(self.said("name"), r"\A[a-z][a-z0-9]*\Z")
        self.assertNotIn(self.said("name"), (MIGRATION, OWNER, VALIDATION))
        self.assertTrue(self.said("title").strip())

    @for_each_sample
    def test_notifications_are_as_the_seam_promises(self, sample: Sample) -> None:
        for found in self.read(self.signed(sample)):
            self.assertEqual(mistakes(found, self.said("name")), [])

    def test_there_is_a_sample_of_each_kind_told(self) -> None:
        events = self.said("events")
        self.assertIs(type(events), tuple)
        for event in events:
            self.assertIs(type(event), Event)
            self.assertTrue(event.name and event.effect, event)
        names = [event.name for event in events]
        self.assertEqual(len(names), len(set(names)), "an event stands there twice")
        told = {kind for sample in self.samples() for kind in sample.kinds}
        listed = {event.kind for event in events}
        self.assertEqual({str(kind) for kind in told - listed}, set(), "not in EVENTS")
        self.assertEqual({str(kind) for kind in listed - told}, set(), "without a sample")

    @for_each_sample
    def test_a_repetition_has_the_same_key(self, sample: Sample) -> None:
        keys = _keys(self.read(self.signed(sample)))
        later = self.now + _LATER
        again = self.deliver(sample.body, SECRET_KEY, later)
        self.assertEqual(_keys(self.read(self.signed(sample))), keys)
        self.assertEqual(_keys(self.read(self.signed(sample), now=later)), keys)
        self.assertEqual(_keys(self.read(again, now=later)), keys, "signed again")

    @for_each_sample
    def test_a_delivery_says_the_same_whenever_it_comes(self, sample: Sample) -> None:
        if not self.dated:
            self.skipTest("no time is stated")
        delivery = self.signed(sample)
        self.assertEqual(self.read(delivery, now=self.now + _LATER), self.read(delivery))

    def test_different_notifications_have_different_keys(self) -> None:
        names: dict[str, str] = {}
        for sample in self.samples():
            for found in self.read(self.signed(sample)):
                self.assertNotIn(found.key, names, sample.name)
                names[found.key] = sample.name

    def test_every_order_has_the_same_result(self) -> None:
        found = self._told()
        expected = None
        for order in _orders(found):
            facts = [self._fact(one, place) for place, one in enumerate(order)]
            result = compute(facts, Policy())
            expected = expected or result
            self.assertEqual(result, expected)
            self.assertEqual(compute([*facts, *facts], Policy()), expected, "all of it twice")

    def test_a_payment_names_what_was_bought_and_by_whom(self) -> None:
        for found in self._told():
            if found.kind in (Kind.PURCHASE, Kind.RENEWAL):
                self.assertTrue(found.product_id, "no product")
                self.assertTrue(found.transaction, "no transaction")
                self.assertTrue(found.buyer or found.customer_id, "no buyer")

    def _told(self) -> list[Notification]:
        return list(chain(*(self.read(self.signed(sample)) for sample in self.samples())))

    def _fact(self, found: Notification, place: int) -> BillingEvent:
        """The billing event of a notification, of a product with days of access.

        :param place: how many came before it.
        """
        return BillingEvent(
            key=found.key,
            provider=found.provider,
            kind=found.kind,
            transaction=found.transaction,
            receipt=found.receipt,
            product_id=found.product_id,
            occurred_at=found.occurred_at,
            received_at=self.now + timedelta(seconds=place),
            days=30,
            subscription=found.subscription,
            valid_until=found.valid_until,
            snapshot=found.snapshot,
            fully_signed=found.fully_signed,
            for_all=found.customer_deleted,
            external_subscription_id=found.external_subscription_id,
        )


def _orders(found: list[Notification]) -> Iterator[Iterable[Notification]]:
    if len(found) <= _MOST_IN_ALL_ORDERS:
        yield from permutations(found)
        return
    for order in (found, found[::-1], found[::2] + found[1::2]):
        for place in range(len(order)):
            yield order[place:] + order[:place]


def _keys(found: Iterable[Notification]) -> list[str]:
    return [one.key for one in found]
