"""A payment provider that hangs: half of the server's threads wait for it, the others go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import timezone
from niteoweb.click2sell.providers.cleeng.fake import FakeCleeng
from niteoweb.click2sell.providers.cleeng.fake import TOKEN
from niteoweb.click2sell.tests.cases.deliveries import about
from niteoweb.click2sell.tests.cases.hanging import HangingServer
from niteoweb.click2sell.tests.cases.hanging import KINDS
from niteoweb.click2sell.tests.proof.onsite import in_threads
from niteoweb.click2sell.tests.proof.onsite import post
from niteoweb.click2sell.tests.proof.onsite import Served
from niteoweb.click2sell.tests.proof.server import HOST
from niteoweb.click2sell.tests.proof.server import OWNER
from queue import SimpleQueue
from threading import Thread
from tools import client
from tools.instance import THREADS

import itertools
import json
import unittest


#: Threads that may wait for a provider.
WAITING = THREADS // 2
#: More than the site has threads.
MANY = THREADS + 4
JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class TestHangingProvider(unittest.TestCase):
    layer = Served("HangingProvider")
    numbers = itertools.count()

    def ask(self, method: str, path: str, **options: object) -> client.Answer:
        body = json.dumps(options).encode() if options else None
        with client.Connection(self.layer.server.port, OWNER, host=HOST) as connection:
            return connection.ask(method, path, body, JSON)

    def use(self, name: str, url: str) -> None:
        values = {"enabled": True, "secretkey": "s" * 40, "api_url": url, "api_token": TOKEN}
        answer = self.ask("PATCH", f"@controlpanels/{name}", **values)
        self.assertEqual(answer.status, 204, answer.text)

    def submit(self, number: int) -> client.Answer:
        path = "@cleeng-purchase-validation"
        return self.ask("POST", path, email="tv@example.org", subscription_id=f"tv-{number}")

    @contextmanager
    def meanwhile(self, work, tasks) -> Iterator[SimpleQueue]:
        """Do all tasks at once beside the block; what each came to, in the order they ended."""
        came_to: SimpleQueue = SimpleQueue()
        threads = [
            Thread(target=lambda task=task: came_to.put(work(task)), daemon=True)
            for task in tasks
        ]
        for thread in threads:
            thread.start()
        yield came_to
        for thread in threads:
            thread.join()

    def assert_sells(self) -> None:
        """The site shows pages and takes purchases."""
        with client.Connection(self.layer.server.port, host=HOST) as connection:
            self.assertEqual(connection.ask("GET", "").status, 200)
        now = datetime.now(timezone.utc).replace(microsecond=0)
        answer = post(self.layer.server.port, about(f"b{next(self.numbers)}", "1", now))
        self.assertEqual(answer, (200, "POST successfully parsed."))

    def test_services_that_sell(self):
        """Some wait for the provider; the others are sent away, and all else goes on."""
        for hang in KINDS:
            with self.subTest(hang.__name__), HangingServer(hang) as server:
                self.use("cleeng", server.url)
                with self.meanwhile(self.submit, range(MANY)) as answers:
                    # They come while the first wait for the server, which never answers.
                    for _refused in range(MANY - WAITING):
                        answer = answers.get()
                        self.assertEqual(answer.status, 503, answer.text)
                    self.assert_sells()
                    self.assertTrue(answers.empty())
                late = [answers.get().status for _ in range(WAITING)]
                self.assertEqual(set(late), {503})

    def test_services_that_only_tell(self):
        with FakeCleeng() as fake:
            self.use("cleeng", fake.url)
            answers = in_threads(1, self.submit, range(100, 100 + MANY))
        self.assertEqual({answer.status for answer in answers}, {202})
        paths = [f"@cleeng-purchase-status/{answer.json()['id']}" for answer in answers]
        with HangingServer(HangingServer.drip_headers) as server:
            self.use("cleeng", server.url)
            with self.meanwhile(lambda path: self.ask("GET", path), paths) as answers:
                self.assert_sells()
            statuses = {answers.get().status for _ in range(MANY)}
            # All of them came back, and the server still hangs.
            self.assertEqual(statuses, {503})

    def test_callbacks(self):
        """plenigo has to be asked about each of them; a thread in the background does."""
        from niteoweb.click2sell.providers.plenigo.fake import FakePlenigo

        with FakePlenigo() as fake, HangingServer(HangingServer.answer_never) as server:
            self.use("plenigo", server.url)
            values = {"secretkey": fake.callbacks.secret}
            self.assertEqual(self.ask("PATCH", "@controlpanels/plenigo", **values).status, 204)
            jane = fake.add_customer("jane@example.org")
            for _subscription in range(MANY):
                fake.subscribe(jane, "gold")
            url = f"http://127.0.0.1:{self.layer.server.port}/Plone/@@plenigo"
            self.assertEqual({one.status for one in fake.callbacks.deliver(url)}, {200})
            self.assert_sells()
