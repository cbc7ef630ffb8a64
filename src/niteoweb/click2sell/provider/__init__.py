"""One pure module a payment provider: is a delivery genuine, and what does it say?"""
