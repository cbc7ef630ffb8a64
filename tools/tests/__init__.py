"""Tests of the tools, and of the add-on in the cluster that ``make cluster`` starts."""
