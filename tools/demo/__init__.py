"""The add-on's main job from nothing, on this machine only; started by ``make demo``."""
