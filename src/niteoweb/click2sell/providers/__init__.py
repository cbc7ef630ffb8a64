"""Payment providers, a folder each; no room imports one, they are found by registration."""
