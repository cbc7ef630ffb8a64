"""Tests of outgoing hooks."""
