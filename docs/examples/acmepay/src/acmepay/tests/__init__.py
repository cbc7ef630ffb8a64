"""Tests of Acme Pay."""
