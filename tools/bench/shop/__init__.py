"""What a team might write instead of installing the add-on: a view of bare Django on SQLite.

It runs in a virtual environment of its own, with the versions of ``requirements.txt``, and
imports nothing of Plone.
"""
