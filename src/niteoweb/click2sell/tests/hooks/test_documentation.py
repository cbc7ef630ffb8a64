"""What the documentation shows of outgoing hooks is true: the receiver, the schema."""

from freezegun.api import real_time
from jsonschema import Draft202012Validator
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.hooks import outbox
from niteoweb.click2sell.hooks import receivers
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.receiver import SECRET
from niteoweb.click2sell.tests.hooks.case import HooksTestCase

import json
import os
import re
import socket
import subprocess
import sys
import time


EXAMPLES = DOCS / "examples"


class TestDocumentation(HooksTestCase):
    def test_the_example_receiver(self):
        # It looks at its own clock.
        self.now = timestamps.from_microseconds(int(real_time()) * 1_000_000)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, EXAMPLES / "receiver.py"],
            env={**os.environ, "HOOK_SECRET": SECRET, "PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_for(port)
        id_ = self.add(f"http://127.0.0.1:{port}/")
        forged = {"webhook-id": "evt_1"}
        forged["webhook-timestamp"] = str(int(real_time()))
        for signature in ("v1,eA==", "x"):
            forged["webhook-signature"] = signature
            status, _pause = jsonapi.post(f"http://127.0.0.1:{port}/", b"{}", forged, 5)
            self.assertEqual(status, 401)
        self.settings(mapping=["1|premium"])
        self.buy()
        self.assertEqual(self.waiting(id_), 2)
        self.send()
        self.assertEqual(self.waiting(id_), 0)
        lines = [process.stdout.readline().split(" ", 1)[0] for _event in range(2)]
        self.assertEqual(lines, ["member.created", "access.granted"])

    def wait_for(self, port):
        for _time in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.fail("The receiver did not start.")

    def test_the_schema_knows_all_events(self):
        schema = json.loads((EXAMPLES / "outgoing.schema.json").read_text("utf-8"))
        check = Draft202012Validator(schema)
        named = schema["properties"]["type"]["enum"]
        self.assertEqual(set(named), {*events.CHOICES, events.TEST})
        self.buy()
        self.refund(purchase_time="10:40:00")
        self.account("jane", "jane@example.org")
        self.buy_again(2, buyer_email="jane@example.org")
        silent = {"click2sell": self.now}
        writer.run(lambda site: outbox.file_silent(site, silent, self.now))
        writer.run(lambda site: outbox.file_test(site, receivers.find(site, self.id), self.now))
        self.send()
        self.assertEqual(set(self.receiver.types()), {*events.CHOICES, events.TEST})
        for event in self.receiver.taken:
            with self.subTest(event["type"]):
                body = {name: event[name] for name in ("type", "timestamp", "data")}
                self.assertEqual(list(check.iter_errors(body)), [])
                for name in event["data"]:
                    less = {**event["data"]}
                    del less[name]
                    self.assertTrue(list(check.iter_errors({**body, "data": less})), name)

    def test_the_example_on_the_page(self):
        text = (DOCS / "outgoing.rst").read_text("utf-8")
        block = re.search(r"\.\. code-block:: json\n\n((?:   .*\n|\n)*)", text)[1]
        schema = json.loads((EXAMPLES / "outgoing.schema.json").read_text("utf-8"))
        self.assertEqual(list(Draft202012Validator(schema).iter_errors(json.loads(block))), [])
        for event in (*events.CHOICES, events.TEST):
            self.assertIn(f"``{event}``", text)
