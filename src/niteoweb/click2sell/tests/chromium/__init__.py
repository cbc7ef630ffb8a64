"""Tests of the pages in a real browser, at the width of a desk and at that of a phone."""
