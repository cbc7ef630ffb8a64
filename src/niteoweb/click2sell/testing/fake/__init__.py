"""Fake payment providers for tests, the demo, and developers of a provider.

Each is a small HTTP server on this machine with a clock that can be moved, which signs like the
real one and does with its deliveries what a test wants: twice, in any order, late, tampered
with. They need no Plone, and none of them is started unless somebody calls it.
"""
