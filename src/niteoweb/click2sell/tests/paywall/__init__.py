"""Tests of the paywall."""
