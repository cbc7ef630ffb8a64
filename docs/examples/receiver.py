"""A receiver of outgoing hooks, which prints each event once, behind a server with https."""

from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from standardwebhooks import Webhook
from standardwebhooks import WebhookVerificationError

import os


seen = set()  # keep the ids in a database instead


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = Webhook(os.environ["HOOK_SECRET"]).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            self.send_error(401)
            return
        if headers["webhook-id"] not in seen:
            seen.add(headers["webhook-id"])
            print(event["type"], event["data"], flush=True)
        self.send_response(204)
        self.end_headers()


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
